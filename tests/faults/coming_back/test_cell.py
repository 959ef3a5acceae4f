"""A whole cell whose line to the PLC fails: it comes back, and ships nothing bad."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from millhand.contracts import AnswerCode, Disposition
from millhand.engine.simulation import Simulation
from millhand.plugins import Plugins
from millhand.testing import FaultProxy

CASTING_CELL = Path(__file__).parents[3] / "scenarios" / "casting_cell"
PARTS = 26


class Proxied:
    """A plant whose PLC is reached through a proxy."""

    def __init__(self, plant: Any, url: str) -> None:
        self._plant = plant
        self.endpoints = {"plc": url}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plant, name)


class BehindProxy(Simulation):
    """The simulation with a proxy before its PLC."""

    proxy: FaultProxy

    async def _start_plant(self, stack: AsyncExitStack, plugins: Plugins) -> Any:
        plant = await super()._start_plant(stack, plugins)
        address = urlsplit(plant.endpoints["plc"])
        assert address.port is not None
        self.proxy = await stack.enter_async_context(FaultProxy("127.0.0.1", address.port))
        url = address._replace(netloc=f"127.0.0.1:{self.proxy.port}").geturl()
        return Proxied(plant, url)


async def decided(simulation: Simulation, count: int) -> None:
    """Return when so many parts were decided."""
    async for entry in simulation.engine.journal.cursor(kinds=("intent",)):
        count -= entry is not None
        if not count:
            return


async def test_faults_on_the_line_cost_parts_their_default_and_nothing_else(tmp_path: Path) -> None:
    options = {
        "parts": PARTS,
        "seed": 11,
        "takt_ticks": 40,
        "defect_rate": 0.3,
        "runs": [{"product": "impeller", "parts": PARTS}],
        "challenges": [],
    }
    async with BehindProxy(CASTING_CELL, folder=tmp_path / "run", options=options) as simulation:
        line = asyncio.create_task(simulation.run_line())
        for number, fault in enumerate(("black hole", "reset", "refused"), start=1):
            async with asyncio.timeout(60):
                await decided(simulation, 3 * number)
            if fault == "black hole":
                simulation.proxy.black_hole()
                await asyncio.sleep(1.5)
                simulation.proxy.lift()
            elif fault == "reset":
                simulation.proxy.reset()
            else:
                await simulation.proxy.refuse()
                await asyncio.sleep(1.0)
                await simulation.proxy.accept()
            async with asyncio.timeout(60):
                await decided(simulation, 3 * number + 1)
        async with asyncio.timeout(90):
            plant = await line
        run = await simulation.judge(plant)
        journal = simulation.engine.journal
        every = [entry.record for entry in journal.read(kinds=("intent",))]
        intents = [one for one in every if one.disposition is not None]
        gates = [entry.record.answer for entry in journal.read(kinds=("gate",))]

    assert run.summary.score.escapes.count == 0, "a bad part was shipped"
    seqs = [intent.observation.trigger.trigger_seq for intent in intents]
    assert len(seqs) == len(set(seqs)), "a part was disposed of twice"
    executed = [answer.command_id for answer in gates if answer.code is AnswerCode.EXECUTED]
    assert len(executed) == len(set(executed)), "a command had its effect twice"
    by_id = {intent.command.id: intent for intent in intents if intent.command is not None}
    assert set(executed) <= set(by_id), "a command without a journalled intent had an effect"
    passed = [by_id[one].disposition for one in executed].count(Disposition.PASS)
    assert plant.gate["pass"] <= passed + plant.answers.get("bypassed", 0)
    assert max(seqs) == plant.triggers, "it did not come back for the last part"
    assert plant.answers["defaulted"] > 0, "the faults cost no part its answer: they did not bite"
    assert by_id.keys() & set(executed[-1:]), "no command was carried out"
