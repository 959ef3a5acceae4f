"""How often something may be started again before it is given up for a while."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What the scenario says under ``workers``. Times in seconds, memory in bytes."""

    memory: int = 2_000_000_000
    hang_s: float = 5.0
    spare: bool = True
    restarts: int = 5
    within_s: float = 600.0
    ready_s: float = 60.0
    """A process that is not ready to decide after so long is ended and counts as a restart."""
    yields: bool = False
    """Whether it gives way to other processes where there is not enough processor for all."""


class RestartBudget:
    """Counts restarts over a window of time (the restart intensity of OTP supervisors)."""

    def __init__(
        self, at_most: int, within_s: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._at_most = at_most
        self._within_s = within_s
        self._clock = clock
        self._spent: deque[float] = deque(maxlen=max(1, at_most))

    def spend(self) -> bool:
        """Take one restart; False where the budget holds none."""
        now = self._clock()
        if self._at_most == 0:
            return False
        if len(self._spent) == self._at_most and now - self._spent[0] < self._within_s:
            return False
        self._spent.append(now)
        return True
