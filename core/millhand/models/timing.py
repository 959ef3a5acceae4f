"""Time a loaded graph: the same loop for the bench, for `auto` and for a student's budget."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from millhand.contracts.adapters import Session

NEEDED_GAIN = 0.20
"""A graph of another precision than fp32 must be this much faster, or it is not worth its loss."""

_WARM_UP_SHARE = 0.2
_FEWEST_RUNS = 20


class Times(Struct, frozen=True, kw_only=True):
    """Times of single runs, in milliseconds, and runs a second one after the other."""

    p50_ms: float
    p99_ms: float
    per_second: float
    runs: int


def time_runs(session: Session, inputs: Mapping[str, NDArray[Any]], seconds: float) -> Times:
    """Run ``inputs`` for about ``seconds`` (at least 20 times) after warming up for a fifth of it.

    With no seconds at all it is run once: on an emulated processor times say nothing.

    The garbage collector rests meanwhile, as it does between triggers in a worker.
    """
    if seconds:
        _repeat(session, inputs, seconds * _WARM_UP_SHARE, fewest=3)
    collecting = gc.isenabled()
    gc.disable()
    try:
        taken = (
            np.asarray(_repeat(session, inputs, seconds, fewest=_FEWEST_RUNS if seconds else 1))
            / 1e6
        )
    finally:
        if collecting:
            gc.enable()
    p50, p99 = np.percentile(taken, (50, 99))
    return Times(
        p50_ms=float(p50),
        p99_ms=float(p99),
        per_second=float(1e3 * len(taken) / taken.sum()),
        runs=len(taken),
    )


def _repeat(
    session: Session, inputs: Mapping[str, NDArray[Any]], seconds: float, fewest: int
) -> list[int]:
    taken: list[int] = []
    clock = time.perf_counter_ns
    end = clock() + int(seconds * 1e9)
    before = clock()
    while before < end or len(taken) < fewest:
        session.run(inputs)
        after = clock()
        taken.append(after - before)
        before = after
    return taken
