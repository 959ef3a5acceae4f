"""The line to the gantry's controller: kept up by itself, with a beat that it would miss."""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import suppress
from typing import Any

import structlog

from millhand.contracts import ConnectionFault, Health, Link
from millhand.errors import Unavailable
from millhand.messages import tr
from millhand_simulated.gantry.controller import LONGEST_LINE

log = structlog.get_logger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_BEAT_S = 0.1


class GantryLink:
    """One session after the other with the controller. ``state`` is the newest line it sent."""

    def __init__(self, name: str, host: str, port: int, timeout_s: float) -> None:
        self.health = Health(link=Link.CONNECTING, since_monotonic_ns=time.monotonic_ns())
        self.state: dict[str, Any] = {}
        self.changed = asyncio.Condition()
        """Notified at each line of state and at each change of the link."""
        self._name = name
        self._where = (host, port)
        self._timeout_s = timeout_s
        self._writer: asyncio.StreamWriter | None = None
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to connect; whether it is up, ``health`` says."""
        self._task = asyncio.create_task(self._keep_up(), name=f"gantry {self._name}")

    async def close(self) -> None:
        """End the session and the task; the controller halts what it was doing."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def begin(self, skill: str, goal: dict[str, Any]) -> dict[str, Any]:
        """Ask for a skill and return the controller's answer.

        Raises:
            Unavailable: there is no link; nothing was sent.
            OSError: it was sent, and no answer came.
        """
        if self._writer is None:
            raise Unavailable(self.health.words or tr("not connected"))
        self._asked += 1
        number = self._asked
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self._say({"do": "begin", "id": number, "skill": skill, "goal": goal})
        try:
            async with asyncio.timeout(self._timeout_s):
                return await answer
        finally:
            del self._answers[number]

    def cancel(self) -> None:
        """Ask for an orderly end, if there is a link."""
        self._say({"do": "cancel"})

    async def stop(self) -> None:
        """Halt on a connection of its own, so that it queues behind nothing; never raises."""
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await asyncio.open_connection(*self._where, limit=LONGEST_LINE)
                try:
                    writer.write(b'{"do": "stop"}\n')
                    await writer.drain()
                    await reader.readline()
                finally:
                    writer.transport.abort()
        except (OSError, TimeoutError, ValueError) as error:
            log.warning("stop has no answer", device=self._name, why=str(error) or "no answer")
            # Not heard any more, the controller halts by itself.
            if self._writer is not None:
                self._writer.transport.abort()

    def _say(self, message: dict[str, Any]) -> None:
        if self._writer is not None:
            self._writer.write(json.dumps(message).encode() + b"\n")

    async def _keep_up(self) -> None:
        pause_s = _FIRST_PAUSE_S
        try:
            while True:
                try:
                    async with asyncio.timeout(self._timeout_s):
                        reader, writer = await asyncio.open_connection(
                            *self._where, limit=LONGEST_LINE
                        )
                except (OSError, TimeoutError) as error:
                    await self._tell(Link.DOWN, str(error) or tr("no answer"))
                else:
                    try:
                        pause_s = await self._hold(reader, writer, pause_s)
                    finally:
                        writer.transport.abort()
                await asyncio.sleep(random.uniform(0.5, 1.0) * pause_s)  # noqa: S311  jitter
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        finally:
            self._lose()
            self.health = Health(
                link=Link.DOWN, epoch=self.health.epoch, detail=tr("closed"),
                since_monotonic_ns=time.monotonic_ns(),
            )  # fmt: skip

    async def _hold(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause_s: float
    ) -> float:
        """Hold one session to its end; return the pause before the next."""
        writer.write(b'{"do": "master"}\n')
        beat = asyncio.create_task(_beat(writer), name=f"gantry beat {self._name}")
        why = tr("the controller closed the connection")
        try:
            async with asyncio.timeout(self._timeout_s) as patience:
                while line := await reader.readline():
                    patience.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
                    self._writer = writer
                    pause_s = _FIRST_PAUSE_S
                    await self._heard(json.loads(line))
        except TimeoutError:
            why = tr("no answer within {seconds} s", seconds=self._timeout_s)
        except (OSError, ValueError) as error:
            why = str(error) or type(error).__name__
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
            self._lose()
        await self._tell(Link.DOWN, why)
        return pause_s

    async def _heard(self, message: dict[str, Any]) -> None:
        if "answer" in message:
            answer = self._answers.get(message["answer"])
            if answer is not None and not answer.done():
                answer.set_result(message)
            return
        if "number" in message:
            self.state = message
            await self._tell(Link.UP)
        elif "error" in message:
            await self._tell(Link.REFUSED, message["error"])

    def _lose(self) -> None:
        self._writer = None
        self.state = {}
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError(tr("the link was lost")))

    async def _tell(self, link: Link, detail: str = "") -> None:
        if link is not self.health.link:
            log.info("link changed", device=self._name, link=link.value, detail=detail)
            up = link is Link.UP
            fault = (
                ConnectionFault.CONFIGURATION if link is Link.REFUSED else ConnectionFault.NETWORK
            )
            host, port = self._where
            mend = tr("Check that the gantry's controller runs at {host}:{port}, and that it has "
                      "no other master.", host=host, port=port)  # fmt: skip
            self.health = Health(
                link=link,
                epoch=self.health.epoch + up,
                detail=detail,
                since_monotonic_ns=time.monotonic_ns(),
                fault=None if up else fault,
                mend="" if up else mend,
            )
        async with self.changed:
            self.changed.notify_all()


async def _beat(writer: asyncio.StreamWriter) -> None:
    """Let the controller hear us, so that it halts when it no longer does."""
    with suppress(OSError):
        while True:
            await asyncio.sleep(_BEAT_S)
            writer.write(b'{"do": "beat"}\n')
            await writer.drain()
