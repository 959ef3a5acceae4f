"""The book of writes that were let out: what rate, budget and number of writes are counted from."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic_ns

from millhand.contracts import Sample, Value
from millhand.guard import Change, Limits

_KEPT = 4096
"""Entries of one target. The oldest are then added up, so that none is forgotten too early."""


@dataclass(slots=True, eq=False)
class LetOut:
    """One write: entered before the first byte leaves, so that two at once cannot both pass."""

    change: Change
    value: Value
    ended_monotonic_ns: int | None = None
    """When its end was known; None while it is under way or where nobody will ever know."""
    earlier: float = 0.0
    """What older writes changed that were added to this one's change."""


class ChangeBook:
    """Writes by target, oldest first; of targets alone whose writes or changes are limited."""

    def __init__(self, limits: Mapping[str, Limits]) -> None:
        counted = {name: limit for name, limit in limits.items() if _counts(limit)}
        self._writes: dict[str, deque[LetOut]] = {name: deque() for name in counted}
        self._kept = {name: _entries(limit) for name, limit in counted.items()}

    def restore(self, earlier: Mapping[str, Sequence[Change]]) -> None:
        """Go on from what an engine before this one has let out."""
        for target, changes in earlier.items():
            for change in changes:
                self._add(target, LetOut(change, None, change.at_monotonic_ns))

    def enter(self, target: str, value: Value, amount: float | None) -> LetOut:
        """Enter a write that is about to leave; ``amount`` is its largest change, if known."""
        written = LetOut(Change(monotonic_ns(), amount or 0.0), value)
        self._add(target, written)
        return written

    def _add(self, target: str, written: LetOut) -> None:
        known = self._writes.get(target)
        if known is None:
            return
        known.append(written)
        if len(known) > self._kept[target]:
            oldest, heir = known.popleft(), known[0]
            heir.earlier += oldest.change.amount
            heir.change = Change(
                heir.change.at_monotonic_ns, heir.change.amount + oldest.change.amount
            )

    def ended(self, target: str, written: LetOut, *, changed: bool) -> None:
        """Note that a write is over; one that certainly changed nothing is struck out."""
        written.ended_monotonic_ns = monotonic_ns()
        known = self._writes.get(target)
        if changed or known is None:
            return
        if written.earlier:
            written.change = Change(written.change.at_monotonic_ns, written.earlier)
            return
        with suppress(ValueError):  # it was added to a later one, and stays counted
            known.remove(written)

    def of(self, target: str) -> tuple[Change, ...]:
        """Return the changes let out to a target."""
        known = self._writes.get(target)
        return tuple(written.change for written in known) if known else ()

    def pending(self, target: str, read: Sample | None) -> tuple[Value, ...]:
        """Return the values that ``read`` may not show yet."""
        known = self._writes.get(target)
        if not known or read is None:
            return ()
        found = []
        for written in reversed(known):
            ended = written.ended_monotonic_ns
            if ended is not None and ended < read.received_monotonic_ns:
                break
            found.append(written.value)
        return tuple(found)


def _counts(limit: Limits) -> bool:
    return any(one is not None for one in (limit.rate, limit.budget, limit.writes))


def _entries(limit: Limits) -> int:
    return _KEPT if limit.writes is None else max(_KEPT, int(limit.writes.amount) + 1)
