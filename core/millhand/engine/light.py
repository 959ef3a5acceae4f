"""A light agent that is not light: it decides inside the engine, and holds it up."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from millhand.engine.alarms import Alarms
from millhand.engine.restarts import RestartBudget
from millhand.messages import tr

log = structlog.get_logger(__name__)

LIGHT_NS = 100_000_000
"""How long a light agent may hold up the engine, now and then."""
MUCH_TOO_LONG_NS = 500_000_000
"""After so long it is moved into a worker at once."""
_OVERRUNS, _WITHIN_S = 3, 60.0


class LightWatch:
    """Sees to it that a light agent which blocks the loop does not do so for long."""

    def __init__(self, alarms: Alarms, agent: str) -> None:
        self.expel: Callable[[str], None] = _nowhere
        """Moves the agent out of the engine; set by whoever can."""
        self._alarms = alarms
        self._agent = agent
        self._overruns = RestartBudget(_OVERRUNS, _WITHIN_S)

    def note(self, decide_ns: int) -> None:
        """Note how long it held up the loop."""
        if decide_ns < LIGHT_NS:
            return
        text = tr(
            "{agent} held up the engine for {ms:.0f} ms.", agent=self._agent, ms=decide_ns / 1e6
        )
        self._alarms.raise_("loop_blocked", self._agent, text)
        if decide_ns >= MUCH_TOO_LONG_NS or not self._overruns.spend():
            self.expel(self._agent)


def _nowhere(agent: str) -> None:
    log.warning("light_agent_stays", agent=agent)
