"""What this computer carries: models, disk and memory measured against the takt time of a line."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from millhand.contracts import Model, TriggerKind, Used
from millhand.engine import build
from millhand.isolate.worker import open_agent
from millhand.journal.journal import Journal
from millhand.journal.places import journal_folder
from millhand.journal.records import Stopped
from millhand.messages import tr
from millhand.plugins import Plugins
from millhand.scenario.load import Scenario

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_SHARE = 0.7
"""Of all processor time, what may be planned for; the rest is for bursts and the system."""
ENGINE_MS = 2.0
"""The engine's own time for a part with an OPC UA adapter, polls included, generously."""
ENGINE_BYTES = 200_000_000
_SECONDS = 0.4
_COMMITS = 100


class AgentLoad(Struct, frozen=True, kw_only=True):
    """What one agent needs for a part; its slowest product counts."""

    agent: str
    p50_ms: float
    p99_ms: float
    threads: int
    memory: int
    """Bytes of its worker, and of the worker's spare where it has one."""
    deadline_ms: float
    runs_on: str


class Capacity(Struct, frozen=True, kw_only=True):
    """What was measured, and what does not fit."""

    takt_ms: float
    agents: tuple[AgentLoad, ...]
    commit_p99_ms: float
    processors: int
    memory_free: int | None
    shortest_takt_ms: float
    """The quickest line that this computer carries, as far as processors and agents go."""
    misfits: tuple[str, ...]
    """What does not fit, in words; empty where it carries the line."""


def measure(scenario: Scenario, plugins: Plugins, takt_s: float) -> Capacity:
    """Open the agents' models here, time them and the disk, and compare with the takt.

    Blocks for some seconds. No device is opened but accelerators.

    Raises:
        ConfigError, PackageError, NotAllowed: a model cannot be opened.
    """
    agents = tuple(_loads(scenario, plugins))
    commit_ms = _commit_p99_ms(journal_folder(scenario))
    processors = os.cpu_count() or 1
    free = _memory_free()
    work_ms = ENGINE_MS + sum(load.p50_ms * load.threads for load in agents)
    shortest = max(
        [work_ms / (LARGEST_SHARE * processors), commit_ms, *(load.p99_ms for load in agents)]
    )
    takt_ms = takt_s * 1e3
    misfits = [
        *_too_slow(agents, takt_ms, commit_ms),
        *_too_much(agents, work_ms, takt_ms, processors, free),
    ]
    return Capacity(
        takt_ms=takt_ms,
        agents=agents,
        commit_p99_ms=commit_ms,
        processors=processors,
        memory_free=free,
        shortest_takt_ms=shortest,
        misfits=tuple(misfits),
    )


def _loads(scenario: Scenario, plugins: Plugins) -> Iterator[AgentLoad]:
    for name, agent in scenario.file.agents.items():
        if not agent.model or not any(when.kind is TriggerKind.PART for when in agent.when):
            continue
        yield _load(scenario, plugins, name)


def _load(scenario: Scenario, plugins: Plugins, name: str) -> AgentLoad:
    from millhand.models.golden import golden_cases
    from millhand.models.package import open_package
    from millhand.models.timing import Times, time_runs

    agent = scenario.file.agents[name]
    before = _resident_bytes()
    spec = build.agent_spec(scenario, name, plugins)
    resident = open_agent(spec)
    packages = {
        package.id: package
        for package in (open_package(Path(model.folder)) for model in spec.models)
    }
    worst: dict[str, Times] = {}
    threads, runs_on = 1, ""
    try:
        for role, models in resident.models.items():
            for package_id, model in models.items():
                used = next(iter(resident.opened.used.values()))
                threads, runs_on = used.threads, f"{used.runtime}, {used.device}"
                _, inputs, _ = golden_cases(packages[package_id], used.precision)[0]
                times = time_runs(_AsSession(model, used), inputs, _SECONDS)
                if role not in worst or times.p99_ms > worst[role].p99_ms:
                    worst[role] = times
        memory = max(0, _resident_bytes() - before) + 60_000_000
    finally:
        resident.close()
    limits = build.worker_limits(scenario, agent.worker or name)
    return AgentLoad(
        agent=name,
        p50_ms=sum(times.p50_ms for times in worst.values()),
        p99_ms=sum(times.p99_ms for times in worst.values()),
        threads=threads,
        memory=memory * (2 if limits.spare else 1),
        deadline_ms=agent.deadline * 1e3,
        runs_on=runs_on,
    )


class _AsSession:
    """A model where the timing loop wants a session."""

    def __init__(self, model: Model, used: Used) -> None:
        self._model = model
        self.used = used

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Ask the model."""
        return self._model(**inputs)

    def close(self) -> None:
        """The model is closed by whoever opened it."""


def _too_slow(agents: tuple[AgentLoad, ...], takt_ms: float, commit_ms: float) -> Iterator[str]:
    for load in agents:
        if load.p99_ms > takt_ms:
            yield tr(
                "{agent} needs {ms:.1f} ms for a part; one comes every {takt:.1f} ms.",
                agent=load.agent,
                ms=load.p99_ms,
                takt=takt_ms,
            )
        whole_ms = load.p99_ms + commit_ms + ENGINE_MS
        if whole_ms > load.deadline_ms:
            yield tr(
                "{agent} needs {ms:.1f} ms with disk and engine, without camera and PLC; its "
                "deadline is {deadline:.1f} ms.",
                agent=load.agent,
                ms=whole_ms,
                deadline=load.deadline_ms,
            )
    if commit_ms > takt_ms:
        yield tr(
            "The disk needs {ms:.1f} ms for an intent; a part comes every {takt:.1f} ms.",
            ms=commit_ms,
            takt=takt_ms,
        )


def _too_much(
    agents: tuple[AgentLoad, ...],
    work_ms: float,
    takt_ms: float,
    processors: int,
    free: int | None,
) -> Iterator[str]:
    share = work_ms / (processors * takt_ms)
    if share > LARGEST_SHARE:
        yield tr(
            "A part takes {work:.1f} ms of processor time: {share:.0%} of {count} processors; at "
            "most {limit:.0%} can be planned for.",
            work=work_ms,
            share=share,
            count=processors,
            limit=LARGEST_SHARE,
        )
    needed = ENGINE_BYTES + sum(load.memory for load in agents)
    if free is not None and needed > free:
        yield tr(
            "About {needed} MB of memory are needed, spares included; {free} MB are free.",
            needed=needed // 1_000_000,
            free=free // 1_000_000,
        )


def _commit_p99_ms(folder: Path) -> float:
    """Time durable commits where the journal is to lie, one at a time as parts come."""
    while not folder.is_dir():
        folder = folder.parent
    record = Stopped(reason="x" * 2000, decisions=0)
    taken: list[float] = []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".capacity-") as name:
        from millhand.journal.entries import new_entry

        with Journal(Path(name) / "journal.sqlite", cell="capacity") as journal:
            for number in range(_COMMITS):
                entry = new_entry(record, id=str(number))
                started = time.perf_counter()
                journal.append([entry]).result()
                taken.append((time.perf_counter() - started) * 1e3)
    return quantiles(taken, n=100)[98]


def _resident_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096
    except OSError:
        return 0


def _memory_free() -> int | None:
    """Memory that can be had without swapping; None where the system does not tell."""
    try:
        text = Path("/proc/meminfo").read_text("ascii")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None
