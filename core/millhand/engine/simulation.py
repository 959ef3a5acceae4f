"""A scenario with its simulated plant: started together, run through, held against the truth."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from millhand.contracts import Mode
from millhand.contracts.plant import PartTruth, PlantSummary, SimulatedPlant
from millhand.engine.engine import Engine
from millhand.errors import ConfigError
from millhand.journal.blobs import BlobReader
from millhand.journal.entries import Entry
from millhand.journal.journal import Journal
from millhand.journal.places import BLOBS, FILE_NAME
from millhand.journal.records import Cause
from millhand.ledger.run import PartLife, Run, read_run
from millhand.ledger.summary import RunSummary, summarise
from millhand.messages import tr
from millhand.plugins import Plugins
from millhand.scenario.configured import configured_beside, configured_device, configured_plant
from millhand.scenario.load import Scenario, load

TruthSource = Callable[[Sequence[PartLife]], list[PartTruth]]
"""Says what the parts of a run really were."""
_LAST_ANSWERS_S = 3.0
"""How long the gate's last answers may take to come in after the line is through."""
_ANNOUNCED_S = 1.0
"""How long the line waits for the PLC to take the lease."""


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """A run that is over: what was decided, what was so, what it was worth."""

    summary: RunSummary
    run: Run
    truth: list[PartTruth]
    folder: Path
    """Holds the journal and the pictures."""

    @property
    def pictures(self) -> BlobReader:
        """The pictures of the run."""
        return BlobReader(self.folder / BLOBS)


class Simulation:
    """Plant and engine of a scenario as one context manager.

    Entering starts the plant, points the scenario's devices at it and starts the engine; the line
    stands until :meth:`run_line`. Files go into ``folder`` and nowhere else.

    Args:
        scenario: a loaded scenario with a ``simulation:``, or its path.
        folder: gets the journal, the pictures and whatever the plant keeps.
        plugins: what may be used; by default all that is installed.
        options: options of the plant in place of those in the file; cameras that come with
            the plant get those that they have too (seed, parts).
        devices: adapters that take the place of the scenario's, by device name, already entered.
        modes: modes to set before the line starts; by default every agent's ``max_mode``.
        by: who raises the modes.
        truth: says what the parts really were, where the plant does not know it.

    Raises (on entering):
        ConfigError: the scenario has no simulation, or does not fit the plugins.
    """

    def __init__(
        self,
        scenario: Scenario | str | Path,
        *,
        folder: Path,
        plugins: Plugins | None = None,
        options: Mapping[str, Any] | None = None,
        devices: Mapping[str, Any] | None = None,
        modes: Mapping[str, Mode] | None = None,
        by: str = "simulation",
        truth: TruthSource | None = None,
    ) -> None:
        self.scenario = scenario if isinstance(scenario, Scenario) else load(scenario)
        self.folder = folder
        self._plugins = plugins
        self._options = dict(options or {})
        self._devices = dict(devices or {})
        self._modes = modes
        self._by = by
        self._truth = truth
        self._stack = AsyncExitStack()
        self._engine_stack = AsyncExitStack()
        self._engine: Engine | None = None
        self._plant: SimulatedPlant | None = None
        self._beside: dict[str, SimulatedPlant] = {}

    async def __aenter__(self) -> Self:
        if self.scenario.file.simulation is None:
            raise ConfigError(
                tr("The scenario {name} has no simulation.", name=self.scenario.name),
                mend=tr("Add simulation: {plant: …}, or run it on its real devices: millhand run"),
            )
        async with AsyncExitStack() as stack:
            plugins = self._plugins or Plugins.discover()
            await self._start_beside(stack, plugins)
            self._plant = await self._start_plant(stack, plugins)
            engine_stack = await stack.enter_async_context(AsyncExitStack())
            self._engine = await self._start_engine(engine_stack, plugins, self._plant)
            self._engine_stack = engine_stack
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        self._engine = self._plant = None
        self._beside = {}

    @property
    def engine(self) -> Engine:
        """The engine, while it runs."""
        assert self._engine is not None, "the simulation is not running"
        return self._engine

    @property
    def plant(self) -> SimulatedPlant:
        """The plant, while it runs."""
        assert self._plant is not None, "the simulation is not running"
        return self._plant

    @property
    def beside(self) -> Mapping[str, SimulatedPlant]:
        """The plants beside it, while they run."""
        return self._beside

    @property
    def plant_options(self) -> dict[str, Any]:
        """The plant's options: those of the file, and what replaces them."""
        simulation = self.scenario.file.simulation
        return {**(simulation.options if simulation else {}), **self._options}

    @property
    def journal_file(self) -> Path:
        """Where the run is recorded."""
        return self.folder / FILE_NAME

    async def run_line(self) -> PlantSummary:
        """Let the parts come, and return the PLC's books when the last has left the gate.

        The first part waits until the PLC knows who is in control; for a second, so that a plant
        that takes no lease is seen as it is.
        """
        with contextlib.suppress(TimeoutError):
            await self.engine.announced(_ANNOUNCED_S)
        for plant in (*self._beside.values(), self.plant):
            await plant.start_line()
        summary = await self.plant.finished()
        await self._last_answers(summary)
        await self.engine.settled()
        return summary

    async def stop_engine(self) -> None:
        """Stop the engine; the plant stays up."""
        await self._engine_stack.aclose()

    async def judge(self, plant: PlantSummary | None = None) -> SimulatedRun:
        """Hold the journal as it stands against the truth; the engine may go on running.

        Args:
            plant: the PLC's books, where the line is through.
        """
        await asyncio.to_thread(self.engine.blobs.flush)
        economy = self.scenario.file.economy
        run = await asyncio.to_thread(self._read)
        truth = await asyncio.to_thread(self._true_parts, run.parts)
        return SimulatedRun(
            summary=summarise(run, truth=truth, plant=plant, economy=economy),
            run=run,
            truth=truth,
            folder=self.folder,
        )

    # --- inside ---

    async def _start_beside(self, stack: AsyncExitStack, plugins: Plugins) -> None:
        assert self.scenario.file.simulation is not None
        for name in self.scenario.file.simulation.beside:
            configured = configured_beside(self.scenario, plugins, name)
            folder = self.folder / "plant" / name
            folder.mkdir(parents=True, exist_ok=True)
            plant: SimulatedPlant = configured.plant_class(configured.config, folder)
            self._beside[name] = await stack.enter_async_context(plant)

    async def _start_plant(self, stack: AsyncExitStack, plugins: Plugins) -> SimulatedPlant:
        configured = configured_plant(self.scenario, plugins, self._options)
        folder = self.folder / "plant"
        folder.mkdir(parents=True, exist_ok=True)
        plant: SimulatedPlant = configured.plant_class(configured.config, folder)
        return await stack.enter_async_context(plant)

    async def _start_engine(
        self, stack: AsyncExitStack, plugins: Plugins, plant: SimulatedPlant
    ) -> Engine:
        devices = {
            name: await stack.enter_async_context(adapter)
            for name, adapter in self._adapters(plugins, plant).items()
        }
        engine = Engine(
            self.scenario,
            plugins=plugins,
            journal=self.journal_file,
            devices=devices | self._devices,
        )
        await stack.enter_async_context(engine)
        modes = self._modes
        if modes is None:
            modes = {name: one.max_mode for name, one in self.scenario.file.agents.items()}
        for agent, mode in modes.items():
            engine.set_mode(agent, mode, by=self._by, reason=tr("simulation"))
        return engine

    def _adapters(self, plugins: Plugins, plant: SimulatedPlant) -> dict[str, Any]:
        """Build the devices that the plant serves, or that are to see the same line."""
        built = {}
        endpoints: dict[str, str] = {}
        for one in (*self._beside.values(), plant):
            endpoints |= one.endpoints
        for name, device in self.scenario.file.devices.items():
            if name in self._devices:
                continue
            replace: dict[str, Any] = {}
            if name in endpoints:
                replace["url"] = endpoints[name]
            replace |= self._shared_options(plugins, device.adapter)
            if replace:
                configured = configured_device(self.scenario, plugins, name, replace)
                built[name] = configured.build(name)
        return built

    def _shared_options(self, plugins: Plugins, adapter: str) -> dict[str, Any]:
        """Options of the plant that an adapter of the same family has too."""
        simulation = self.scenario.file.simulation
        assert simulation is not None
        if not self._options or adapter.partition(".")[0] != simulation.plant.partition(".")[0]:
            return {}
        known = plugins.adapter(adapter).load().Config.model_fields
        return {key: value for key, value in self._options.items() if key in known}

    async def _last_answers(self, plant: PlantSummary) -> None:
        """Wait until the gate's answers to the last parts are in the journal."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_ANSWERS_S):
                answers = 0
                cursor = self.engine.journal.cursor(kinds=("gate",))
                while answers < plant.triggers:
                    await anext(cursor)
                    answers += 1

    def _read(self) -> Run:
        with Journal.open_readonly(self.journal_file, cell=self.scenario.name) as journal:
            return read_run(_entries(journal))

    def _true_parts(self, parts: Sequence[PartLife]) -> list[PartTruth]:
        if self._truth is not None:
            return self._truth(parts)
        # The id of a part whose trigger was missed is not known.
        seen = [part.part_id for part in parts if part.intent.cause is not Cause.MISSED]
        return self.plant.truth(seen)


def _entries(journal: Journal) -> Iterator[Entry]:
    after = 0
    while page := journal.read(after):
        yield from page
        after = page[-1].seq
