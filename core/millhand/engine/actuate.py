"""From wanted actions to effects: judge, and after the intent is durable check again and send."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic_ns

import msgspec
from msgspec import Struct

from millhand.contracts import (
    RESULT_CODES,
    Action,
    Answer,
    AnswerCode,
    Command,
    DeliverRecord,
    MachineAction,
    Mode,
    PartTrigger,
    PerformSkill,
    Propose,
    SendDisposition,
    SkillProgress,
    SkillStatus,
    Verdict,
    Write,
    WriteResult,
    WriteStatus,
    WriteTag,
)
from millhand.engine.bindings import AgentBinding, Confirm, Target
from millhand.engine.cell import Cell
from millhand.engine.handshake import CommandChannel, command_writes, valid_until
from millhand.engine.policy import Settlement
from millhand.errors import NotAllowed
from millhand.guard import Request, judge, step
from millhand.journal.records import Judged, OutcomeStatus, Ruling
from millhand.messages import tr

MACHINE_TAG = "machine.request"
_MACHINE_CODES = {MachineAction.HOLD: 1, MachineAction.STOP: 2}
_OTHER_ACTION_NS = 5_000_000_000
_NOT_BOUND = Target("", "")


class Wanted(Struct, frozen=True):
    """What a decision leads to, judged, with the command that was numbered for it."""

    judged: tuple[Judged, ...]
    command: Command | None = None


@dataclass(slots=True)
class Effect:
    """What came of the actions, collected while they are carried out."""

    status: OutcomeStatus = OutcomeStatus.NOT_SENT
    detail: str = ""
    result: WriteResult | None = None
    answer: Answer | None = None
    rulings: tuple[Ruling, ...] = ()


class Actuator:
    """Judges and carries out one agent's actions."""

    def __init__(self, cell: Cell, binding: AgentBinding) -> None:
        self._cell = cell
        self._binding = binding
        self._disposition = binding.disposition
        self._allowed_targets = binding.allowed_targets

    # --- before the intent ---

    def judge(
        self,
        actions: Sequence[Action],
        settlement: Settlement | None,
        trigger: PartTrigger | None,
        verdict: Verdict | None,
        mode: Mode,
        deadline_ns: int,
    ) -> Wanted:
        """Rule on everything that a decision leads to; ``deadline_ns`` is monotonic."""
        judged: list[Judged] = []
        command: Command | None = None
        if settlement is not None and trigger is not None:
            sent, command = self._judge_disposition(settlement, trigger, verdict, mode, deadline_ns)
            judged.extend(sent)
            judged.extend(self._judge_machine(settlement.machine, mode))
        judged.extend(
            self._judge_one(action, mode, deadline_ns)
            for action in actions
            if not isinstance(action, SendDisposition | Propose)
        )
        return Wanted(tuple(judged), command)

    def _judge_disposition(
        self,
        settlement: Settlement,
        trigger: PartTrigger,
        verdict: Verdict | None,
        mode: Mode,
        deadline_ns: int,
    ) -> tuple[list[Judged], Command | None]:
        target = self._disposition
        if target is None:
            return [], None
        action = SendDisposition(
            to=target.item,
            part_id=trigger.part_id,
            verdict=verdict or Verdict.NOT_DECIDABLE,
            disposition=settlement.disposition,
        )
        ruling = self._ruling(action, target, mode, deadline_ns)
        if not ruling.allowed:
            return [Judged(action=action, target=str(target), ruling=ruling)], None
        channel = self._cell.channels[str(target)]
        command = Command(
            id=self._cell.next_command_id(),
            part_id=trigger.part_id,
            result=RESULT_CODES[settlement.disposition],
            valid_until=valid_until(trigger, self._binding.deadline_ns, channel.binding.tick_ns),
        )
        writes = command_writes(channel.binding, command)
        return [Judged(action=action, target=str(target), ruling=ruling, writes=writes)], command

    def _judge_machine(self, machine: MachineAction, mode: Mode) -> list[Judged]:
        target = self._disposition
        if machine is MachineAction.NONE or target is None:
            return []
        request = Target(target.device, "machine")
        if target.device not in self._cell.machines:
            return []
        action = WriteTag(to="machine", value=_MACHINE_CODES[machine])
        ruling = judge(
            Request(target=str(request), allowed_targets=frozenset({str(request)})),
            self._cell.limits.get(str(request)),
            self._cell.facts(mode, request),
        )
        writes = (Write(tag=MACHINE_TAG, value=action.value),)
        return [Judged(action=action, target=str(request), ruling=ruling, writes=writes)]

    def _judge_one(
        self, action: Action, mode: Mode, deadline_ns: int, *, approved: bool = False
    ) -> Judged:
        role = "" if isinstance(action, Propose) else action.to
        target = self._binding.actions.get(role, _NOT_BOUND)
        ruling = self._ruling(action, target, mode, deadline_ns, approved=approved)
        return Judged(
            action=action,
            target=str(target),
            ruling=ruling,
            writes=_writes(action, target),
            step=self._step(action, target, mode),
        )

    def _step(self, action: Action, target: Target, mode: Mode) -> float | None:
        """Return how far the action may change its target, where changes are limited."""
        limits = self._cell.limits.get(str(target))
        if limits is None or not isinstance(action, WriteTag):
            return None
        if limits.rate is None and limits.budget is None:
            return None
        return step(action.value, self._cell.facts(mode, target))

    def _ruling(
        self,
        action: Action,
        target: Target,
        mode: Mode,
        deadline_ns: int,
        *,
        approved: bool = False,
    ) -> Ruling:
        part_bound = isinstance(action, SendDisposition)
        return judge(
            Request(
                target=str(target),
                value=action.value if isinstance(action, WriteTag) else None,
                part_bound=part_bound,
                allowed_targets=self._allowed_targets,
                deadline_monotonic_ns=deadline_ns,
                needs_lease=part_bound,
                approved=approved,
            ),
            self._cell.limits.get(str(target)),
            self._cell.facts(mode, target),
        )

    # --- after the intent is durable ---

    async def carry_out(
        self, wanted: Wanted, mode: Mode, deadline_ns: int, stages: dict[str, int], started_ns: int
    ) -> Effect:
        """Check again what may have changed, send, and wait for the answer.

        ``stages`` receives the ends of the stages in nanoseconds since ``started_ns``.
        """
        effect = Effect()
        for judged in wanted.judged:
            if not judged.ruling.allowed:
                continue
            if isinstance(judged.action, SendDisposition) and wanted.command is not None:
                await self._command(judged, wanted.command, mode, deadline_ns, stages, started_ns,
                                    effect)  # fmt: skip
            else:
                await self._other(judged, mode, deadline_ns, effect)
        if not any(judged.ruling.allowed for judged in wanted.judged):
            effect.detail = "; ".join(j.ruling.reason for j in wanted.judged if j.ruling.reason)
        return effect

    async def _command(
        self,
        judged: Judged,
        command: Command,
        mode: Mode,
        deadline_ns: int,
        stages: dict[str, int],
        started_ns: int,
        effect: Effect,
    ) -> None:
        channel = self._cell.channels[judged.target]
        async with channel.turn:
            target = channel.binding.target
            ruling = self._ruling(judged.action, target, mode, deadline_ns)
            stages["checked"] = monotonic_ns() - started_ns
            if not ruling.allowed:
                effect.status = (
                    OutcomeStatus.EXPIRED if ruling.rule == "deadline" else OutcomeStatus.REFUSED
                )
                effect.detail, effect.rulings = ruling.reason, (ruling,)
                return
            if not channel.reconciled.is_set():
                effect.detail = tr("The PLC's answers have not been read since the start.")
                return
            answer = channel.expect(command.id)
            self._count_write(judged.target)
            try:
                permit = self._cell.issue(target.device, judged.writes, deadline_ns)
                try:
                    effect.result = await channel.send(permit)
                except NotAllowed as error:
                    effect.status, effect.detail = OutcomeStatus.EXPIRED, str(error)
                    return
                stages["sent"] = monotonic_ns() - started_ns
                await self._confirm(channel, answer, judged.writes, deadline_ns, effect)
                stages["answered"] = monotonic_ns() - started_ns
            finally:
                channel.forget(command.id)

    def _count_write(self, channel: str) -> None:
        """Enter a command in the book, where the scenario limits how many there may be."""
        limits = self._cell.limits.get(channel)
        if limits is not None and limits.writes is not None:
            changes = self._cell.changes
            changes.ended(channel, changes.enter(channel, None, None), changed=True)

    async def _confirm(
        self,
        channel: CommandChannel,
        answer: asyncio.Future[Answer],
        writes: Sequence[Write],
        deadline_ns: int,
        effect: Effect,
    ) -> None:
        assert effect.result is not None
        if effect.result.status in (WriteStatus.NOT_SENT, WriteStatus.REJECTED):
            effect.status = _WRITE_OUTCOMES[effect.result.status]
            effect.detail = effect.result.detail
            return
        if channel.binding.confirm is Confirm.READBACK:
            await self._read_back(channel, writes, effect)
            return
        if channel.binding.confirm is Confirm.NONE:
            effect.status = _WRITE_OUTCOMES[effect.result.status]
            return
        grace_ns = 5 * channel.binding.tick_ns + int(2e9 * channel.binding.poll_s)
        timeout_s = max(0.0, (deadline_ns + grace_ns - monotonic_ns()) / 1e9)
        try:
            async with asyncio.timeout(timeout_s) as limit:
                await channel.look()
                if not limit.expired():  # a driver may have swallowed the cancellation
                    effect.answer = await answer
        except TimeoutError:
            pass
        if effect.answer is None and answer.done() and not answer.cancelled():
            effect.answer = answer.result()
        if effect.answer is None:
            effect.status = OutcomeStatus.UNKNOWN
            effect.detail = tr("No answer came; the part takes its default.")
            return
        effect.status = outcome_of(effect.answer.code)
        if channel.binding.confirm is Confirm.SENSOR and effect.answer.code is AnswerCode.ACCEPTED:
            # Taken by the program; that the part went that way is for the gate's entry to say.
            effect.status = OutcomeStatus.SENT
        if effect.status is not OutcomeStatus.CONFIRMED:
            effect.detail = effect.answer.code.name.lower()

    async def _read_back(
        self, channel: CommandChannel, writes: Sequence[Write], effect: Effect
    ) -> None:
        samples = await channel.device.read([write.tag for write in writes])
        same = all(
            sample.good and sample.value == write.value
            for sample, write in zip(samples, writes, strict=True)
        )
        effect.status = OutcomeStatus.CONFIRMED if same else OutcomeStatus.UNKNOWN
        if not same:
            effect.detail = tr("The record does not read back as it was written.")

    async def _other(
        self,
        judged: Judged,
        mode: Mode,
        deadline_ns: int,
        effect: Effect,
        *,
        approved: bool = False,
    ) -> None:
        target = _target(judged.target)
        own_limit = judged.target in self._allowed_targets
        if own_limit:
            ruling = self._ruling(judged.action, target, mode, deadline_ns, approved=approved)
            if not ruling.allowed:
                effect.status, effect.rulings = OutcomeStatus.REFUSED, (ruling,)
                effect.detail = ruling.reason
                return
        value = judged.action.value if isinstance(judged.action, WriteTag) else None
        amount = self._step(judged.action, target, mode)
        written = self._cell.changes.enter(judged.target, value, amount)
        changed = True
        try:
            expires_ns = monotonic_ns() + _OTHER_ACTION_NS
            permit = self._cell.issue(target.device, judged.writes, expires_ns)
            result = await self._perform(judged.action, target, permit)
            changed = result.status not in (WriteStatus.NOT_SENT, WriteStatus.REJECTED)
        except NotAllowed:
            changed = False
            raise
        finally:
            self._cell.changes.ended(judged.target, written, changed=changed)
        if effect.result is None:
            effect.result = result
            effect.status = _WRITE_OUTCOMES[result.status]
            effect.detail = result.detail

    async def _perform(self, action: Action, target: Target, permit: object) -> WriteResult:
        device = self._cell.devices[target.device]
        if isinstance(action, PerformSkill):
            last = None
            async for progress in device.perform(
                permit, action.skill, action.goal, monotonic_ns() + _OTHER_ACTION_NS
            ):
                last = progress
            return _of_skill(last)
        if isinstance(action, DeliverRecord):
            result = await device.deliver(permit, action.kind, action.body, action.idempotency_key)
        else:
            result = await device.write(permit)
        assert isinstance(result, WriteResult)
        return result

    async def approve(self, judged: Sequence[Judged], mode: Mode) -> Effect:
        """Carry out what a person approved; the guard is asked again and has the last word."""
        deadline_ns = monotonic_ns() + _OTHER_ACTION_NS
        effect = Effect()
        for one in judged:
            if isinstance(one.action, SendDisposition | Propose) or one.ruling.rule != "mode":
                continue
            again = self._judge_one(one.action, mode, deadline_ns, approved=True)
            if again.ruling.allowed:
                await self._other(again, mode, deadline_ns, effect, approved=True)
            else:
                effect.status, effect.rulings = OutcomeStatus.REFUSED, (again.ruling,)
                effect.detail = again.ruling.reason
        return effect

    async def approve_proposed(self, action: Action, mode: Mode) -> Effect:
        """Carry out what an agent proposed and a person approved, through the guard."""
        deadline_ns = monotonic_ns() + _OTHER_ACTION_NS
        effect = Effect()
        judged = self._judge_one(action, mode, deadline_ns, approved=True)
        if judged.ruling.allowed:
            await self._other(judged, mode, deadline_ns, effect, approved=True)
        else:
            effect.status, effect.rulings = OutcomeStatus.REFUSED, (judged.ruling,)
            effect.detail = judged.ruling.reason
        return effect


def outcome_of(code: AnswerCode) -> OutcomeStatus:
    """Say what a PLC's answer means for the intent."""
    if code in (AnswerCode.ACCEPTED, AnswerCode.EXECUTED):
        return OutcomeStatus.CONFIRMED
    if code is AnswerCode.EXPIRED:
        return OutcomeStatus.EXPIRED
    return OutcomeStatus.REFUSED


def _of_skill(last: SkillProgress | None) -> WriteResult:
    """Say what the end of a skill means: only a success is applied; a part done is not undone."""
    if last is None or not last.done:
        return WriteResult(status=WriteStatus.UNKNOWN)
    ended = {
        SkillStatus.SUCCEEDED: WriteStatus.APPLIED,
        SkillStatus.REJECTED: WriteStatus.REJECTED,
    }.get(SkillStatus(last.status), WriteStatus.UNKNOWN)
    detail = last.detail if ended is WriteStatus.APPLIED else f"{last.status}: {last.detail}"
    return WriteResult(status=ended, detail=detail.removesuffix(": "))


_WRITE_OUTCOMES: Mapping[WriteStatus, OutcomeStatus] = {
    WriteStatus.APPLIED: OutcomeStatus.CONFIRMED,
    WriteStatus.SENT: OutcomeStatus.SENT,
    WriteStatus.REJECTED: OutcomeStatus.REFUSED,
    WriteStatus.NOT_SENT: OutcomeStatus.NOT_SENT,
    WriteStatus.UNKNOWN: OutcomeStatus.UNKNOWN,
}


def _target(text: str) -> Target:
    device, _, item = text.partition(".")
    return Target(device, item)


def _writes(action: Action, target: Target) -> tuple[Write, ...]:
    match action:
        case WriteTag(value=value):
            return (Write(tag=target.item, value=value),)
        case PerformSkill(skill=skill, goal=goal):
            return (Write(tag=f"skill.{skill}", value=msgspec.json.encode(goal).decode()),)
        case DeliverRecord(kind=kind, idempotency_key=key):
            return (Write(tag=f"deliver.{kind}", value=key),)
        case _:
            return ()
