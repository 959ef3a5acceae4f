"""What one run of a graph costs in energy: read from the processor's counter, or estimated.

Where Linux shows the processor's energy counter (RAPL, through powercap), it is read before and
after. Elsewhere (virtual machines, most ARM boards, or without the right to read it) the processor
time is multiplied by what a busy core draws, which nobody here can know: the range is wide, and the
passport says that it is an estimate.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from millhand.contracts.adapters import Session, Used
from millhand.models.manifest import Energy

POWERCAP = Path("/sys/class/powercap")
LEAST_W, USUAL_W, MOST_W = 2.0, 6.0, 15.0
"""What a busy core draws: in a fanless computer, in an office one, in a server at its highest."""
_MILLI = 1e3
_MICRO = 1e-6


def energy_of(
    session: Session,
    inputs: Mapping[str, NDArray[Any]],
    seconds: float,
    *,
    counters: Path = POWERCAP,
) -> Energy:
    """Run ``inputs`` for about ``seconds`` and state the energy of one run.

    Blocks, twice as long where the counter can be read: the idle machine is looked at as well.

    Args:
        session: a loaded graph.
        inputs: of one run.
        seconds: how long it runs.
        counters: where Linux shows the processor's energy counters.
    """
    read = packages(counters)
    idle_w = 0.0
    if read:
        before = joules(read)
        time.sleep(seconds)
        idle_w = spent(read, before) / seconds
    before, began = joules(read), time.monotonic()
    cpu, runs = time.process_time(), 0
    while runs == 0 or time.monotonic() - began < seconds:
        session.run(inputs)
        runs += 1
    took, busy_s = time.monotonic() - began, (time.process_time() - cpu) / runs
    whole = spent(read, before) / runs
    above_idle = whole - idle_w * took / runs
    return _stated(session.used, busy_s, (above_idle, whole) if read else None)


def _stated(used: Used, busy_s: float, counted: tuple[float, float] | None) -> Energy:
    if counted is None:
        value, low, high = busy_s * USUAL_W, busy_s * LEAST_W, busy_s * MOST_W
        method = (
            f"{busy_s * _MILLI:.3g} ms of processor time at {LEAST_W:g} to {MOST_W:g} W a busy "
            f"core, {USUAL_W:g} W taken; no counter could be read"
        )
    else:
        low, high = max(0.0, min(counted)), max(0.0, *counted)
        value = high
        method = (
            "RAPL: from what is above the idle machine to the whole processor's, which is taken"
        )
    return Energy(
        target=used.device,
        runtime=used.runtime,
        precision=used.precision,
        threads=used.threads,
        millijoules=value * _MILLI,
        low=low * _MILLI,
        high=high * _MILLI,
        source="estimated" if counted is None else "measured",
        method=method,
        measured=datetime.now(UTC).date().isoformat(),
    )


def packages(counters: Path) -> tuple[Path, ...]:
    """Return the processors' own counters (not those of their parts) that can be read here."""
    found = []
    for zone in sorted(counters.glob("*-rapl:*")):
        try:
            if (zone / "name").read_text(encoding="ascii").startswith("package"):
                (zone / "energy_uj").read_text(encoding="ascii")
                found.append(zone)
        except (OSError, UnicodeDecodeError):
            continue
    return tuple(found)


def joules(zones: tuple[Path, ...]) -> tuple[float, ...]:
    """Read the counters, in joules."""
    return tuple(_number(zone / "energy_uj") * _MICRO for zone in zones)


def spent(zones: tuple[Path, ...], before: tuple[float, ...]) -> float:
    """Return the joules since ``before``; a counter that began anew is counted on."""
    total = 0.0
    for zone, first, last in zip(zones, before, joules(zones), strict=True):
        again = _number(zone / "max_energy_range_uj") * _MICRO if last < first else 0.0
        total += last - first + again
    return total


def _number(file: Path) -> float:
    return float(file.read_text(encoding="ascii"))
