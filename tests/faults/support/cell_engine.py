"""A whole engine in a process that may be killed or frozen at any instant.

``python cell_engine.py FOLDER`` imports everything once and then, for each line on its standard
input, forks a process that runs the scenario in FOLDER. It tells on standard output::

    child <pid>              a process was forked
    up <pid>                 its engine runs
    ack <seq> <hash> <kind>  an entry is durable
    frozen <pid>             it stands before the first byte of a command (see ``freezing``)
    ended <pid> <code>       it has ended

A line is JSON: ``mode`` for the agents, ``freeze`` (see :mod:`freezing`). SIGTERM ends a child in
good order.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import freezing
import sample_agents
import structlog

import millhand_opcua
from millhand.contracts import Mode
from millhand.engine import Engine
from millhand.journal.entries import Entry
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AgentType
from millhand.scenario.load import load


class SampleAgents:
    """The agents of the tests, as a plugin."""

    @hookimpl
    def millhand_agents(self) -> list[AgentType]:
        return [
            AgentType(f"test.{name}", f"sample_agents:{name.title()}", name)
            for name in sample_agents.NAMES
        ]


def tell(text: str) -> None:
    os.write(1, text.encode())


class Acknowledged:
    """Tells what is on disk, from the journal's writer."""

    def hear(self, entries: Sequence[Entry]) -> None:
        tell("".join(f"ack {entry.seq} {entry.hash} {entry.kind}\n" for entry in entries))

    def end(self) -> None:
        pass


async def run(folder: Path, plugins: Plugins, job: dict[str, Any]) -> None:
    scenario = load(folder / "scenario.yaml")
    engine = Engine(scenario, plugins=plugins)
    acknowledged = Acknowledged()
    async with engine:
        engine.journal.listen(acknowledged)
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signal_number, engine.stop)
        for agent in scenario.file.agents:
            engine.set_mode(agent, Mode(job.get("mode", "control")), by="test")
        tell(f"up {os.getpid()}\n")
        await engine.stopped()


def child(folder: Path, plugins: Plugins, job: dict[str, Any]) -> int:
    freezing.plan = job.get("freeze", {})
    asyncio.run(run(folder, plugins, job))
    return 0


def main(folder: Path) -> None:
    logging.basicConfig(level=logging.ERROR)
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))
    plugins = Plugins.discover([millhand_opcua, SampleAgents()], entry_points=False)
    freezing.install()
    load(folder / "scenario.yaml")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                code = child(folder, plugins, json.loads(line))
            except BaseException:  # noqa: BLE001  the test reads it in the log
                traceback.print_exc()
                code = 1
            sys.stderr.flush()
            os._exit(code)
        tell(f"child {pid}\n")
        _, status = os.waitpid(pid, 0)
        tell(f"ended {pid} {os.waitstatus_to_exitcode(status)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
