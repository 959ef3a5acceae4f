"""From rulings to effects: once the intent is durable, check again and carry out."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic_ns

from millhand.contracts import (
    Action,
    DeliverRecord,
    Mode,
    PerformSkill,
    Propose,
    SendDisposition,
    WriteResult,
    WriteStatus,
    WriteTag,
)
from millhand.engine.bindings import AgentBinding, Target
from millhand.engine.cell import Cell
from millhand.engine.commanding import Commander
from millhand.engine.effects import WRITE_OUTCOMES, Effect, result_of_skill
from millhand.engine.judging import Judge, Wanted
from millhand.engine.outbox import WAITS
from millhand.errors import NotAllowed
from millhand.journal.records import Judged, OutcomeStatus

_OTHER_ACTION_NS = 5_000_000_000


class Actuator:
    """Carries out one agent's actions."""

    def __init__(self, cell: Cell, binding: AgentBinding, judge: Judge) -> None:
        self._cell = cell
        self._judge = judge
        self._commander = Commander(cell, judge)
        self._allowed_targets = binding.allowed_targets

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
                await self._commander.send(
                    judged, wanted.command, mode, deadline_ns, stages, started_ns, effect
                )
            else:
                await self._other(judged, mode, deadline_ns, effect)
        if not any(judged.ruling.allowed for judged in wanted.judged):
            effect.detail = "; ".join(j.ruling.reason for j in wanted.judged if j.ruling.reason)
        return effect

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
            ruling = self._judge.ruling(judged.action, target, mode, deadline_ns, approved=approved)
            if not ruling.allowed:
                effect.status, effect.rulings = OutcomeStatus.REFUSED, (ruling,)
                effect.detail = ruling.reason
                return
        value = judged.action.value if isinstance(judged.action, WriteTag) else None
        amount = self._judge.step(judged.action, target, mode)
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
            effect.status = WRITE_OUTCOMES[result.status]
            effect.detail = result.detail
        if isinstance(judged.action, DeliverRecord) and result.status in WAITS:
            effect.status = OutcomeStatus.WAITING
            effect.waiting.append(judged.action)

    async def _perform(self, action: Action, target: Target, permit: object) -> WriteResult:
        device = self._cell.devices[target.device]
        if isinstance(action, PerformSkill):
            last = None
            async for progress in device.perform(
                permit, action.skill, action.goal, monotonic_ns() + _OTHER_ACTION_NS
            ):
                last = progress
            return result_of_skill(last)
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
            again = self._judge.one(one.action, mode, deadline_ns, approved=True)
            if again.ruling.allowed:
                await self._other(again, mode, deadline_ns, effect, approved=True)
            else:
                effect.status, effect.rulings = OutcomeStatus.REFUSED, (again.ruling,)
                effect.detail = again.ruling.reason
        return effect

    async def deliver_again(self, action: DeliverRecord, mode: Mode, *, approved: bool) -> Effect:
        """Deliver what could not be delivered before; without a result it was not let out."""
        if approved:
            return await self.approve_proposed(action, mode)
        deadline_ns = monotonic_ns() + _OTHER_ACTION_NS
        effect = Effect()
        judged = self._judge.one(action, mode, deadline_ns)
        if judged.ruling.allowed:
            await self._other(judged, mode, deadline_ns, effect)
        else:
            effect.status, effect.rulings = OutcomeStatus.REFUSED, (judged.ruling,)
            effect.detail = judged.ruling.reason
        return effect

    async def approve_proposed(self, action: Action, mode: Mode) -> Effect:
        """Carry out what an agent proposed and a person approved, through the guard."""
        deadline_ns = monotonic_ns() + _OTHER_ACTION_NS
        effect = Effect()
        judged = self._judge.one(action, mode, deadline_ns, approved=True)
        if judged.ruling.allowed:
            await self._other(judged, mode, deadline_ns, effect, approved=True)
        else:
            effect.status, effect.rulings = OutcomeStatus.REFUSED, (judged.ruling,)
            effect.detail = judged.ruling.reason
        return effect


def _target(text: str) -> Target:
    device, _, item = text.partition(".")
    return Target(device, item)
