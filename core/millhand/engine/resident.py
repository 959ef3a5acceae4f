"""A worker process under care: killed when it hangs or grows, replaced by its spare, given up.

A budget bounds how often; a start that ends or takes too long is paid for like any other. When it
is spent, the agents are degraded: their parts get the disposition of an agent that failed, and
after the budget's window one more start is tried.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from millhand.contracts import Decision, Observation
from millhand.engine.restarts import RestartBudget, WorkerLimits
from millhand.errors import InternalError, MillhandError
from millhand.isolate.messages import AgentSpec, OpenedAgent, Rung
from millhand.isolate.process import Worker
from millhand.isolate.wire import WorkerLost
from millhand.messages import tr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = structlog.get_logger(__name__)

RAISES_IN_A_ROW = 3
"""So many exceptions one after the other, and the process is thought to be spoilt."""
_LOOK_S = 0.25
"""How often a worker's memory is looked at."""


class Care(Protocol):
    """Who is told what becomes of the agents."""

    def failed(self, agent: str, reason: str) -> None:
        """An agent has brought its worker down; it is started again."""

    def opened(self, agents: Sequence[OpenedAgent]) -> None:
        """The agents are ready, at first or again."""

    def rungs_changed(self, rungs: Sequence[Rung]) -> None:
        """Accelerators of an agent's ladder failed, or are back."""

    def degraded(self, agents: Sequence[str], reason: str) -> None:
        """The agents were given up for a while."""

    def restored(self, agents: Sequence[str]) -> None:
        """The agents are back after having been given up."""


Job = Callable[[Coroutine[Any, Any, None], str], object]
"""Starts a short activity: :meth:`millhand.engine.supervision.Supervisor.job`."""


class Resident:
    """Agents in a resident worker process, with a warm spare behind it.

    Args:
        name: the worker's name.
        agents: what lives in it.
        limits: memory, time and restarts.
        care: who is told of troubles.
        job: starts short activities that the engine supervises.
    """

    def __init__(
        self, name: str, agents: Sequence[AgentSpec], limits: WorkerLimits, care: Care, job: Job
    ) -> None:
        self.name = name
        self.degraded = False
        self._specs = tuple(agents)
        self._agents = tuple(spec.name for spec in agents)
        self._limits = limits
        self._care = care
        self._job = job
        self._budget = RestartBudget(limits.restarts, limits.within_s)
        self._worker: Worker | None = None
        self._spare: Worker | None = None
        self._replacing = asyncio.Lock()
        self._timed: Worker | None = None
        self._raised: dict[str, int] = defaultdict(int)
        self._retry: asyncio.TimerHandle | None = None
        self._stopped = False

    @property
    def alive(self) -> bool:
        """Whether the process can be asked."""
        return self._worker is not None and self._worker.alive

    @property
    def worker(self) -> Worker | None:
        """The process that decides; None while there is none."""
        return self._worker

    @property
    def spare(self) -> Worker | None:
        """The process in reserve, ready to decide; None while there is none."""
        return self._spare

    # --- life ---

    async def start(self) -> Sequence[OpenedAgent]:
        """Start the process, and its spare beside it; both are ready when this returns.

        Raises:
            PackageError, ConfigError, NotAllowed, WorkerLost: as :meth:`Worker.start`.
        """
        first = self._new_worker()
        spare = asyncio.create_task(self._make_spare()) if self._limits.spare else None
        try:
            opened = (await first.start(self._limits.ready_s)).agents
            self._worker = first
            if spare is not None:
                await spare
        except BaseException:
            if spare is not None:
                spare.cancel()
                await asyncio.wait([spare])
            await _end(first)
            raise
        return opened

    async def stop(self) -> None:
        """End the processes and free the shared memory."""
        self._stopped = True
        if self._retry is not None:
            self._retry.cancel()
        async with self._replacing:
            for worker in (self._worker, self._spare):
                if worker is not None:
                    await worker.stop()
                    worker.close()
            self._worker = self._spare = None

    def _new_worker(self) -> Worker:
        limits = self._limits
        worker = Worker(self.name, self._specs, memory=limits.memory, yields=limits.yields)
        worker.on_rungs = self._care.rungs_changed
        return worker

    async def _make_spare(self) -> None:
        if not self._wants_spare():
            return
        spare = self._new_worker()
        try:
            await spare.start(self._limits.ready_s)
        except MillhandError as error:
            log.warning("spare_not_started", worker=self.name, error=str(error))
            await _end(spare)
            return
        except BaseException:
            await _end(spare)
            raise
        if self._wants_spare():
            self._spare = spare
        else:
            await _end(spare)

    def _wants_spare(self) -> bool:
        return self._spare is None and not self._stopped

    # --- deciding ---

    async def decide(
        self,
        agent: str,
        observation: Observation,
        frames: Mapping[str, NDArray[np.uint8]],
        timeout_s: float,
    ) -> tuple[Decision, int]:
        """Have an observation decided.

        Raises:
            TimeoutError: it takes longer; where it goes on for too long, the worker is replaced.
            WorkerLost: the process is gone; it is being replaced, which is not waited for.
            MemoryFull: there is no memory for the pictures; the process is well.
            InternalError: the agent raised.
        """
        worker = self._worker
        if worker is None:
            raise WorkerLost(tr("Worker {name} is not running.", name=self.name))
        try:
            async with asyncio.timeout(min(timeout_s, self._limits.hang_s)):
                answer = await worker.decide(agent, observation, frames, timeout_s)
        except TimeoutError:
            if self._timed is not worker:
                self._timed = worker
                self._job(self._end_if_it_hangs(worker), f"{self.name}.hang")
            raise
        except WorkerLost as error:
            replacing = self._replace(worker, worker.deciding or agent, str(error))
            self._job(replacing, f"{self.name}.restart")
            raise
        except InternalError as error:
            self._note_raise(worker, agent, str(error))
            raise
        self._raised[agent] = 0
        return answer

    def _note_raise(self, worker: Worker, agent: str, reason: str) -> None:
        self._raised[agent] += 1
        if self._raised[agent] >= RAISES_IN_A_ROW:
            self._raised[agent] = 0
            self._job(self._replace(worker, agent, reason), f"{self.name}.restart")

    async def _end_if_it_hangs(self, worker: Worker) -> None:
        """Give the decision under way the rest of its time, then end the process."""
        try:
            while worker.alive and (culprit := worker.deciding) is not None:
                left_s = worker.deciding_since + self._limits.hang_s - monotonic()
                if left_s > 0:
                    await worker.idle(left_s)
                    continue
                text = tr("{agent} hangs.", agent=culprit)
                await self._replace(worker, culprit, text)
        finally:
            self._timed = None

    # --- watching ---

    async def watch(self) -> None:
        """Look after the process until it is stopped: that it lives, and what memory it takes."""
        while not self._stopped:
            worker = self._worker
            if worker is None:
                await asyncio.sleep(_LOOK_S)
                continue
            await worker.ended(_LOOK_S)
            if not worker.alive:
                reason = tr("Worker {name} ended.", name=self.name)
                await self._replace(worker, worker.last_agent, reason)
            elif (resident := worker.resident_bytes()) > self._limits.memory:
                reason = tr(
                    "It takes {resident} MB; {limit} MB are allowed.",
                    resident=resident // 1_000_000,
                    limit=self._limits.memory // 1_000_000,
                )
                await self._replace(worker, worker.last_agent, reason)

    # --- replacing ---

    async def _replace(self, worker: Worker, culprit: str, reason: str) -> None:
        """End a worker, whatever it does, and put its spare or a new one in its place."""
        async with self._replacing:
            if self._worker is not worker or self._stopped:
                return
            self._worker = None
            self._care.failed(culprit or self.name, reason)
            if not self._budget.spend():
                await _end(worker)
                await self._give_up(reason)
                return
            spare, self._spare = self._spare, None
            if spare is not None and spare.alive:
                self._worker = spare
                await _end(worker)
            else:
                if spare is not None:
                    await _end(spare)
                await _end(worker)
                await self._start_anew()
        if self._limits.spare and not self.degraded:
            self._job(self._make_spare(), f"{self.name}.spare")

    async def _start_anew(self) -> None:
        """Start another process; one that ends or is not ready in time costs a restart more."""
        while not self._stopped:
            try:
                await self._start_one()
            except WorkerLost as error:
                if not self._budget.spend():
                    await self._give_up(str(error))
                    return
                self._care.failed(self.name, str(error))
            except MillhandError as error:  # another start would end the same way
                await self._give_up(str(error))
                return
            else:
                return

    async def _start_one(self) -> None:
        worker = self._new_worker()
        try:
            opened = await worker.start(self._limits.ready_s)
        except BaseException:
            await _end(worker)
            raise
        self._worker = worker
        self._care.opened(opened.agents)

    async def _give_up(self, reason: str) -> None:
        self.degraded = True
        spare, self._spare = self._spare, None
        if spare is not None:
            await _end(spare)
        self._care.degraded(self._agents, reason)
        loop = asyncio.get_running_loop()
        self._retry = loop.call_later(self._limits.within_s, self._try_again)

    def _try_again(self) -> None:
        self._job(self._restore(), f"{self.name}.retry")

    async def _restore(self) -> None:
        async with self._replacing:
            if self._stopped or not self.degraded:
                return
            self.degraded = False
            await self._start_anew()
            if self.degraded:
                return
        self._care.restored(self._agents)
        if self._limits.spare:
            await self._make_spare()


async def _end(worker: Worker) -> None:
    try:
        await worker.stop(grace_s=0)
    finally:
        worker.close()
