"""``python -m millhand_simulated.gantry [PORT]``: run the gantry's controller by itself.

It prints ``{"ready": PORT}`` when it listens, and ends when its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys

from millhand_simulated.gantry.controller import Controller


async def main(port: int) -> None:
    """Serve until standard input ends."""
    controller, listening = Controller(), asyncio.Event()
    serving = asyncio.create_task(controller.serve(port, listening))
    ready = asyncio.create_task(listening.wait())
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if serving.done():
        serving.result()
    sys.stdout.write(json.dumps({"ready": controller.port}) + "\n")
    sys.stdout.flush()
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin
    )
    while await stdin.read(1024):
        pass
    serving.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
