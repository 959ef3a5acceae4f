"""Running a detector's graph on pictures, outside an engine: while fitting and in ``score``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millhand_quality.inspect.detector import COUNTS, HEAT, NOVELTY, SCORE
from millhand_quality.inspect.features import IMAGE
from millhand_quality.inspect.pictures import Pixels
from millhand_quality.inspect.runtime import open_session
from millhand_quality.inspect.trunk import Array


@dataclass(frozen=True, slots=True)
class Reading:
    """What the graph says of one picture."""

    score: float
    heat: Array
    """``(rows, columns) float32``."""
    novelty: float
    counts: NDArray[np.uint8] | None = None
    """``(height, width)``, of a graph that holds a template against the picture."""

    def outputs(self) -> dict[str, NDArray[Any]]:
        """Return the graph's outputs by name, as golden outputs are kept."""
        found: dict[str, NDArray[Any]] = {
            SCORE: np.array([self.score], np.float32),
            HEAT: self.heat,
            NOVELTY: np.array([self.novelty], np.float32),
        }
        return found if self.counts is None else {**found, COUNTS: self.counts}


class GraphRunner:
    """A graph opened on ONNX Runtime, CPU, one thread."""

    def __init__(self, graph: bytes, threads: int = 1) -> None:
        self._session = open_session(graph, threads)
        there = {one.name for one in self._session.get_outputs()}
        self._names = [name for name in (SCORE, HEAT, NOVELTY, COUNTS) if name in there]

    def __call__(self, pixels: Pixels) -> Reading:
        """Judge one picture in the frame's shape."""
        score, heat, novelty, *counts = self._session.run(self._names, {IMAGE: pixels})
        return Reading(
            float(score[0]),
            np.asarray(heat, np.float32),
            float(novelty[0]),
            counts[0] if counts else None,
        )

    def times_ms(self, pixels: Pixels, repeats: int = 30) -> list[float]:
        """Return how long each of some runs took, warmed up, in milliseconds."""
        for _ in range(5):
            self(pixels)
        times = []
        for _ in range(repeats):
            start = time.perf_counter_ns()
            self(pixels)
            times.append((time.perf_counter_ns() - start) / 1e6)
        return times
