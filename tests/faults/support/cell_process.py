"""A cell to be attacked: the simulated PLC in its process, the engine in another, their books."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from millhand.contracts import Answer, AnswerCode, PartTrigger
from millhand.journal.journal import Journal
from millhand.journal.records import Gate, Intent, Outcome
from millhand_simulated.plant import ConveyorCell, ConveyorCellConfig

SUPPORT = Path(__file__).parent
AGENTS = Path(__file__).parents[3] / "core" / "tests" / "support"
CELL = """
millhand: 1
name: cell
devices:
  plc:
    adapter: opcua
    url: {url}
    namespace: urn:millhand:simulated
    request_timeout_s: {request_timeout_s}
    tags:
      state: {{node: s=Cell.PackML.State, type: int32}}
    triggers:
      trigger: {{record: s=Cell.Trigger, every: 5 ms}}
    channels:
      result: {{record: s=Cell.Command, answers: s=Cell.Answers, confirm: echo, default: reject}}
    lease: {{record: s=Cell.Lease, every: 60 ms}}
    machine: {{record: s=Cell.Machine}}
agents:
  inspector:
    use: test.{agent}
    max_mode: control
    when: plc.trigger
    may: {{disposition: plc.result}}
    deadline: 250 ms
    light: {light}
{more}
"""
LINE: dict[str, Any] = {
    "parts": 900_000,
    "takt_ticks": 5,
    "camera_to_gate_ticks": 52,
    "gate_sensor_ticks": 2,
    "gate_timeout_ticks": 8,
    "operator_ticks": 10,
}
"""Twenty parts a second, ten of them between camera and gate; half a second from one to the other,
so that a part is at the gate well after its deadline."""


def plc(folder: Path, **options: Any) -> ConveyorCell:
    """The simulated PLC in its own process, which logs every answer it gives."""
    folder.mkdir(parents=True, exist_ok=True)
    config = ConveyorCellConfig(**{**LINE, "log": folder.resolve() / "answers", **options})
    return ConveyorCell(config, folder)


def answers(folder: Path) -> list[Answer]:
    """Read every answer that the PLC has given."""
    decode = msgspec.json.Decoder(Answer).decode
    return [decode(line) for line in (folder / "answers").read_bytes().splitlines()]


def write_scenario(
    folder: Path,
    url: str,
    *,
    agent: str = "alternates",
    light: bool = True,
    request_timeout_s: float = 1.0,
    more: str = "",
) -> None:
    """Write the cell's scenario into its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = CELL.format(
        url=url,
        agent=agent,
        light=str(light).lower(),
        more=more,
        request_timeout_s=request_timeout_s,
    )
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")


class CellEngine:
    """Starts engines one after the other, each to be killed, frozen or stopped."""

    def __init__(self, folder: Path, *, preload: Path | None = None) -> None:
        self.folder = folder
        self.acknowledged: dict[int, str] = {}
        """Hash by number of every entry that an engine said was durable."""
        self.pid = 0
        self.ended: list[int] = []
        """Exit codes of the engines that have ended."""
        self._up = False
        self._frozen = 0
        self._preload = preload
        self._parent: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        paths = os.pathsep.join([str(SUPPORT), str(AGENTS)])
        environment = os.environ | {"PYTHONPATH": paths}
        if self._preload is not None:
            environment["LD_PRELOAD"] = str(self._preload)
        with (self.folder / "engine.log").open("ab") as log:
            self._parent = await asyncio.create_subprocess_exec(
                sys.executable,
                str(SUPPORT / "cell_engine.py"),
                str(self.folder),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                env=environment,
            )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._parent is not None
        assert self._reader is not None
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        assert self._parent.stdin is not None
        self._parent.stdin.close()
        async with asyncio.timeout(20):
            await self._parent.wait()
            await self._reader

    async def start(self, *, up: bool = True, **job: Any) -> int:
        """Start an engine; return its process id, when it runs or (``up=False``) at once."""
        assert self._parent is not None
        assert self._parent.stdin is not None
        self.pid, self._up, self._frozen = 0, False, 0
        self._parent.stdin.write(json.dumps(job).encode() + b"\n")
        count = len(self.ended)
        await self._until(lambda: self._up or len(self.ended) > count if up else self.pid)
        assert self.pid or not up, (self.folder / "engine.log").read_text()[-4000:]
        return self.pid

    async def kill(self) -> None:
        """Kill the engine as it stands."""
        os.kill(self.pid, signal.SIGKILL)
        await self.end()

    async def stop(self) -> None:
        """Stop the engine in good order."""
        os.kill(self.pid, signal.SIGTERM)
        await self.end()
        assert self.ended[-1] == 0, (self.folder / "engine.log").read_text()

    async def end(self) -> None:
        """Wait until the engine has ended."""
        count = len(self.ended)
        await self._until(lambda: len(self.ended) > count or not self.pid)

    async def frozen(self) -> int:
        """Wait until a process was frozen in the middle of a write; return its id."""
        await self._until(lambda: self._frozen)
        return self._frozen

    async def _until(self, condition: Any, timeout_s: float = 40) -> None:
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError as error:
            raise AssertionError((self.folder / "engine.log").read_text()[-4000:]) from error

    async def _read(self) -> None:
        assert self._parent is not None
        assert self._parent.stdout is not None
        async for line in self._parent.stdout:
            words = line.decode().split()
            async with self._changed:
                self._take(words)
                self._changed.notify_all()

    def _take(self, words: list[str]) -> None:
        match words:
            case ["ack", seq, digest, _]:
                self.acknowledged[int(seq)] = digest
            case ["child", pid]:
                self.pid = int(pid)
            case ["up", _]:
                self._up = True
            case ["frozen", pid]:
                self._frozen = int(pid)
            case ["ended", _, code]:
                self.ended.append(int(code))
                self.pid = 0


@dataclass
class Books:
    """What the journal says of a run."""

    intents: dict[str, Intent]
    outcomes: dict[str, list[Outcome]]
    gates: list[Answer]
    hashes: dict[int, str]
    whole: bool

    @property
    def triggers(self) -> list[int]:
        """Sequence number of every intent for a part, in the order of the journal."""
        found = [intent.observation.trigger for intent in self.intents.values()]
        return [trigger.trigger_seq for trigger in found if isinstance(trigger, PartTrigger)]

    @property
    def commands(self) -> dict[int, Intent]:
        """Intent by the id of its command."""
        return {
            intent.command.id: intent
            for intent in self.intents.values()
            if intent.command is not None
        }


def read_books(folder: Path) -> Books:
    """Read the journal of a cell whose engine has ended."""
    books = Books({}, {}, [], {}, whole=False)
    with Journal.open_readonly(folder / "journal" / "journal.sqlite", cell="cell") as journal:
        for entry in journal.read(limit=None):
            books.hashes[entry.seq] = entry.hash
            match entry.record:
                case Intent() as intent:
                    assert entry.id not in books.intents, f"{entry.id} was decided twice"
                    books.intents[entry.id] = intent
                case Outcome() as outcome:
                    books.outcomes.setdefault(entry.id, []).append(outcome)
                case Gate(answer=answer):
                    books.gates.append(answer)
                case _:
                    pass
        books.whole = journal.verify().ok
    return books


def effects(given: list[Answer]) -> dict[int, list[AnswerCode]]:
    """Everything that the PLC has answered to each command, by its id."""
    found: dict[int, list[AnswerCode]] = {}
    for answer in given:
        if answer.command_id:
            found.setdefault(answer.command_id, []).append(answer.code)
    return found


@contextlib.asynccontextmanager
async def hanging_network(url: str) -> AsyncIterator[tuple[str, int]]:
    """Yield a URL that leads to ``url``, and the id of the process between, to be frozen."""
    host, _, port = url.removeprefix("opc.tcp://").strip("/").rpartition(":")
    command = [sys.executable, str(SUPPORT / "forwarder.py"), host, port]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    try:
        between = int(await process.stdout.readline())
        yield f"opc.tcp://127.0.0.1:{between}/", process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until(condition: Callable[[], Awaitable[Any]], timeout_s: float = 40) -> None:
    """Wait until a condition of the PLC holds; its registers tell nobody when they change."""
    async with asyncio.timeout(timeout_s):
        while not await condition():
            await asyncio.sleep(0.02)
