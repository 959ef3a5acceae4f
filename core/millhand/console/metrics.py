"""What Prometheus scrapes: the engine's snapshot as metrics, and the process's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from millhand import __version__
from millhand.console.health import readiness
from millhand.contracts.adapters import Link
from millhand.contracts.decision import Disposition
from millhand.contracts.modes import Mode

if TYPE_CHECKING:
    from millhand.engine.snapshot import EngineSnapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "millhand"


class Metrics:
    """The metrics of one engine, in a registry of their own: two engines never mix."""

    def __init__(self, snapshot: Callable[[], EngineSnapshot]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_CellCollector(snapshot))
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Take a snapshot and write it in Prometheus's text format."""
        return generate_latest(self._registry)


class _CellCollector(Collector):
    def __init__(self, snapshot: Callable[[], EngineSnapshot]) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterator[Metric]:
        """Name nothing before: nobody may ask the engine while it is being registered."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of the cell."""
        now = self._snapshot()
        yield InfoMetricFamily(
            _PREFIX, "Version and cell.", {"version": __version__, "cell": now.scenario}
        )
        yield from _counters(now)
        yield from _gauges(now)
        yield from _latency(now)


def _counters(now: EngineSnapshot) -> Iterator[Metric]:
    yield _counter("parts_triggered", "Part triggers seen, the missed ones too.",
                   now.parts_triggered)  # fmt: skip
    yield _counter("parts_done", "Parts with a journalled outcome.", now.parts_done)
    parts = CounterMetricFamily(
        f"{_PREFIX}_dispositions", "Parts by disposition.", labels=["disposition"]
    )
    for disposition in Disposition:
        parts.add_metric([disposition.value], now.dispositions.get(disposition.value, 0))
    yield parts
    yield _counter("journal_entries", "Durable entries of the journal.", now.journal_head)


def _gauges(now: EngineSnapshot) -> Iterator[Metric]:
    yield _gauge("ready", "1 while the cell can decide and act.", readiness(now).ready)
    yield _gauge("safe_mode", "1 in safe mode.", now.safe_mode)
    yield _gauge("started_seconds", "When the engine started, Unix time.",
                 now.started_utc_ns / 1e9)  # fmt: skip
    yield _gauge("queue", "Triggers that wait for their agent.", now.queued)
    yield _gauge("journal_writable", "0 while the journal cannot be written.",
                 not now.journal_fault)  # fmt: skip
    yield _labelled(
        "device_up",
        "1 while a device's link is up.",
        "device",
        {name: state.link is Link.UP for name, state in now.devices.items()},
    )
    yield _labelled("agent_ready", "1 while an agent can decide.", "agent", dict(now.agents_ready))
    yield _labelled(
        "alarms_active", "Alarms that stand, by name.", "alarm", dict(now.alarms_active)
    )
    modes = GaugeMetricFamily(
        f"{_PREFIX}_agent_mode", "1 for the mode that an agent is in.", labels=["agent", "mode"]
    )
    for agent, mode in now.modes.items():
        for one in Mode:
            modes.add_metric([agent, one.value], float(one is mode))
    yield modes


def _latency(now: EngineSnapshot) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        f"{_PREFIX}_latency_seconds",
        "Trigger seen to result accepted, over the last thousand parts.",
        labels=["quantile"],
    )
    for quantile, value in (("0.5", now.latency_p50_ms), ("0.99", now.latency_p99_ms)):
        if value is not None:
            family.add_metric([quantile], value / 1000)
    yield family


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"{_PREFIX}_{name}", text, value=value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", text, value=float(value))


def _labelled(name: str, text: str, label: str, values: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family
