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
from time import monotonic, time_ns
from types import TracebackType
from typing import Any, Self

import structlog

from millhand import __version__
from millhand.contracts import Answer, Health, Link, Mode
from millhand.engine import build
from millhand.engine.alarms import Alarms
from millhand.engine.andon import AndonBoard
from millhand.engine.bindings import ChannelBinding
from millhand.engine.cell import Cell, alarm_recorder
from millhand.engine.handshake import CommandChannel
from millhand.engine.lease import Lease
from millhand.engine.modes import Modes
from millhand.engine.monitor import TagMonitor
from millhand.engine.recover import (
    changes_let_out,
    last_command_id,
    remember,
    start_reconciling,
)
from millhand.engine.retention import Retention
from millhand.engine.reviews import ReviewDesk
from millhand.engine.runner import AgentRunner
from millhand.engine.snapshot import DeviceState, EngineSnapshot
from millhand.engine.sources import Source, source_of
from millhand.engine.staff import Staff
from millhand.engine.statistics import Statistics
from millhand.engine.supervision import Child, Supervisor
from millhand.engine.unrecorded import Unrecorded
from millhand.engine.watchdog import Blocked, LoopWatchdog
from millhand.errors import ConfigError, MillhandError, Unavailable
from millhand.journal.blobs import BlobStore
from millhand.journal.journal import Journal
from millhand.journal.places import (
    blob_folder,
    checkpoints_file,
    inbox_folder,
    journal_target,
    signing_key,
)
from millhand.journal.records import Gate, ModeChange, Started, Stopped
from millhand.journal.signing import SigningKey
from millhand.messages import tr
from millhand.plugins import Plugins
from millhand.scenario.configured import configured_device
from millhand.scenario.load import Scenario, load

log = structlog.get_logger(__name__)

_DRAIN_S = 2.0
_HEALTH_S = 0.2
_READY_S = 10.0
_BLOCKED_STANDS_S = 10.0
"""How long the alarm of a blocked loop stands after the last time."""


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
        self._runners: Mapping[str, AgentRunner] = {}
        self._failed: Mapping[str, str] = {}
        """Workers and agents that could not be opened, and why."""
        self._started_utc_ns = 0
        self._blocked_owner: dict[str, float] = {}
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
        journal = await self._open_journal(stack)
        cell = await self._build_cell(stack, journal)
        self._cell = cell
        self._started_utc_ns = time_ns()
        if journal.recovered_from is not None:
            text = tr("The journal was damaged and was moved to {path}.",
                      path=journal.recovered_from)  # fmt: skip
            cell.alarms.raise_("journal_recovered", cell.name, text)
        watchdog = LoopWatchdog(self._loop_blocked, on_stuck=self._on_stuck)
        watchdog.start()
        stack.callback(watchdog.stop)
        if self.safe:
            if self._why_safe:
                cell.alarms.raise_("safe_mode", cell.name, self._why_safe)
            await stack.enter_async_context(cell.supervisor)
            cell.supervisor.start(Child("unrecorded", cell.unrecorded.run))
            cell.record(self._started(safe=True, plugins={}), subject=cell.name)
            return
        plugins = self._plugins or Plugins.discover()
        staff = Staff(self.scenario, plugins, cell)
        await asyncio.gather(staff.open(stack), self._open_devices(stack, cell, plugins))
        self._runners, self._failed = staff.bind(), staff.failed
        await stack.enter_async_context(cell.supervisor)
        await start_reconciling(cell)
        found = {one.name: one.version for one in plugins.found}
        for plugin in plugins.found:
            if plugin.error:
                cell.alarms.raise_("plugin_broken", plugin.name, plugin.error)
        cell.record(self._started(safe=False, plugins=found), subject=cell.name)
        staff.watch()
        await self._run(cell)

    async def _open_journal(self, stack: AsyncExitStack) -> Journal:
        target = self._journal_target or journal_target(self.scenario)
        key = self._signing_key()
        journal = Journal(
            target,
            cell=self.scenario.name,
            key=key,
            witness=checkpoints_file(self.scenario, self._journal_target) if key else None,
        )
        await asyncio.to_thread(journal.open)
        stack.push_async_callback(asyncio.to_thread, journal.close)
        return journal

    def _signing_key(self) -> SigningKey | None:
        try:
            return signing_key(self.scenario)
        except ConfigError as error:
            if not self.safe:
                raise
            log.warning("journal_not_signed", reason=str(error))  # safe mode always starts
            return None

    async def _build_cell(self, stack: AsyncExitStack, journal: Journal) -> Cell:
        pictures = self.scenario.file.journal.pictures
        blobs = BlobStore(
            blob_folder(self.scenario, self._journal_target),
            quota_bytes=pictures.quota,
            keep={name.value: age / 86400 for name, age in pictures.keep.items()},
        )
        await asyncio.to_thread(blobs.open)
        stack.push_async_callback(asyncio.to_thread, blobs.close)
        cell_of: list[Cell] = []
        alarms = Alarms(alarm_recorder(lambda: cell_of[0]))
        cell = Cell(
            name=self.scenario.name,
            scenario_sha256=self.scenario.sha256,
            journal=journal,
            blobs=blobs,
            limits=build.limits(self.scenario),
            reject_limits=build.reject_limits(self.scenario),
            supervisor=Supervisor(self._child_failed),
            modes=Modes(build.allowed_modes(self.scenario), self._mode_changed),
            alarms=alarms,
            unrecorded=Unrecorded(journal, alarms),
            statistics=Statistics(),
            andon=await asyncio.to_thread(
                AndonBoard,
                journal,
                lambda entry: cell_of[0].append(entry),  # noqa: PLW0108  there is none yet
                alarms,
                build.andon_policy(self.scenario),
            ),
            last_command_id=await asyncio.to_thread(last_command_id, journal),
        )
        cell_of.append(cell)
        cell.changes.restore(
            await asyncio.to_thread(changes_let_out, journal, cell.limits, time_ns())
        )
        return cell

    # --- opening ---

    async def _open_devices(self, stack: AsyncExitStack, cell: Cell, plugins: Plugins) -> None:
        built: dict[str, Any] = {}
        for name, device in self.scenario.file.devices.items():
            if name in self._given_devices:
                cell.devices[name] = self._given_devices[name]
            elif build.runs_in_engine(device, plugins):
                built[name] = configured_device(self.scenario, plugins, name).build(name)
        for name, adapter in built.items():
            cell.devices[name] = await stack.enter_async_context(adapter)
        for name, device in self.scenario.file.devices.items():
            for target, binding in build.channel_bindings(name, device).items():
                cell.channels[target] = CommandChannel(
                    cell.devices[name], binding, on_gate=self._at_gate
                )
            if device.lease is not None:
                cell.leases[name] = self._lease(cell, name)
        cell.machines = frozenset(
            name for name, device in self.scenario.file.devices.items() if device.machine
        )

    def _lease(self, cell: Cell, name: str) -> Lease:
        binding = build.lease_binding(name, self.scenario.file.devices[name])
        assert binding is not None
        return Lease(
            cell.devices[name],
            binding,
            ready=lambda: self._ready(name),
            in_control=lambda: self._in_control(name),
            permit=cell.issue,
        )

    # --- running ---

    async def _run(self, cell: Cell) -> None:
        for name, (tags, every_s) in build.monitored_tags(self.scenario).items():
            monitor = TagMonitor(name, cell.devices[name], tags, every_s, cell.interlocks)
            cell.monitors[name] = monitor
            await monitor.refresh()
            cell.supervisor.start(Child(f"{name}.monitor", monitor.run))
        for target, channel in cell.channels.items():
            if channel.binding.answers:
                cell.supervisor.start(Child(f"{target}.answers", channel.follow))
        sources: list[Source] = []
        for name, runner in self._runners.items():
            cell.supervisor.start(Child(name, runner.run))
            sources.extend(self._start_sources(cell, runner))
        for name, lease in cell.leases.items():
            cell.supervisor.start(Child(f"{name}.lease", lease.run))
        cell.supervisor.start(Child("health", self._watch_health))
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

    async def _watch_health(self) -> None:
        cell = self._running
        while True:
            for name, device in cell.devices.items():
                health: Health = device.health()
                if health.link in (Link.DOWN, Link.REFUSED):
                    text = tr("{device} is {link}: {detail}", device=name,
                              link=health.link.value, detail=health.words)  # fmt: skip
                    cell.alarms.raise_("device_down", name, text)
                elif health.link is Link.UP:
                    cell.alarms.clear("device_down", name)
            self._watch_witness(cell)
            self._clear_blocked(cell)
            await asyncio.sleep(_HEALTH_S)

    def _watch_witness(self, cell: Cell) -> None:
        fault = cell.journal.witness_fault
        if fault:
            text = tr("Signed checkpoints cannot be exported: {reason}", reason=fault)
            cell.alarms.raise_("checkpoint_not_exported", cell.name, text)
        else:
            cell.alarms.clear("checkpoint_not_exported", cell.name)

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

    def _mode_changed(self, change: ModeChange) -> None:
        self._running.record(change, subject=change.agent)

    def _at_gate(self, binding: ChannelBinding, answer: Answer) -> None:
        gate = Gate(channel=str(binding.target), answer=answer)
        self._running.record(gate, subject=str(binding.target), part=answer.part_id)

    def _child_failed(self, name: str, error: BaseException, given_up: bool) -> None:
        if self._cell is not None:
            kind = "activity_given_up" if given_up else "activity_failed"
            self._cell.alarms.raise_(kind, name, str(error) or type(error).__name__)

    def _loop_blocked(self, blocked: Blocked) -> None:
        cell = self._running
        known = [*self._runners, *cell.devices]
        owner = next(
            (name for name in known if blocked.task.startswith(f"{name}.")),
            blocked.task or cell.name,
        )
        text = tr(
            "{owner} held up the engine for {ms:.0f} ms ({where}).",
            owner=owner,
            ms=blocked.seconds * 1e3,
            where=blocked.where or tr("unknown where"),
        )
        cell.alarms.raise_("loop_blocked", owner, text)
        self._blocked_owner[owner] = monotonic()

    def _clear_blocked(self, cell: Cell) -> None:
        for owner, since in list(self._blocked_owner.items()):
            if monotonic() - since > _BLOCKED_STANDS_S:
                del self._blocked_owner[owner]
                cell.alarms.clear("loop_blocked", owner)

    def _commands(self, device: str) -> list[AgentRunner]:
        return [
            runner
            for runner in self._runners.values()
            if runner.binding.disposition is not None
            and runner.binding.disposition.device == device
        ]

    def _ready(self, device: str) -> bool:
        runners = self._commands(device)
        needed = {camera for runner in runners for camera in runner.binding.frames.values()}
        up = all(self._running.devices[name].health().link is Link.UP for name in needed)
        return bool(runners) and up and all(runner.ready for runner in runners)

    def _in_control(self, device: str) -> bool:
        modes = self._running.modes
        return any(modes[runner.name] is Mode.CONTROL for runner in self._commands(device))


def _state(health: Health) -> DeviceState:
    return DeviceState(link=health.link, detail=health.words)
