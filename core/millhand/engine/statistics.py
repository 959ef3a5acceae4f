"""Counters of a running cell, for live views; the journal is the truth."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil

from millhand.contracts import Disposition
from millhand.engine.snapshot import LastDecision


@dataclass(slots=True)
class Statistics:
    """Counts since the engine started, and the latencies of the last parts."""

    parts_triggered: int = 0
    parts_done: int = 0
    current_part: str | None = None
    product: str | None = None
    dispositions: dict[str, int] = field(default_factory=dict)
    last: LastDecision | None = None
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=1000))

    def count(self, disposition: Disposition | None) -> None:
        """Count a journalled disposition."""
        if disposition is not None:
            name = disposition.value
            self.dispositions[name] = self.dispositions.get(name, 0) + 1

    def finished(self, decision: LastDecision) -> None:
        """Note a decision whose outcome is known."""
        self.parts_done += 1
        self.last = decision
        if decision.latency_ms is not None:
            self.latencies_ms.append(decision.latency_ms)

    def percentile_ms(self, share: float) -> float | None:
        """Return a percentile, ``share`` from 0 to 1, of the latencies; None without any."""
        if not self.latencies_ms:
            return None
        ordered = sorted(self.latencies_ms)
        return ordered[max(0, ceil(share * len(ordered)) - 1)]
