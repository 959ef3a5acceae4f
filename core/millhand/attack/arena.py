"""Where attacks happen: the simulated plant, the engine attacked in its process, both books."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from millhand.attack.attack import NotApplicable
from millhand.attack.copy import copied
from millhand.attack.neighbour import NAME as NEIGHBOUR
from millhand.attack.victim import Job, Order
from millhand.contracts import Answer, Mode
from millhand.contracts.plant import AttackablePlant, PlantSummary
from millhand.engine.bindings import Target
from millhand.errors import InternalError, MillhandError
from millhand.journal.entries import Entry
from millhand.journal.journal import Journal
from millhand.journal.places import FILE_NAME
from millhand.journal.records import Intent, Outcome, OutcomeStatus
from millhand.messages import tr
from millhand.plugins import Plugins
from millhand.scenario.configured import configured_plant
from millhand.scenario.load import Scenario

PARTS = 500_000
"""The line never ends while attacks go on."""
_START_S = 90.0
_POLL_S = 0.05
_PATIENCE = 60
_OFFERED = tuple(name for name in vars(AttackablePlant) if not name.startswith("_"))
"""What a plant offers whose line can be attacked."""


class Arena:
    """A cell to be attacked: entering starts its plant and its engine, and lets the line run.

    The scenario is copied; nothing of the person's own is touched.

    Args:
        scenario: the person's.
        folder: gets the copy, the journal and the plant's files.
        plugins: what is installed.
    """

    def __init__(self, scenario: Scenario, folder: Path, plugins: Plugins) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.switch = folder / "neighbour"
        """What the bad neighbour is told to do."""
        self.walk = folder / "walk"
        """While it is there, the walker walks."""
        self.plugins = plugins
        self._own = scenario
        self.scenario = scenario
        self._plant: Any = None
        self._engine: Process | None = None
        self._stack = AsyncExitStack()
        self._journal: Journal | None = None
        self.mark = 0
        """Number of the journal's last entry when the attack under way began."""
        self.answers_before = 0
        """How many answers the PLC had given then."""
        self.restarted_plc = False
        """Whether the PLC lost its memory: its numbers then begin anew."""
        self.forged: frozenset[int] = frozenset()
        """Numbers of commands that attackers wrote past the engine."""
        self.fresh_wanted = False
        """Set by an attack after which nothing of this arena should be used again."""

    async def __aenter__(self) -> Self:
        self.scenario = copied(self._own, self.folder / "cell", switch=self.switch, walk=self.walk)
        if not self.has_line:
            return self
        async with AsyncExitStack() as stack:
            configured = configured_plant(self.scenario, self.plugins, {"parts": PARTS})
            place = self.folder / "plant"
            place.mkdir(parents=True, exist_ok=True)
            self._plant = await stack.enter_async_context(
                configured.plant_class(configured.config, place)
            )
            stack.push_async_callback(self.end_engine)
            await self.start_engine()
            await self._plant.start_line()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        self.close_journal()

    # --- the plant ---

    @property
    def has_line(self) -> bool:
        """Whether the plant has a line of parts that can be attacked; files can always be."""
        simulation = self.scenario.file.simulation
        assert simulation is not None
        plant = self.plugins.plant(simulation.plant).load()
        return all(hasattr(plant, name) for name in _OFFERED)

    def require_line(self) -> None:
        """Refuse to go on where no line runs.

        Raises:
            NotApplicable: the simulated plant has none that can be attacked.
        """
        if not self.has_line:
            simulation = self.scenario.file.simulation
            assert simulation is not None
            raise NotApplicable(
                tr("The plant {plant} has no line of parts to attack.", plant=simulation.plant)
            )

    @property
    def plant(self) -> AttackablePlant:
        """The plant, to be attacked."""
        self.require_line()
        plant: AttackablePlant = self._plant
        return plant

    @property
    def url(self) -> str:
        """Address of the PLC."""
        assert self._plant is not None
        return next(iter(self.plant.endpoints.values()))

    def answers(self) -> list[Answer]:
        """Return the PLC's answers since the attack began."""
        return self.plant.answers()[self.answers_before :]

    async def summary(self) -> PlantSummary:
        """Return the PLC's books as they stand now."""
        return await self.plant.summary()

    @asynccontextmanager
    async def fault(self, name: str) -> AsyncIterator[None]:
        """Put a fault of the plant in for as long as the context lasts.

        Raises:
            NotApplicable: the plant knows no such fault.
        """
        if name not in self.plant.faults:
            raise NotApplicable(tr("The plant has no fault {name}.", name=name))
        await self.plant.set_fault(name, on=True)
        try:
            yield
        finally:
            with suppress(MillhandError):
                await self.plant.set_fault(name, on=False)

    @asynccontextmanager
    async def frozen(self, pid: int) -> AsyncIterator[None]:
        """Let a process stand still (SIGSTOP) for as long as the context lasts."""
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    # --- the engine ---

    @property
    def pid(self) -> int:
        """Id of the engine's process."""
        self.require_line()
        assert self._engine is not None
        return self._engine.pid

    @property
    def alive(self) -> bool:
        """Whether the engine's process runs."""
        return self._engine is not None and self._engine.returncode is None

    def job(self, scenario: Path | None = None, journal: Path | None = None) -> Job:
        """Say what the engine is to run."""
        replace: dict[str, dict[str, Any]] = {
            name: {"url": url} for name, url in self.plant.endpoints.items()
        }
        family = self.scenario.file.simulation
        for name, device in self.scenario.file.devices.items():
            assert family is not None
            same = device.adapter.partition(".")[0] == family.plant.partition(".")[0]
            config = self.plugins.adapter(device.adapter).load().Config if same else None
            if config is not None and "parts" in config.model_fields:
                replace.setdefault(name, {})["parts"] = PARTS
        agents = self.scenario.file.agents
        return Job(
            scenario=str(scenario or self.scenario.path),
            journal=str(journal or self.state / FILE_NAME),
            replace=replace,
            modes={name: one.max_mode for name, one in agents.items() if name != NEIGHBOUR},
        )

    async def start_engine(
        self, *, scenario: Path | None = None, journal: Path | None = None
    ) -> str:
        """Start the engine; return ``up``, or what it said instead of starting."""
        self.require_line()
        self.state.mkdir(parents=True, exist_ok=True)
        log = (self.folder / "engine.log").open("ab")
        with log:
            self._engine = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "millhand.attack.victim",
                stdin=PIPE, stdout=PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._write(self.job(scenario, journal))
        assert self._engine.stdout is not None
        async with asyncio.timeout(_START_S):
            said = (await self._engine.stdout.readline()).decode().strip()
        if said != "up":
            await self.end_engine()
        return said or "ended"

    async def order(self, **order: Any) -> None:
        """Change what is done to the engine, and return when it is."""
        self.require_line()
        assert self._engine is not None
        assert self._engine.stdout is not None
        self._write(Order(**order))
        async with asyncio.timeout(_PATIENCE):
            await self._engine.stdout.readline()

    def _write(self, message: object) -> None:
        assert self._engine is not None
        assert self._engine.stdin is not None
        self._engine.stdin.write(msgspec.json.encode(message) + b"\n")

    async def end_engine(self, number: int | None = None) -> int:
        """End the engine in good order, or by a signal; return its exit code."""
        engine, self._engine = self._engine, None
        if engine is None:
            return 0
        with suppress(ProcessLookupError):
            if number is not None:
                os.kill(engine.pid, number)
            os.kill(engine.pid, signal.SIGCONT)
        if engine.stdin is not None:
            engine.stdin.close()
        try:
            async with asyncio.timeout(15):
                code = await engine.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(engine.pid, signal.SIGKILL)
            code = await engine.wait()
        transport = getattr(engine, "_transport", None)
        if transport is not None:
            transport.close()
        return code

    def take_engine(self) -> Process | None:
        """Set the engine that runs aside, so that another can be started beside it."""
        self.require_line()
        engine, self._engine = self._engine, None
        return engine

    def put_engine(self, engine: Process | None) -> None:
        """Take up again the engine that was set aside."""
        self._engine = engine

    def workers(self) -> list[int]:
        """Return the ids of the engine's worker processes, those of the person's agents first."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        try:
            return [int(pid) for pid in path.read_text(encoding="ascii").split()]
        except FileNotFoundError as error:
            raise NotApplicable(tr("This system does not list processes.")) from error

    # --- the books ---

    @property
    def journal_file(self) -> Path:
        """The attacked cell's journal."""
        self.require_line()
        return self.state / FILE_NAME

    def close_journal(self) -> None:
        """Let go of the journal's file."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()

    @property
    def journal(self) -> Journal:
        """The journal, for reading beside the engine."""
        if self._journal is None:
            self._journal = Journal.open_readonly(self.journal_file, cell=self.scenario.name)
        return self._journal

    def entries(self, *kinds: str, after: int | None = None) -> list[Entry]:
        """Return the entries since the attack began."""
        start = self.mark if after is None else after
        return self.journal.read(start, kinds=kinds or None, limit=None)

    def alarms(self) -> Collection[str]:
        """Return the names of the alarms raised since the attack began."""
        return {
            str(entry.record.name)  # type: ignore[union-attr]
            for entry in self.entries("alarm")
            if str(entry.record.state) == "active"  # type: ignore[union-attr]
        }

    def intents(self, after: int | None = None) -> list[Intent]:
        """Return the dispositions of parts since the attack began, or since an entry."""
        found = [entry.record for entry in self.entries("intent", after=after)]
        return [one for one in found if isinstance(one, Intent) and one.disposition is not None]

    def outcomes(self) -> list[Outcome]:
        """Return the outcomes since the attack began."""
        found = [entry.record for entry in self.entries("outcome")]
        return [one for one in found if isinstance(one, Outcome)]

    def begin(self) -> None:
        """Note where the books stand, before an attack."""
        if not self.has_line:
            return
        self.mark = self.journal.head
        self.answers_before = len(self.plant.answers())

    # --- waiting ---

    async def until(self, true: Callable[[], bool], within_s: float = _PATIENCE) -> None:
        """Wait until something is so.

        Raises:
            TimeoutError: it was not so in time.
        """
        self.require_line()
        async with asyncio.timeout(within_s):
            while not true():
                if not self.alive:
                    raise InternalError(tr("The engine's process has ended."))
                await asyncio.sleep(_POLL_S)

    async def alarm(self, *names: str, within_s: float = _PATIENCE) -> None:
        """Wait until one of these alarms was raised since the attack began."""
        await self.until(lambda: bool(set(names) & set(self.alarms())), within_s)

    async def settled_parts(self, count: int, within_s: float = _PATIENCE) -> None:
        """Wait until so many parts more were given a disposition."""
        goal = len(self.intents()) + count
        await self.until(lambda: len(self.intents()) >= goal, within_s)

    async def recovered(self, within_s: float = _PATIENCE) -> None:
        """Wait until the PLC has accepted a result that was decided after this was called."""
        after = self.journal.head

        def works() -> bool:
            entries = self.entries("intent", "outcome", after=after)
            decided = {entry.id for entry in entries if isinstance(entry.record, Intent)}
            return any(
                isinstance(entry.record, Outcome)
                and entry.record.status is OutcomeStatus.CONFIRMED
                and entry.id in decided
                for entry in entries
            )

        await self.until(works, within_s)

    def channel(self) -> Target:
        """Return the channel that dispositions go through.

        Raises:
            NotApplicable: no agent commands anything.
        """
        for agent in self.scenario.file.agents.values():
            for target in agent.may.values():
                device, _, item = target.partition(".")
                if item in self.scenario.file.devices[device].channels:
                    return Target(device, item)
        raise NotApplicable(tr("No agent of this cell commands a part's way."))

    def require_control(self) -> None:
        """Refuse to go on where no agent may act.

        Raises:
            NotApplicable: every agent's ``max_mode`` is below control.
        """
        agents = self.scenario.file.agents.values()
        if not any(agent.max_mode is Mode.CONTROL for agent in agents):
            raise NotApplicable(tr("No agent of this cell may act: max_mode is below control."))
