"""What becomes known of agents that fail, are started again, or are given up: alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millhand.engine.cell import Cell
from millhand.engine.runner import AgentRunner
from millhand.isolate.messages import OpenedAgent, Rung
from millhand.messages import tr


class AgentCare:
    """Raises the alarms of one cell's agents, and tells the runners what was opened anew."""

    def __init__(self, cell: Cell, runners: Mapping[str, AgentRunner]) -> None:
        self._cell = cell
        self._runners = runners

    def failed(self, agent: str, reason: str) -> None:
        """See :class:`~millhand.engine.resident.Care`."""
        self._cell.alarms.raise_("agent_failed", agent, reason)

    def opened(self, agents: Sequence[OpenedAgent]) -> None:
        """See :class:`~millhand.engine.resident.Care`."""
        for agent in agents:
            if agent.name in self._runners:
                self._runners[agent.name].opened(agent)

    def rungs_changed(self, rungs: Sequence[Rung]) -> None:
        """See :class:`~millhand.engine.resident.Care`."""
        for rung in rungs:
            source = f"{rung.agent}.{rung.accelerator}"
            if rung.up:
                self._cell.alarms.clear("accelerator_failed", source)
            else:
                self._cell.alarms.raise_("accelerator_failed", source, rung.text)

    def degraded(self, agents: Sequence[str], reason: str) -> None:
        """See :class:`~millhand.engine.resident.Care`."""
        for agent in agents:
            text = tr("{agent} was given up: {reason}", agent=agent, reason=reason)
            self._cell.alarms.raise_("agent_degraded", agent, text)

    def restored(self, agents: Sequence[str]) -> None:
        """See :class:`~millhand.engine.resident.Care`."""
        for agent in agents:
            self._cell.alarms.clear("agent_degraded", agent)
