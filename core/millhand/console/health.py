"""Whether a cell is ready for its work, from its snapshot alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from millhand.contracts.adapters import Link
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.engine.snapshot import EngineSnapshot


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether the cell can decide and act; where it cannot, why not."""

    ready: bool
    cell: str
    reasons: tuple[str, ...] = ()


def readiness(snapshot: EngineSnapshot) -> Readiness:
    """Say whether a cell is ready: journal writable, devices up, agents able to decide."""
    reasons = tuple(_reasons(snapshot))
    return Readiness(ready=not reasons, cell=snapshot.scenario, reasons=reasons)


def _reasons(snapshot: EngineSnapshot) -> list[str]:
    found = []
    if snapshot.safe_mode:
        found.append(tr("Safe mode: no plugin, no device."))
    if snapshot.journal_fault:
        found.append(snapshot.journal_fault)
    found += [
        tr("{device} is {link}: {detail}", device=name, link=state.link.value, detail=state.detail)
        for name, state in snapshot.devices.items()
        if state.link is not Link.UP
    ]
    found += [
        tr("{agent} cannot decide.", agent=name)
        for name, ready in snapshot.agents_ready.items()
        if not ready
    ]
    return found


def status_line(snapshot: EngineSnapshot) -> str:
    """Say in one line how the cell is, for a service manager."""
    found = readiness(snapshot)
    said = tr("{count} parts", count=snapshot.parts_done)
    how = found.reasons[0] if found.reasons else tr("ready")
    return f"{said}; {how}"
