"""Alarms: raised once while a condition lasts, cleared when it is over, never silent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from millhand.journal.records import Alarm, AlarmState

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ActiveAlarm:
    """An alarm that stands, and how often its condition was met."""

    alarm: Alarm
    count: int = 1


class Alarms:
    """Keeps what stands; hands each change to ``record`` (which journals it)."""

    def __init__(self, record: Callable[[Alarm], None]) -> None:
        self._record = record
        self._active: dict[tuple[str, str], ActiveAlarm] = {}

    def raise_(self, name: str, source: str, text: str, *, decision: str = "") -> None:
        """Raise an alarm, or count it once more while it stands."""
        standing = self._active.get((name, source))
        if standing is not None:
            standing.count += 1
            return
        alarm = Alarm(
            name=name, source=source, state=AlarmState.ACTIVE, text=text, decision=decision
        )
        self._active[name, source] = ActiveAlarm(alarm)
        log.warning("alarm", alarm=name, source=source, text=text)
        self._record(alarm)

    def clear(self, name: str, source: str) -> None:
        """Clear an alarm; nothing happens where it does not stand."""
        standing = self._active.pop((name, source), None)
        if standing is None:
            return
        alarm = standing.alarm
        log.info("alarm_cleared", alarm=name, source=source, count=standing.count)
        self._record(Alarm(name=name, source=source, state=AlarmState.CLEARED, text=alarm.text))

    @property
    def active(self) -> list[ActiveAlarm]:
        """What stands, oldest first."""
        return list(self._active.values())
