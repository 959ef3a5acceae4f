"""A cell in memory: a scenario with a controller that the test plays, and small agents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sample_agents

from millhand.engine import Engine
from millhand.journal.entries import Entry
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AdapterType, AgentType, Face
from millhand.scenario.load import load_text
from millhand.testing import PlayedPlc

DEVICE = """
millhand: 1
name: cell
devices:
  plc:
    adapter: memory
    tags: {state: state, speed: speed, product: product}
    triggers: {trigger: {record: Trigger}}
    channels:
      result: {record: Command, answers: Answers, confirm: echo, default: reject}
    lease: {record: Lease, every: 50 ms}
    machine: {record: Machine}
"""


class Plugin:
    @hookimpl
    def millhand_agents(self) -> list[AgentType]:
        return [
            AgentType(f"test.{name}", f"sample_agents:{name.title()}", name)
            for name in sample_agents.NAMES
        ]

    @hookimpl
    def millhand_adapters(self) -> list[AdapterType]:
        target = "millhand.testing.memory:MemoryTags"
        return [AdapterType("memory", target, "memory", faces=frozenset({Face.TAGS}))]


Running = Callable[..., Any]


@pytest.fixture
def run_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Return an async context manager that runs agents given as YAML on a played PLC."""
    monkeypatch.setenv("PYTHONPATH", str(Path(sample_agents.__file__).parent))

    @asynccontextmanager
    async def run(
        agents: str,
        *,
        plc: PlayedPlc | None = None,
        guard: str = "",
        safe: bool = False,
        confirm: str = "echo",
    ) -> AsyncIterator[tuple[Engine, PlayedPlc]]:
        plc = plc or PlayedPlc()
        text = f"{DEVICE.replace('confirm: echo', f'confirm: {confirm}')}agents:\n{agents}\n{guard}"
        scenario = load_text(text, tmp_path / "scenario.yaml")
        plugins = Plugins.discover([Plugin()], entry_points=False)
        async with Engine(scenario, plugins=plugins, devices={"plc": plc}, safe=safe) as engine:
            yield engine, plc

    return run


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """Return a coroutine function that waits until so many entries of a kind are journalled."""

    async def wait(engine: Engine, kind: str, count: int = 1, **where: str) -> list[Entry]:
        found: list[Entry] = []
        async for entry in engine.journal.cursor(kinds=(kind,)):
            if all(getattr(entry, key) == value for key, value in where.items()):
                found.append(entry)
            if len(found) >= count:
                return found
        raise AssertionError("the journal was closed")

    return wait


@pytest.fixture
def inspector() -> Callable[..., str]:
    """Return YAML of an agent ``inspector`` bound to the part trigger."""

    def yaml(use: str, *, light: bool = True, extra: str = "", deadline: str = "1 s") -> str:
        return f"""
  inspector:
    use: test.{use}
    max_mode: control
    when: plc.trigger
    may: {{disposition: plc.result}}
    deadline: {deadline}
    light: {str(light).lower()}
{extra}"""

    return yaml
