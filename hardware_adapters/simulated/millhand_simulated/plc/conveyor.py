"""The mechanics around the PLC: parts on a conveyor, a gate, and a person at the buttons."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from millhand_simulated.plc.config import CellConfig
from millhand_simulated.plc.line import LinePart, LinePlan
from millhand_simulated.plc.logic import Outputs
from millhand_simulated.plc.packml import State, Way


@dataclass(frozen=True, slots=True)
class Sensors:
    """What the cell's sensors tell the PLC in one scan."""

    arriving: LinePart | None = None
    """The part that comes before the camera in this scan."""
    at_gate: bool = False
    gate_seen: Way = Way.NONE


@dataclass(slots=True)
class _Travelling:
    part: LinePart
    entered: int


class Conveyor:
    """Parts at constant speed. Time is the ticks in which the belt really moved."""

    def __init__(self, config: CellConfig) -> None:
        self._plan = LinePlan(config)
        self._takt = config.takt_ticks
        self._to_gate = config.camera_to_gate_ticks
        self._to_sensor = config.camera_to_gate_ticks + config.gate_sensor_ticks
        self._belt: deque[_Travelling] = deque()
        self._moved = 0
        self._next_feed = 0
        self._fed = 0
        self._again: LinePart | None = None

    @property
    def fed(self) -> int:
        """Parts of the plan that have been put on the belt."""
        return self._fed

    @property
    def finished(self) -> bool:
        """Whether all parts have come and have left."""
        return self._fed == len(self._plan) and not self._belt and self._again is None

    def step(
        self, before: Outputs | None, *, feed: bool, duplicate: bool, stuck: bool, astray: bool
    ) -> Sensors:
        """Move on by one tick under what the PLC put out in the scan before.

        Args:
            before: outputs of the scan before.
            feed: whether new parts may come.
            duplicate: a part that comes now will come once more.
            stuck: the gate's sensors see nothing.
            astray: the gate lets a part take another way than it points.
        """
        if before is None:
            return Sensors()
        if before.purged:
            self._belt.clear()
        if not before.conveyor:
            return Sensors()
        self._moved += 1
        arriving = self._feed(duplicate=duplicate) if feed else None
        at_gate = any(self._moved - t.entered == self._to_gate for t in self._belt)
        seen = Way.NONE
        if self._belt and self._moved - self._belt[0].entered == self._to_sensor:
            self._belt.popleft()
            seen = before.gate_way
            if astray:
                seen = Way.DIVERT if seen is Way.PASS else Way.PASS
        return Sensors(arriving, at_gate, Way.NONE if stuck else seen)

    def _feed(self, *, duplicate: bool) -> LinePart | None:
        if self._moved < self._next_feed:
            return None
        if self._again is not None:
            part, self._again = self._again, None
        elif self._fed < len(self._plan):
            self._fed += 1
            part = self._plan.part(self._fed)
            self._again = part if duplicate else None
        else:
            return None
        self._next_feed = self._moved + self._takt
        self._belt.append(_Travelling(part, self._moved))
        return part


class Operator:
    """Presses Start and Reset some time after the cell came to stand."""

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self._standing = 0

    def step(self, before: Outputs | None, *, away: bool) -> tuple[bool, bool]:
        """Return whether Start and Reset are pressed in this scan; ``away`` presses nothing."""
        standing = before is not None and before.state in (
            State.STOPPED,
            State.HELD,
            State.ABORTED,
        )
        self._standing = self._standing + 1 if standing and not away else 0
        if before is None or self._patience is None or self._standing != self._patience:
            return False, False
        self._standing = 0
        aborted = before.state is State.ABORTED
        return not aborted, aborted
