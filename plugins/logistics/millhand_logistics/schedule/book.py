"""What a shop writes down of itself: its time, its progress, its orders, as text in one tag.

A shop's own controller or MES knows what has begun and ended; a plan that reads this needs no
assumption. The text is JSON::

    {
        "now": "2026-11-25T08:10:00+00:00",
        "progress": [["A-1", "turn", "lathe_1", 1795593600, null]],
        "bound": [["A-2", "turn", "lathe_2"]],
        "orders": [{"id": "R-1", "operations": [...]}],
    }

A row of progress is order, operation, machine, begin and end in seconds of UTC; the end is null
while it runs. An operation is bound to a machine when its load was brought there, or is on its way:
it is planned elsewhere only while that machine is down. Orders are those that came in since the
shop's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from millhand.contracts import Quality, Sample
from millhand.messages import tr
from millhand_logistics.schedule.from_shop import Floor
from millhand_logistics.schedule.simulate import Plan


class _Book(msgspec.Struct, forbid_unknown_fields=True):
    now: datetime
    progress: list[tuple[str, str, str, int, int | None]] = []
    bound: list[tuple[str, str, str]] = []
    orders: list[dict[str, Any]] = []


@dataclass(frozen=True, slots=True)
class Book:
    """A shop's book as it was read."""

    now: int
    """Seconds of UTC."""
    progress: dict[str, str] = field(default_factory=dict)
    """As in :class:`~millhand_logistics.schedule.state.State`."""
    orders: tuple[str, ...] = ()
    """As JSON."""


class Unreadable(ValueError):
    """A book that cannot be believed; the text says why."""


def read_book(sample: Sample | None) -> Book:
    """Read a shop's book.

    Raises:
        Unreadable: the tag is not good, or its text is no book.
    """
    if sample is None or sample.quality is not Quality.GOOD or not isinstance(sample.value, str):
        raise Unreadable(tr("the shop's book cannot be read"))
    try:
        found = msgspec.json.decode(sample.value, type=_Book)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(tr("the shop's book makes no sense: {why}", why=error)) from error
    if found.now.tzinfo is None:
        raise Unreadable(tr("the shop's book makes no sense: {why}", why=tr("now has no zone")))
    return Book(
        now=int(found.now.timestamp()),
        progress={
            f"{order}|{operation}": f"bound|{machine}" for order, operation, machine in found.bound
        }
        | {
            f"{order}|{operation}": f"finished|{end}|{machine}|{begin}"
            if end is not None
            else f"started|{machine}|{begin}"
            for order, operation, machine, begin, end in found.progress
        },
        orders=tuple(msgspec.json.encode(order).decode() for order in found.orders),
    )


def dispatch_list(floor: Floor, plan: Plan, name: str) -> str:
    """Return a plan as the text that a shop is run by: for each machine its operations in turn.

    Args:
        floor: what was planned.
        plan: the plan.
        name: tells one plan from another.
    """
    machines: dict[str, list[Sequence[str | int]]] = {machine: [] for machine in floor.machines}
    begins = sorted((int(plan.start[i]), i) for i in range(len(floor.keys)))
    origin = int(floor.origin.timestamp())
    for start, i in begins:
        row = (*floor.keys[i], origin + round(start * floor.tick_s))
        machines[floor.machines[plan.machine[i]]].append(row)
    return msgspec.json.encode({"plan": name, "machines": machines}).decode()
