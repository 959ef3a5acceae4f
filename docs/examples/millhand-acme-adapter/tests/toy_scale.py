"""A scale that listens on a free port of this machine, and does as it is told.

By itself, ``python toy_scale.py PORT`` serves and speaks the lines of
:class:`millhand.testing.PeerProcess`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any


class ToyScale:
    """Answers SI and TA. What is on it, and how it behaves, the test says."""

    def __init__(self) -> None:
        self.weight = "S S     500.00 g"
        self.tare = 0.0
        self.silent = False
        self.heard: list[str] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def connections(self) -> int:
        return len(self._writers)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go away, as if somebody had pulled the plug."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                self.heard.append(line.decode().strip())
                if not self.silent:
                    writer.write(f"{self._answer(self.heard[-1])}\r\n".encode())
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, line: str) -> str:
        match line.split():
            case ["SI"]:
                return self.weight
            case ["TA"]:
                return f"TA A {self.tare:.2f} g"
            case ["TA", value, "g"] if float(value) <= 5000:
                self.tare = float(value)
                return f"TA A {self.tare:.2f} g"
            case ["TA", *_]:
                return "TA L"
            case _:
                return "ES"


def obey(scale: ToyScale, question: dict[str, Any]) -> Any:
    """Do what the bench of the conformance kit asks."""
    if question["do"] == "written":
        return [float(line.split()[1]) for line in scale.heard if line.startswith("TA ")]
    if question["do"] == "forget":
        scale.heard.clear()
    elif question["tag"] == "tare":
        scale.tare = question["value"]
    else:
        letter = {"good": "S", "uncertain": "D", "bad": "I"}[question["quality"]]
        value = "" if letter == "I" else f" {question['value']:.2f} g"
        scale.weight = f"S {letter}{value}"
    return True


async def main(port: int) -> None:
    """Serve until standard input ends."""
    scale = ToyScale()
    scale.port = port
    await scale.start()
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin
    )
    print(json.dumps({"ready": scale.port}), flush=True)
    while line := await stdin.readline():
        print(json.dumps([obey(scale, json.loads(line))]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
