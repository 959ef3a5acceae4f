"""Live modes of the agents: journalled facts, never above what the files allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millhand.contracts import Mode
from millhand.errors import ConfigError, NotAllowed
from millhand.journal.records import ModeChange
from millhand.messages import tr


class Modes:
    """Keeps each agent's mode. Whoever changes one is recorded.

    Args:
        allowed: the scenario's ``max_mode`` of each agent.
        record: journals a change.
    """

    def __init__(self, allowed: Mapping[str, Mode], record: Callable[[ModeChange], None]) -> None:
        self._allowed = dict(allowed)
        self._record = record
        self._now: dict[str, Mode] = {}

    def __getitem__(self, agent: str) -> Mode:
        return self._now.get(agent, Mode.SHADOW.at_most(self._allowed[agent]))

    def restore(self, agent: str, journalled: Mode | None) -> None:
        """Take up the mode of the last run, as far as the files still allow it."""
        if journalled is not None:
            self._now[agent] = journalled.at_most(self._allowed[agent])

    def change(self, agent: str, mode: Mode, *, by: str, reason: str = "") -> None:
        """Change a mode.

        Raises:
            ConfigError: there is no such agent.
            NotAllowed: the scenario's ``max_mode`` is lower.
        """
        if agent not in self._allowed:
            raise ConfigError(
                tr("There is no agent {agent}.", agent=agent),
                mend=tr("The scenario has {agents}.", agents=", ".join(sorted(self._allowed))),
            )
        if mode.rank > self._allowed[agent].rank:
            raise NotAllowed(
                tr(
                    "{agent} may not go above {limit}.",
                    agent=agent,
                    limit=self._allowed[agent].value,
                ),
                mend=tr("Raise max_mode in the scenario's file and start again."),
            )
        before = self[agent]
        self._now[agent] = mode
        self._record(ModeChange(agent=agent, before=before, now=mode, by=by, reason=reason))

    def all(self) -> dict[str, Mode]:
        """Mode by agent."""
        return {agent: self[agent] for agent in self._allowed}
