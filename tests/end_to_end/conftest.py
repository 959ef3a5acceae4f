"""The casting cell as it ships: PLC in its own process, OPC UA on loopback, worker, journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from millhand.engine.simulation import SimulatedRun, Simulation

CASTING_CELL = Path(__file__).parents[2] / "scenarios" / "casting_cell"


@pytest.fixture(scope="module")
def casting_cell() -> Path:
    """Folder of the shipped scenario."""
    return CASTING_CELL


@pytest.fixture
async def simulation(tmp_path: Path) -> AsyncIterator[Simulation]:
    """The casting cell, running, with a short line of both products."""
    options = {
        "parts": 24,
        "seed": 11,
        "takt_ticks": 40,
        "defect_rate": 0.3,
        "challenges": [6],
        "runs": [{"product": "impeller", "parts": 12}, {"product": "housing", "parts": 12}],
    }
    async with Simulation(CASTING_CELL, folder=tmp_path / "run", options=options) as running:
        yield running


@pytest.fixture
async def finished(simulation: Simulation) -> SimulatedRun:
    """The same after its last part."""
    return await simulation.judge(await simulation.run_line())
