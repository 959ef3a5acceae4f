"""Where an agent thinks: in its worker process, or, where it is light, inside the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Protocol

from millhand.contracts import Agent, Decision, Observation
from millhand.errors import InternalError
from millhand.isolate.messages import AgentSpec, OpenedAgent
from millhand.isolate.process import Worker, WorkerLost
from millhand.plugins.registrations import Registration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Thinker(Protocol):
    """Decides observations for one or more agents."""

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
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

    async def idle(self, timeout_s: float) -> bool:
        """Wait until nothing is being decided; False where that takes too long."""
        ...

    async def restart(self) -> Sequence[OpenedAgent]:
        """End what is there, whatever it does, and open anew."""
        ...

    async def stop(self) -> None:
        """End and free."""
        ...


class IsolatedThinker:
    """Agents in a resident worker process."""

    def __init__(self, name: str, agents: Sequence[AgentSpec]) -> None:
        self.worker = Worker(name, agents)

    @property
    def alive(self) -> bool:
        """Whether the process can be asked."""
        return self.worker.alive

    async def start(self) -> Sequence[OpenedAgent]:
        """Start the process; see :meth:`Worker.start`."""
        return (await self.worker.start()).agents

    async def decide(
        self,
        agent: str,
        observation: Observation,
        frames: Mapping[str, NDArray[np.uint8]],
        timeout_s: float,
    ) -> tuple[Decision, int]:
        """See :meth:`Worker.decide`."""
        async with asyncio.timeout(timeout_s):
            return await self.worker.decide(agent, observation, frames)

    async def idle(self, timeout_s: float) -> bool:
        """Wait until nothing is being decided; False where that takes too long."""
        return await self.worker.idle(timeout_s)

    async def restart(self) -> Sequence[OpenedAgent]:
        """Kill the process, whatever it does, and start it again."""
        await self.worker.stop(grace_s=0)
        return await self.start()

    async def stop(self) -> None:
        """End the process and free the shared memory."""
        await self.worker.stop()
        self.worker.close()


class LightThinker:
    """One light agent inside the engine: no model, microseconds of pure Python."""

    def __init__(self, spec: AgentSpec) -> None:
        self._spec = spec
        self._agent: Agent | None = None

    @property
    def alive(self) -> bool:
        """Whether the agent is built."""
        return self._agent is not None

    async def start(self) -> Sequence[OpenedAgent]:
        """Build the agent."""
        agent_class = Registration(self._spec.name, self._spec.target, "").load()
        self._agent = agent_class(agent_class.Config.model_validate(self._spec.config))
        return [OpenedAgent(name=self._spec.name, needs=self._agent.needs())]

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
        except Exception as error:
            raise InternalError(f"{agent}: {type(error).__name__}: {error}") from error
        if not isinstance(decision, Decision):
            raise InternalError(f"{agent}: decide returned {type(decision).__name__}")
        return decision, perf_counter_ns() - started

    async def idle(self, timeout_s: float) -> bool:  # noqa: ARG002  it decides at once
        """Nothing is ever under way between two calls."""
        return True

    async def restart(self) -> Sequence[OpenedAgent]:
        """Build the agent anew."""
        return await self.start()

    async def stop(self) -> None:
        """Forget the agent."""
        self._agent = None
