"""Figures of localisation and of whole pictures, as the reference tables define them.

Cell AUROC: cells of the picture that hold a defect against cells of the same pictures that are
neither defective nor beside one. Within-frame pixel AUROC: the mean over pictures of the AUROC of
defective against other pixels. Peak: does the hottest pixel lie on a defect, or within half a cell
of the coarsest grid (8 pixels) of it?
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from inspection_data import BenchmarkSet, Shown
from numpy.typing import NDArray

from millhand_quality.inspect.select import auroc

PEAK_TOLERANCE = 8
OTHER_PIXELS = 4_000
"""Pixels without defect that enter a picture's pixel AUROC, evenly spread."""

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Located:
    """Localisation in the defective pictures of a set."""

    cell_auroc: float
    pixel_auroc: float
    peak: float
    peak_by_part: dict[str, float]
    cell_by_part: dict[str, float]

    @property
    def worst_peak(self) -> float:
        """The peak rate of the worst part."""
        return min(self.peak_by_part.values())


class Locator:
    """Knows a set's marked cells; judges maps of its defective pictures."""

    def __init__(self, benchmark: BenchmarkSet) -> None:
        self._cell, self._shown = benchmark.cell, benchmark.shown
        self._masks = [_shrunk(one, self._shown) for one in benchmark.test_defective]
        self._parts = np.array([one.part for one in benchmark.test_defective])
        marked = np.stack([self._cells(mask.astype(np.float32)) > 0 for mask in self._masks])
        around = np.ones((3, 3), np.uint8)
        near = np.stack([cv2.dilate(one.astype(np.uint8), around) > 0 for one in marked])
        self._marked, self._far = marked, ~near
        reach = np.ones((2 * PEAK_TOLERANCE + 1, 2 * PEAK_TOLERANCE + 1), np.uint8)
        self._near = [cv2.dilate(mask.astype(np.uint8), reach) > 0 for mask in self._masks]

    def _cells(self, shown: Array) -> Array:
        rows, columns = (-(-side // self._cell) for side in self._shown)
        padded = np.full((rows * self._cell, columns * self._cell), -np.inf, np.float32)
        padded[: shown.shape[0], : shown.shape[1]] = shown
        cells = padded.reshape(rows, self._cell, columns, self._cell).max(axis=(1, 3))
        return np.asarray(cells, np.float32)

    def __call__(self, heats: Array, parts: Sequence[str] | None = None) -> Located:
        """Judge maps ``(n, rows, columns)`` in the order of the set's defective pictures.

        Args:
            heats: maps of all defective pictures.
            parts: only those that show these parts.
        """
        taken = [index for index, part in enumerate(self._parts) if parts is None or part in parts]
        height, width = self._shown
        large = {
            index: cv2.resize(heats[index], (width, height), interpolation=cv2.INTER_LINEAR)
            for index in taken
        }
        cells = {index: self._cells(one) for index, one in large.items()}
        peaks = {index: self._peak(index, large[index]) for index in taken}
        names = sorted({str(self._parts[index]) for index in taken})
        of = {name: [index for index in taken if self._parts[index] == name] for name in names}
        return Located(
            cell_auroc=self._cell_auroc(cells, taken),
            pixel_auroc=float(np.mean([self._pixel_auroc(index, large[index]) for index in taken])),
            peak=float(np.mean([peaks[index] for index in taken])),
            peak_by_part={
                name: float(np.mean([peaks[index] for index in own])) for name, own in of.items()
            },
            cell_by_part={name: self._cell_auroc(cells, own) for name, own in of.items()},
        )

    def _peak(self, index: int, large: Array) -> bool:
        row, column = np.unravel_index(int(large.argmax()), large.shape)
        return bool(self._near[index][row, column])

    def _pixel_auroc(self, index: int, large: Array) -> float:
        mask = self._masks[index]
        other = large[~mask]
        return auroc(large[mask], other[:: max(1, len(other) // OTHER_PIXELS)])

    def _cell_auroc(self, cells: dict[int, Array], taken: Sequence[int]) -> float:
        marked = np.concatenate([cells[index][self._marked[index]] for index in taken])
        far = np.concatenate([cells[index][self._far[index]] for index in taken])
        return auroc(marked, far)


def _shrunk(one: Shown, shown: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask at the shown size; a defect never vanishes by shrinking."""
    assert one.mask is not None
    height, width = shown
    small = cv2.resize(one.mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return small > min(0.25, float(small.max()) * 0.5)


def trivial_baselines(benchmark: BenchmarkSet) -> dict[str, float]:
    """Return what a whole-picture AUROC would be from what is no inspection at all."""
    good = benchmark.test_good or benchmark.fit
    bad = benchmark.test_defective
    rules: dict[str, Callable[[Shown], float]] = {
        "time step": lambda one: float(one.step),
        "brightness": lambda one: float(np.mean(one.pixels)),
        "contrast": lambda one: float(np.std(one.pixels)),
        "file size": lambda one: float(one.path.stat().st_size),
    }
    found = {}
    for name, rule in rules.items():
        values = [np.array([rule(one) for one in group]) for group in (bad, good)]
        if len(np.unique(np.concatenate(values))) > 1:
            area = auroc(values[0], values[1])
            found[name] = max(area, 1 - area)
    return found


def darkness_map(pixels: NDArray[np.uint8]) -> Array:
    """A map that needs no fitting: how far a pixel is from its surroundings."""
    grey = pixels.mean(axis=2).astype(np.float32)
    return np.asarray(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 15)), np.float32)
