"""The engine: opens what a scenario names, runs it, and closes it, as one context manager.

It has no global state, installs no signal handler and leaves logging alone, so that it can be
embedded: ``async with Engine(scenario) as engine: await engine.stopped()``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import Any, Self

import structlog

from millhand import __version__
from millhand.contracts import Health, Mode
from millhand.engine import build
from millhand.engine.cell import Cell
from millhand.engine.devices import Devices
from millhand.engine.health import HealthWatch
from millhand.engine.monitor import TagMonitor
from millhand.engine.opening import open_cell, open_journal
from millhand.engine.recover import (
    remember,
    start_reconciling,
)
from millhand.engine.retention import Retention
from millhand.engine.reviews import ReviewDesk
from millhand.engine.rollout.desk import ModelDesk
from millhand.engine.runner import AgentRunner
from millhand.engine.snapshot import DeviceState, EngineSnapshot
from millhand.engine.sources import Source, source_of
from millhand.engine.staff import Staff
from millhand.engine.supervision import Child
from millhand.engine.watchdog import Blocked, LoopWatchdog
from millhand.errors import MillhandError, Unavailable
from millhand.journal.blobs import BlobStore
from millhand.journal.journal import Journal
from millhand.journal.places import (
    inbox_folder,
)
from millhand.journal.records import Started, Stopped
from millhand.messages import tr
from millhand.plugins import Plugins
from millhand.scenario.load import Scenario, load

log = structlog.get_logger(__name__)

_DRAIN_S = 2.0
_READY_S = 10.0


class Engine:
    """Runs one cell.

    Args:
        scenario: a loaded scenario, or the path of its file or folder.
        plugins: what may be used; by default all that is installed.
        journal: where to write, in place of what the scenario says: a path or URL.
        devices: adapters built by the embedder, by device name, in place of the scenario's.
        safe: come up with the journal alone, with no plugin at all.
        why_safe: said in the alarm of safe mode, where it was not asked for by a person.
        on_stuck: told, in a thread of its own, that the loop has stood still for 10 s; for
            a program that would rather end, and be started again, than stand.

    Raises (on entering):
        ConfigError: the scenario and the plugins do not fit.
        NotAllowed: another engine writes the journal.
        Unavailable: the journal cannot be opened.
    """

    def __init__(
        self,
        scenario: Scenario | str | Path,
        *,
        plugins: Plugins | None = None,
        journal: str | Path | None = None,
        devices: Mapping[str, Any] | None = None,
        safe: bool = False,
        why_safe: str = "",
        on_stuck: Callable[[Blocked], None] | None = None,
    ) -> None:
        self.scenario = scenario if isinstance(scenario, Scenario) else load(scenario)
        self.safe = safe
        self._why_safe = why_safe
        self._on_stuck = on_stuck
        self._plugins = plugins
        self._journal_target = journal
        self._given_devices = dict(devices or {})
        self._stack = AsyncExitStack()
        self._cell: Cell | None = None
        self._runners: dict[str, AgentRunner] = {}
        self._failed: Mapping[str, str] = {}
        """Workers and agents that could not be opened, and why."""
        self._started_utc_ns = 0
        self._stop = asyncio.Event()

    # --- life ---

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._cell is not None:
                await self._close(self._cell, "" if error is None else type(error).__name__)
        finally:
            await self._stack.aclose()

    def stop(self) -> None:
        """Ask :meth:`stopped` to return; the context manager then closes everything."""
        self._stop.set()

    async def stopped(self) -> None:
        """Return once :meth:`stop` was called."""
        await self._stop.wait()

    async def _start(self, stack: AsyncExitStack) -> None:
        target = self._journal_target
        journal = await open_journal(stack, self.scenario, target, safe=self.safe)
        cell = await open_cell(stack, self.scenario, target, journal)
        self._cell = cell
        self._started_utc_ns = time_ns()
        if journal.recovered_from is not None:
            text = tr("The journal was damaged and was moved to {path}.",
                      path=journal.recovered_from)  # fmt: skip
            cell.alarms.raise_("journal_recovered", cell.name, text)
        health = HealthWatch(cell, self._runners)
        watchdog = LoopWatchdog(health.blocked, on_stuck=self._on_stuck)
        watchdog.start()
        stack.callback(watchdog.stop)
        if self.safe:
            await self._start_safely(stack, cell)
        else:
            await self._start_whole(stack, cell, health)

    async def _start_safely(self, stack: AsyncExitStack, cell: Cell) -> None:
        """Come up with the journal alone."""
        if self._why_safe:
            cell.alarms.raise_("safe_mode", cell.name, self._why_safe)
        await stack.enter_async_context(cell.supervisor)
        cell.supervisor.start(Child("unrecorded", cell.unrecorded.run))
        cell.record(self._started(safe=True, plugins={}), subject=cell.name)

    async def _start_whole(self, stack: AsyncExitStack, cell: Cell, health: HealthWatch) -> None:
        """Come up with agents and devices, opened at the same time."""
        plugins = self._plugins or Plugins.discover()
        staff = Staff(self.scenario, plugins, cell, self._runners)
        devices = Devices(self.scenario, cell, self._runners)
        await asyncio.gather(staff.open(stack), devices.open(stack, plugins, self._given_devices))
        staff.bind()
        self._failed = staff.failed
        await stack.enter_async_context(cell.supervisor)
        await start_reconciling(cell)
        found = {one.name: one.version for one in plugins.found}
        for plugin in plugins.found:
            if plugin.error:
                cell.alarms.raise_("plugin_broken", plugin.name, plugin.error)
        cell.record(self._started(safe=False, plugins=found), subject=cell.name)
        staff.watch()
        await self._run(cell, health)
        folder = inbox_folder(self.scenario, self._journal_target)
        desk = ModelDesk(cell, staff.rollouts, folder)
        cell.supervisor.start(Child("models", desk.run))

    # --- running ---

    async def _run(self, cell: Cell, health: HealthWatch) -> None:
        for name, (tags, every_s) in build.monitored_tags(self.scenario).items():
            monitor = TagMonitor(name, cell.devices[name], tags, every_s, cell.interlocks)
            cell.monitors[name] = monitor
            await monitor.refresh()
            cell.supervisor.start(Child(f"{name}.monitor", monitor.run))
        for target, channel in cell.channels.items():
            if channel.binding.answers:
                cell.supervisor.start(Child(f"{target}.answers", channel.follow))
        carriers = {name: runner.deliver_again for name, runner in self._runners.items()}
        cell.outbox.load(carriers)
        cell.supervisor.start(Child("outbox", cell.outbox.run))
        sources: list[Source] = []
        for name, runner in self._runners.items():
            cell.supervisor.start(Child(name, runner.run))
            sources.extend(self._start_sources(cell, runner))
        for name, lease in cell.leases.items():
            cell.supervisor.start(Child(f"{name}.lease", lease.run))
        cell.supervisor.start(Child("health", health.run))
        cell.supervisor.start(Child("unrecorded", cell.unrecorded.run))
        folder = inbox_folder(self.scenario, self._journal_target)
        keep_s = self.scenario.file.journal.keep
        if keep_s is not None:
            retention = Retention(cell, self._runners, keep_s)
            cell.supervisor.start(Child("retention", retention.run))
        cell.supervisor.start(Child("andon", lambda: cell.andon.run(folder)))
        desk = ReviewDesk(cell, self._runners, folder)
        cell.supervisor.start(Child("reviews", desk.run))
        async with asyncio.timeout(_READY_S):
            await asyncio.gather(*(source.ready.wait() for source in sources))

    def _start_sources(self, cell: Cell, runner: AgentRunner) -> list[Source]:
        remembered = remember(cell.journal, runner.name)
        sources: list[Source] = []
        for trigger in runner.binding.triggers:
            for seq in remembered.unsettled.get(trigger.source, ()):
                runner.missed(trigger.source, range(seq, seq + 1))
            source = source_of(
                cell,
                runner,
                trigger,
                last_seq=remembered.last_seq.get(trigger.source),
                last_event=remembered.last_event,
            )
            sources.append(source)
            cell.supervisor.start(Child(f"{runner.name}.{trigger.source}", source.run, restarts=20))
        return sources

    async def _close(self, cell: Cell, reason: str) -> None:
        for lease in cell.leases.values():
            try:
                async with asyncio.timeout(0.5):
                    await lease.release()
            except (TimeoutError, MillhandError) as error:
                log.info("lease_not_released", error=str(error))
        await cell.supervisor.drain(_DRAIN_S)
        with contextlib.suppress(Unavailable):
            await cell.unrecorded.flush()
        cell.record(Stopped(reason=reason or "stop", decisions=cell.decisions), subject=cell.name)

    # --- what others ask ---

    @property
    def journal(self) -> Journal:
        """The cell's journal."""
        return self._running.journal

    @property
    def blobs(self) -> BlobStore:
        """The cell's pictures and documents."""
        return self._running.blobs

    @property
    def _running(self) -> Cell:
        if self._cell is None:
            raise RuntimeError("the engine is not running")
        return self._cell

    def set_mode(self, agent: str, mode: Mode, *, by: str, reason: str = "") -> None:
        """Change an agent's mode; who did it is journalled.

        Raises:
            ConfigError: there is no such agent.
            NotAllowed: the scenario's ``max_mode`` is lower.
        """
        self._running.modes.change(agent, mode, by=by, reason=reason)
        for lease in self._running.leases.values():
            lease.announce()

    async def announced(self, timeout_s: float = _READY_S) -> None:
        """Wait until every device with a lease knows who is ready and in control, as it is now.

        Raises:
            TimeoutError: a device did not take it in time.
        """
        async with asyncio.timeout(timeout_s):
            leases = self._running.leases.values()
            await asyncio.gather(*(lease.announced() for lease in leases))

    async def settled(self, timeout_s: float = _DRAIN_S) -> None:
        """Wait until what is under way has its outcome, at most ``timeout_s``."""
        await self._running.supervisor.drain(timeout_s)

    def snapshot(self) -> EngineSnapshot:
        """Say how the engine is at this moment; cheap."""
        cell = self._running
        statistics = cell.statistics
        return EngineSnapshot(
            scenario=cell.name,
            started_utc_ns=self._started_utc_ns,
            parts_triggered=statistics.parts_triggered,
            parts_done=statistics.parts_done,
            queued=sum(runner.queued for runner in self._runners.values()),
            current_part=statistics.current_part,
            product=statistics.product,
            dispositions=dict(statistics.dispositions),
            last=statistics.last,
            latency_p50_ms=statistics.percentile_ms(0.5),
            latency_p99_ms=statistics.percentile_ms(0.99),
            modes=cell.modes.all(),
            devices={name: _state(device.health()) for name, device in cell.devices.items()},
            agents_ready={name: runner.ready for name, runner in self._runners.items()}
            | dict.fromkeys(self._failed, False),
            journal_fault=cell.journal.fault,
            journal_head=cell.journal.head,
            alarms=tuple(active.alarm.text for active in cell.alarms.active[-10:]),
            alarms_active=Counter(active.alarm.name for active in cell.alarms.active),
            calls=cell.andon.texts,
            safe_mode=self.safe,
        )

    # --- what happens ---

    def _started(self, *, safe: bool, plugins: dict[str, str]) -> Started:
        packages = {
            f"{name}.{label}": package_id
            for name, runner in self._runners.items()
            for label, package_id in runner.packages.items()
        }
        runs_on = {
            f"{name}.{label}": text
            for name, runner in self._runners.items()
            for label, text in runner.runs_on.items()
        }
        return Started(
            scenario=self.scenario.name,
            scenario_sha256=self.scenario.sha256,
            millhand=__version__,
            plugins=plugins,
            packages=packages,
            runs_on=runs_on,
            safe_mode=safe,
        )


def _state(health: Health) -> DeviceState:
    return DeviceState(link=health.link, detail=health.words)
