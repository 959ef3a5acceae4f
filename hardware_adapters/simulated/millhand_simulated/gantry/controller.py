"""The gantry's controller: a process that moves the axes and listens to one master.

Lines of JSON over TCP. A connection that says ``{"do": "master"}`` commands the gantry; it gets a
line with the state every cycle, and must be heard at least every ``WATCHDOG_S``, or the gantry
halts. Any connection may say ``{"do": "stop"}`` or ``{"do": "look"}`` and gets one line.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Any

from millhand.contracts import SkillStatus
from millhand_simulated.gantry.machine import Gantry
from millhand_simulated.gantry.skills import GoalRefused

CYCLE_S = 0.01
WATCHDOG_S = 0.3
TELL_EVERY = 2
"""Cycles between two lines of state to the master."""
LONGEST_LINE = 16_384


class Controller:
    """Moves one gantry in wall time and serves its connections."""

    def __init__(self) -> None:
        self.gantry = Gantry()
        self.port = 0
        self._master: asyncio.StreamWriter | None = None
        self._heard_at = 0.0

    async def serve(self, port: int, listening: asyncio.Event) -> None:
        """Serve on loopback until cancelled."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", port, limit=LONGEST_LINE)
        self.port = server.sockets[0].getsockname()[1]
        listening.set()
        async with server:
            await self._move()

    async def _move(self) -> None:
        last = time.monotonic()
        cycle = 0
        while True:
            await asyncio.sleep(CYCLE_S)
            now = time.monotonic()
            # A process that was frozen goes on where it was: time that nobody lived moves nothing.
            self._watch(now)
            self.gantry.advance(min(now - last, 5 * CYCLE_S))
            last = now
            cycle += 1
            if cycle % TELL_EVERY == 0 and self._master is not None:
                self._tell(self._master, self.state())

    def _watch(self, now: float) -> None:
        """Halt where the master is gone or silent."""
        silent = self._master is None or now - self._heard_at > WATCHDOG_S
        if silent and (self.gantry.busy or self.gantry.moving):
            self.gantry.halt(SkillStatus.STOPPED)

    def state(self) -> dict[str, Any]:
        """Return what the master is told each cycle."""
        gantry = self.gantry
        return {
            "number": gantry.number,
            "busy": gantry.busy,
            "moving": gantry.moving,
            "fraction": round(gantry.fraction, 4),
            "status": gantry.status,
            "across_mm": round(gantry.across_mm, 2),
            "down_mm": round(gantry.down_mm, 2),
            "gripping": gantry.gripping,
        }

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, ValueError):
                while line := await reader.readline():
                    self._hear(json.loads(line), writer)
                    await writer.drain()
        finally:
            if self._master is writer:
                self._master = None
            writer.transport.abort()

    def _hear(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        word = message.get("do")
        if word == "look":
            self._tell(writer, {**self.state(), "begun": self.gantry.begun})
        elif word == "stop":
            self.gantry.halt(SkillStatus.STOPPED)
            self._tell(writer, {"stopping": True})
        elif word == "master" and self._master is None:
            self._master = writer
            self._heard_at = time.monotonic()
        elif writer is self._master:
            self._heard_at = time.monotonic()
            self._obey(word, message, writer)
        else:
            self._tell(writer, {"error": "another master is connected"})

    def _obey(self, word: Any, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if word == "begin":
            answer: dict[str, Any] = {"answer": message["id"]}
            try:
                self.gantry.begin(message["skill"], message["goal"])
                answer["number"] = self.gantry.number
            except GoalRefused as refusal:
                answer["refused"] = str(refusal)
            self._tell(writer, answer)
        elif word == "cancel":
            self.gantry.halt(SkillStatus.CANCELLED)

    @staticmethod
    def _tell(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
        # A master that does not read is not waited for: the watchdog ends it.
        if writer.transport.get_write_buffer_size() < 4 * LONGEST_LINE:
            writer.write(json.dumps(message).encode() + b"\n")
