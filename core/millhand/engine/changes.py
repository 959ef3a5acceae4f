"""The book of writes that were let out: what rate, budget and number of writes are counted from."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic_ns

from millhand.contracts import Sample, Value
from millhand.guard import Change

_KEPT = 4096


@dataclass(slots=True)
class LetOut:
    """One write: entered before the first byte leaves, so that two at once cannot both pass."""

    change: Change
    value: Value
    ended_monotonic_ns: int | None = None
    """When its end was known; None while it is under way or where nobody will ever know."""


class ChangeBook:
    """Writes by target, oldest first."""

    def __init__(self) -> None:
        self._writes: dict[str, deque[LetOut]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def restore(self, earlier: Mapping[str, Sequence[Change]]) -> None:
        """Go on from what an engine before this one has let out."""
        for target, changes in earlier.items():
            for change in changes:
                self._writes[target].append(LetOut(change, None, change.at_monotonic_ns))

    def enter(self, target: str, value: Value, amount: float | None) -> LetOut:
        """Enter a write that is about to leave; ``amount`` is its largest change, if known."""
        written = LetOut(Change(monotonic_ns(), amount or 0.0), value)
        self._writes[target].append(written)
        return written

    def ended(self, target: str, written: LetOut, *, changed: bool) -> None:
        """Note that a write is over; one that certainly changed nothing is struck out."""
        written.ended_monotonic_ns = monotonic_ns()
        if not changed:
            self._writes[target].remove(written)

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
