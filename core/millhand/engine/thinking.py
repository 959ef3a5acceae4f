"""Where an agent thinks: in its worker process, or, where it is light, inside the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import TYPE_CHECKING, Protocol

from millhand.contracts import Agent, Decision, Observation
from millhand.engine.resident import RAISES_IN_A_ROW, Care
from millhand.engine.restarts import RestartBudget, WorkerLimits
from millhand.errors import InternalError
from millhand.isolate.messages import AgentSpec, OpenedAgent
from millhand.isolate.wire import WorkerLost
from millhand.plugins.paths import based_on
from millhand.plugins.registrations import Registration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Thinker(Protocol):
    """Decides observations for one or more agents: a :class:`Resident`, or a light agent here."""

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        ...

    @property
    def degraded(self) -> bool:
        """Whether its agents were given up for a while."""
        ...

    async def start(self) -> Sequence[OpenedAgent]:
        """Open the agents and their models."""
        ...

    async def decide(
        self,
        agent: str,
        observation: Observation,
        frames: Mapping[str, NDArray[np.uint8]],
        timeout_s: float,
    ) -> tuple[Decision, int]:
        """Return the decision and the nanoseconds inside ``decide``.

        Raises:
            TimeoutError: it takes longer; the worker may still be busy afterwards.
            WorkerLost: the process is gone.
            InternalError: the agent raised.
        """
        ...

    async def stop(self) -> None:
        """End and free."""
        ...


class LightThinker:
    """One light agent inside the engine: no model, microseconds of pure Python.

    One that raises again and again is built anew within its budget of restarts, then given up.
    """

    def __init__(self, spec: AgentSpec, limits: WorkerLimits, care: Care) -> None:
        self.spec = spec
        self.degraded = False
        self._care = care
        self._budget = RestartBudget(limits.restarts, limits.within_s)
        self._agent: Agent | None = None
        self._raised = 0

    @property
    def alive(self) -> bool:
        """Whether the agent is built."""
        return self._agent is not None

    async def start(self) -> Sequence[OpenedAgent]:
        """Build the agent."""
        return [OpenedAgent(name=self.spec.name, needs=self._build().needs())]

    def _build(self) -> Agent:
        agent_class = Registration(self.spec.name, self.spec.target, "").load()
        config = agent_class.Config.model_validate(self.spec.config)
        agent: Agent = agent_class(based_on(config, Path(self.spec.folder)))
        self._agent = agent
        return agent

    async def decide(
        self,
        agent: str,
        observation: Observation,
        frames: Mapping[str, NDArray[np.uint8]],
        timeout_s: float,
    ) -> tuple[Decision, int]:
        """Call the agent here and now; its frames carry their pixels already."""
        del frames, timeout_s  # nothing could interrupt it; the guard refuses what is late
        return self.decide_now(agent, observation)

    def decide_now(self, agent: str, observation: Observation) -> tuple[Decision, int]:
        """See :meth:`decide`."""
        if self._agent is None:
            raise WorkerLost(agent)
        started = perf_counter_ns()
        try:
            decision = self._agent.decide(observation, {})
            if not isinstance(decision, Decision):
                raise TypeError(f"decide returned {type(decision).__name__}")  # noqa: TRY301
        except Exception as error:
            text = f"{agent}: {type(error).__name__}: {error}"
            self._note_raise(agent, text)
            raise InternalError(text) from error
        self._raised = 0
        return decision, perf_counter_ns() - started

    def _note_raise(self, agent: str, reason: str) -> None:
        self._raised += 1
        if self._raised < RAISES_IN_A_ROW:
            return
        self._raised = 0
        self._care.failed(agent, reason)
        if self._budget.spend():
            self._build()
        else:
            self.degraded = True
            self._care.degraded([agent], reason)

    async def stop(self) -> None:
        """Forget the agent."""
        self._agent = None
