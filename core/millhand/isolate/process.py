"""The engine's handle on a worker process."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import structlog
from msgspec import Raw

from millhand.contracts import Decision, Observation
from millhand.contracts.codec import to_msgpack
from millhand.errors import InternalError, MillhandError
from millhand.isolate.child import Child, error_from
from millhand.isolate.frames import (
    create_region,
    end_of,
    place_documents,
    place_frames,
    warm_up,
)
from millhand.isolate.messages import (
    AgentSpec,
    Decide,
    Decided,
    Failed,
    FromWorker,
    Open,
    Opened,
    Rung,
    decode_from_worker,
)
from millhand.isolate.wire import WorkerLost
from millhand.messages import tr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = structlog.get_logger(__name__)

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Worker:
    """One resident worker process with its agents and their models.

    One observation is decided at a time; a caller that is cancelled while waiting does not
    disturb the next one, because answers are matched by number.

    Args:
        name: for logs and alarms.
        agents: what to build in it.
        loopback: connect over loopback TCP with a one-time token instead of a socket pair
            (the only way on Windows).
        named_memory: share frames by a named block instead of a ``memfd``.
        memory: most bytes that it should take. Twice as many cannot be had at all where the
            system has such limits; between the two, whoever watches it ends it.
        yields: give way to processes that do not, where there is not enough processor for all.
    """

    def __init__(
        self,
        name: str,
        agents: Sequence[AgentSpec],
        *,
        loopback: bool = not hasattr(socket, "AF_UNIX"),
        named_memory: bool | None = None,
        memory: int | None = None,
        yields: bool = False,
    ) -> None:
        self.name = name
        self._agents = tuple(agents)
        self._loopback = loopback
        self._region = (
            create_region() if named_memory is None else create_region(named=named_memory)
        )
        self._child: Child[FromWorker] | None = None
        self._turn = asyncio.Lock()
        self._number = 0
        self._memory = memory
        self._yields = yields
        self.on_rungs: Callable[[Sequence[Rung]], None] = _log_rungs
        """Told when an accelerator of a ladder fails or is back."""
        self.last_agent = agents[-1].name if agents else name
        """Who was asked last, or else who was opened last: the first to be suspected."""
        self.deciding_since = 0.0
        """Monotonic seconds at which it was asked."""

    @property
    def deciding(self) -> str | None:
        """The agent that owes an answer."""
        owes = self._child is not None and self._child.wire.owes
        return self.last_agent if owes else None

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return None if self._child is None else self._child.process.pid

    @property
    def alive(self) -> bool:
        """Whether the process can be asked."""
        return self._child is not None and not self._child.wire.lost.done()

    def resident_bytes(self) -> int:
        """Memory that the process takes now; 0 where the system does not tell."""
        if self._child is None:
            return 0
        try:
            pages = Path(f"/proc/{self._child.process.pid}/statm").read_text("ascii").split()[1]
        except OSError:
            return 0
        return int(pages) * _PAGE_BYTES

    async def ended(self, timeout_s: float) -> None:
        """Return when the process has ended, or after ``timeout_s``."""
        if self._child is not None:
            await asyncio.wait([self._child.wire.lost], timeout=timeout_s)

    async def start(self, timeout_s: float = 60.0) -> Opened:
        """Start the process and return when all its agents are ready to decide.

        Raises:
            PackageError, ConfigError, NotAllowed: an agent could not be opened.
            WorkerLost: the process ended by itself or was not ready in time.
        """
        child = self._child = await Child.start(
            self.name,
            "millhand.isolate.worker",
            self._region,
            str(self._memory or 0),
            decode=decode_from_worker,
            loopback=self._loopback,
            yields=self._yields,
        )
        try:
            message = await child.opened(Open(agents=self._agents), timeout_s)
        except MillhandError:
            await self.stop(grace_s=1)
            raise
        if not isinstance(message, Opened):
            await self.stop(grace_s=1)
            raise InternalError(f"worker {self.name} opened with {type(message).__name__}")
        if any(agent.needs.frames for agent in message.agents):
            await asyncio.to_thread(warm_up)
        return message

    async def decide(
        self,
        agent: str,
        observation: Observation,
        frames: Mapping[str, NDArray[np.uint8]],
        left_s: float | None = None,
    ) -> tuple[Decision, int]:
        """Have one observation decided; returns the decision and nanoseconds inside ``decide``.

        ``left_s`` tells the agent's models how much time there is until the deadline.

        Raises:
            WorkerLost: the process is gone, or went while deciding.
            MemoryFull: there is no memory for the frames or documents; nothing was asked.
            InternalError: the agent raised.
        """
        async with self._turn:
            if self._child is None or self._child.wire.lost.done():
                raise WorkerLost(tr("Worker {name} is not running.", name=self.name))
            wire = self._child.wire
            await wire.idle()
            if wire.lost.done():
                raise WorkerLost(tr("Worker {name} ended.", name=self.name))
            documents: dict[str, bytes] = {}
            if observation.documents:
                documents = await asyncio.to_thread(_contents, observation)
            self._number += 1
            slots = place_frames(self._region, dict(frames))
            message = Decide(
                number=self._number,
                agent=agent,
                observation=Raw(to_msgpack(observation)),
                frames=slots,
                documents=place_documents(self._region, documents, after=end_of(slots)),
                region_size=self._region.size,
                left_s=left_s,
            )
            answer = wire.expect(self._number)
            self.last_agent, self.deciding_since = agent, monotonic()
            wire.send(message)
            reply = await asyncio.shield(answer)
        if isinstance(reply, Decided | Failed) and reply.rungs:
            self.on_rungs(reply.rungs)
        if isinstance(reply, Decided):
            return reply.decision, reply.decide_ns
        if isinstance(reply, Failed):
            raise error_from(reply)
        raise InternalError(f"worker {self.name} answered with {type(reply).__name__}")

    async def idle(self, timeout_s: float) -> bool:
        """Wait until no answer is owed any more; False after ``timeout_s``."""
        if self._child is None:
            return True
        try:
            async with asyncio.timeout(timeout_s):
                await self._child.wire.idle()
        except TimeoutError:
            return False
        return True

    async def stop(self, grace_s: float = 2.0) -> None:
        """End the process: ask, wait for at most ``grace_s``, then kill. Safe to call twice."""
        child, self._child = self._child, None
        if child is not None:
            await child.end(grace_s)

    def close(self) -> None:
        """Free the shared memory. Call after the last :meth:`stop`."""
        self._region.close()


def _contents(observation: Observation) -> dict[str, bytes]:
    """Return the documents' bytes by role, read where they are not yet at hand."""
    return {role: document.content for role, document in observation.documents.items()}


def _log_rungs(rungs: Sequence[Rung]) -> None:
    for rung in rungs:
        log.info("accelerator_changed", agent=rung.agent, rung=rung.accelerator, up=rung.up)
