"""How a running engine is at this moment: what live views, consoles and metrics show."""

from __future__ import annotations

from msgspec import Struct

from millhand.contracts.adapters import Link
from millhand.contracts.decision import Disposition, Verdict
from millhand.contracts.modes import Mode


class LastDecision(Struct, frozen=True, kw_only=True):
    """The decision made last."""

    id: str
    agent: str
    part_id: str
    product: str | None = None
    verdict: Verdict | None = None
    disposition: Disposition | None = None
    reason: str = ""
    latency_ms: float | None = None
    """Trigger seen to result accepted; None while it is not accepted, or never will be."""


class DeviceState(Struct, frozen=True, kw_only=True):
    """A device's link."""

    link: Link
    detail: str = ""


class EngineSnapshot(Struct, frozen=True, kw_only=True):
    """The engine at one moment. Cheap to take: counters, no journal is read."""

    scenario: str
    started_utc_ns: int
    parts_triggered: int = 0
    """Part triggers seen, the missed ones included."""
    parts_done: int = 0
    """Parts with a journalled outcome."""
    queued: int = 0
    """Triggers that wait for their agent."""
    current_part: str | None = None
    """The part now being decided."""
    product: str | None = None
    dispositions: dict[str, int] = {}
    """Disposition to number of parts."""
    last: LastDecision | None = None
    latency_p50_ms: float | None = None
    """Trigger seen to result accepted, over the last thousand parts or so."""
    latency_p99_ms: float | None = None
    modes: dict[str, Mode] = {}
    """Agent to its live mode."""
    devices: dict[str, DeviceState] = {}
    agents_ready: dict[str, bool] = {}
    """Agent to whether it can decide now."""
    journal_fault: str = ""
    """Why the last commit failed; empty while the journal can be written."""
    journal_head: int = 0
    """Number of the last durable entry."""
    alarms: tuple[str, ...] = ()
    """Texts of the alarms active now, the newest last, at most ten."""
    alarms_active: dict[str, int] = {}
    """Name of an alarm to how many of it stand."""
    calls: tuple[str, ...] = ()
    """Calls for people that are not closed, the oldest first."""
    safe_mode: bool = False
