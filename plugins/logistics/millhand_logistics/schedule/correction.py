"""What a planner changes in a plan, in words that fit a label, and the plan that comes of it.

``A-1/mill before B-1/mill`` and ``A-1/mill after B-1/mill`` are turns of one machine;
``A-1/turn on lathe_2`` is another machine. Both together: ``A-1/turn on lathe_2 before B-1/turn``.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
from msgspec import Struct

from millhand.contracts import Gantt
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.schedule.from_shop import Floor, OperationKey
from millhand_logistics.schedule.replan import Place, as_before
from millhand_logistics.schedule.rules import in_order
from millhand_logistics.schedule.simulate import Plan, simulate

CORRECTED = "planner"
_FORM = re.compile(
    r"(?P<what>.+?/.+?)(?: on (?P<machine>.+?))?(?: (?P<side>before|after) (?P<other>.+?/.+?))?"
)

_SIDES: dict[str | None, Literal["before", "after"] | None] = {
    None: None,
    "before": "before",
    "after": "after",
}


class Correction(Struct, frozen=True, kw_only=True):
    """One operation that a planner moves."""

    what: OperationKey
    machine: str = ""
    """Where it shall run; empty: where it is."""
    side: Literal["before", "after"] | None = None
    other: OperationKey | None = None


def read_correction(label: str) -> Correction:
    """Read a label.

    Raises:
        ConfigError: it moves nothing, or is no correction.
    """
    found = _FORM.fullmatch(label.strip())
    if found is None or not (found["machine"] or found["side"]):
        raise ConfigError(
            tr("“{label}” moves no operation.", label=label),
            mend=tr(
                "Say “order/operation before order/operation”, “… after …”, or “… on machine”."
            ),
        )
    return Correction(
        what=_key(found["what"]),
        machine=found["machine"] or "",
        side=_SIDES[found["side"]],
        other=_key(found["other"]) if found["other"] else None,
    )


def shown_plan(floor: Floor, gantt: Gantt) -> Plan:
    """Return the plan that a decision showed.

    Raises:
        ConfigError: the picture is of another shop.
    """
    shift = gantt.origin_utc_ns / 1e9 - floor.origin.timestamp()
    places = {
        _key(label): Place(
            machine=_machine(floor, resource),
            begin=round((begin + shift) / floor.tick_s),
            end=round((end + shift) / floor.tick_s),
        )
        for resource, label, begin, end in gantt.bars
    }
    missing = [key for key in floor.keys if key not in places]
    if missing:
        raise ConfigError(tr("The plan does not show {name}.", name="/".join(missing[0])))
    order, machines = as_before(floor, places)
    return simulate(floor.problem, in_order(floor.problem, order, machines))


def corrected(floor: Floor, plan: Plan, change: Correction) -> Plan:
    """Return the plan that a planner wants.

    Raises:
        ConfigError: an operation or machine is unknown, the operation has begun, its machine cannot
            do it, both run on other machines, or what one waits for stands against the turn.
    """
    i = _index(floor, change.what)
    operation = floor.problem.operations[i]
    if operation.fixed is not None:
        raise ConfigError(tr("{name} has begun or is pinned.", name="/".join(change.what)))
    turns = np.lexsort((plan.sequence.argsort(), plan.start)).argsort().astype(np.float64)
    machines = plan.machine.copy()
    if change.machine:
        machines[i] = _machine(floor, change.machine)
        if machines[i] not in dict(operation.alternatives):
            raise ConfigError(
                tr("{name} cannot run on {machine}.", name="/".join(change.what),
                   machine=change.machine)
            )  # fmt: skip
    other = None if change.other is None else _index(floor, change.other)
    if other is not None:
        if machines[other] != machines[i]:
            raise ConfigError(
                tr("{name} and {other} run on different machines.", name="/".join(change.what),
                   other=floor.keys[other][0] + "/" + floor.keys[other][1])
            )  # fmt: skip
        turns[i] = turns[other] + (-0.5 if change.side == "before" else 0.5)
        _draw_along(floor, turns, i, before=change.side == "before")
    found = simulate(floor.problem, in_order(floor.problem, turns, machines), CORRECTED)
    if other is not None and (found.start[i] < found.start[other]) != (change.side == "before"):
        raise ConfigError(
            tr("What one of them waits for, or a given place, stands against it: {label}.",
               label=f"{'/'.join(change.what)} {change.side} {'/'.join(floor.keys[other])}")
        )  # fmt: skip
    return found


def _draw_along(floor: Floor, turns: np.ndarray, i: int, *, before: bool) -> None:
    """Let what an operation waits for come before it, or what waits for it after."""
    t = floor.problem.tables
    pointers, rows = (t.pred_ptr, t.pred) if before else (t.succ_ptr, t.succ)
    waiting = [i]
    while waiting:
        one = waiting.pop()
        for near in rows[pointers[one] : pointers[one + 1]]:
            if (turns[near] >= turns[one]) == before:
                turns[near] = turns[one] + (-1e-3 if before else 1e-3)
                waiting.append(int(near))


def _key(text: str) -> OperationKey:
    order, _, operation = text.strip().partition("/")
    return order, operation


def _index(floor: Floor, key: OperationKey) -> int:
    if key not in floor.keys:
        raise ConfigError(tr("The plan has no operation {name}.", name="/".join(key)))
    return floor.keys.index(key)


def _machine(floor: Floor, name: str) -> int:
    if name not in floor.machines:
        raise ConfigError(
            tr("There is no machine “{name}”.", name=name),
            mend=tr("It is one of: {names}.", names=", ".join(floor.machines)),
        )
    return floor.machines.index(name)
