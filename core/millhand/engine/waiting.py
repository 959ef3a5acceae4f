"""What waits for an agent that is busy: a bounded queue, and what gives way in it."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from millhand.contracts import TagEdge, TimerTick, Trigger
from millhand.engine.work import Work


class Entered(Struct, frozen=True):
    """What became of a trigger that was put in, and of those that waited."""

    dropped: Work | None = None
    """The one that the queue has no room for; it may be the new one."""
    superseded: tuple[Work, ...] = ()
    """Those that a newer one of the same source took the place of."""


class Waiting:
    """Triggers in their turn.

    Args:
        bound: how many may wait; with ``latest``, of each tag and each period.
        latest: a tag's newer value takes the place of its older one, a later tick that of the one
            before, so that every source's last word is heard and none is pushed out by another
            source. Events are never replaced: beyond the bound the oldest is dropped.
    """

    def __init__(self, bound: int, *, latest: bool) -> None:
        self._bound = bound
        self._latest = latest
        self._queue: deque[Work] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, work: Work) -> Entered:
        """Let a trigger wait, where there is room."""
        if not self._latest:
            if len(self._queue) >= self._bound:
                return Entered(dropped=work)
            self._queue.append(work)
            return Entered()
        rivals = [one for one in self._queue if _rivals(one.trigger, work.trigger)]
        gone = rivals[: max(0, len(rivals) + 1 - self._bound)]
        self._queue = deque([*(one for one in self._queue if not _among(one, gone)), work])
        if _is_state(work.trigger):
            return Entered(superseded=tuple(gone))
        return Entered(dropped=gone[0] if gone else None)

    def next(self) -> Work:
        """Take out the one whose turn it is.

        Raises:
            IndexError: none waits.
        """
        return self._queue.popleft()


def _is_state(trigger: Trigger) -> bool:
    """Whether only the last of its source matters: a tag's value, the time."""
    return isinstance(trigger, TagEdge | TimerTick)


def _rivals(one: Trigger, other: Trigger) -> bool:
    """Whether two triggers share a place in the queue."""
    if _is_state(one) or _is_state(other):
        return one.source == other.source
    return True


def _among(work: Work, others: list[Work]) -> bool:
    return any(work is other for other in others)
