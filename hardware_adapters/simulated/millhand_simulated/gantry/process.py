"""A controller of our own, where a scenario names none: started, and never left behind."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

from millhand.errors import Unavailable
from millhand.messages import tr

_START_S, _STOP_S = 30.0, 3.0


class ControllerProcess:
    """Runs ``python -m millhand_simulated.gantry``, which ends when we do: it watches its input."""

    def __init__(self) -> None:
        self._process: Process | None = None

    async def start(self) -> int:
        """Start it and return its port.

        Raises:
            Unavailable: it did not listen in time.
        """
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "millhand_simulated.gantry"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_START_S):
                line = await self._process.stdout.readline()
            return int(json.loads(line)["ready"])
        except (TimeoutError, ValueError) as error:
            await self.end()
            raise Unavailable(tr("The simulated gantry did not start.")) from error
        except BaseException:
            await self.end()
            raise

    async def end(self) -> None:
        """End it, by force where it does not end by itself; works even when cancelled."""
        process, self._process = self._process, None
        if process is not None:
            await asyncio.shield(_end(process))


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
