"""Before the intent: rule on everything that a decision leads to, and number its command."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from millhand.contracts import (
    RESULT_CODES,
    Action,
    Command,
    DeliverRecord,
    MachineAction,
    Mode,
    PartTrigger,
    PerformSkill,
    Propose,
    SendDisposition,
    Verdict,
    Write,
    WriteTag,
)
from millhand.engine.bindings import AgentBinding, Target
from millhand.engine.cell import Cell
from millhand.engine.handshake import command_writes, valid_until
from millhand.engine.policy import Settlement
from millhand.guard import Request, judge, step
from millhand.journal.records import Judged, Ruling

MACHINE_TAG = "machine.request"
_MACHINE_CODES = {MachineAction.HOLD: 1, MachineAction.STOP: 2}
_NOT_BOUND = Target("", "")


class Wanted(Struct, frozen=True):
    """What a decision leads to, judged, with the command that was numbered for it."""

    judged: tuple[Judged, ...]
    command: Command | None = None


class Judge:
    """Asks the guard about one agent's actions, with the facts of the moment."""

    def __init__(self, cell: Cell, binding: AgentBinding) -> None:
        self._cell = cell
        self._binding = binding
        self._disposition = binding.disposition
        self._allowed_targets = binding.allowed_targets

    def all(
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
            self.one(action, mode, deadline_ns)
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
        ruling = self.ruling(action, target, mode, deadline_ns)
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

    def one(
        self, action: Action, mode: Mode, deadline_ns: int, *, approved: bool = False
    ) -> Judged:
        """Rule on one action that is not bound to a part, in its role's target."""
        role = "" if isinstance(action, Propose) else action.to
        target = self._binding.actions.get(role, _NOT_BOUND)
        ruling = self.ruling(action, target, mode, deadline_ns, approved=approved)
        return Judged(
            action=action,
            target=str(target),
            ruling=ruling,
            writes=_writes(action, target),
            step=self.step(action, target, mode),
        )

    def step(self, action: Action, target: Target, mode: Mode) -> float | None:
        """Return how far the action may change its target, where changes are limited."""
        limits = self._cell.limits.get(str(target))
        if limits is None or not isinstance(action, WriteTag):
            return None
        if limits.rate is None and limits.budget is None:
            return None
        return step(action.value, self._cell.facts(mode, target))

    def ruling(
        self,
        action: Action,
        target: Target,
        mode: Mode,
        deadline_ns: int,
        *,
        approved: bool = False,
    ) -> Ruling:
        """Ask the guard, with the facts as they are now."""
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
