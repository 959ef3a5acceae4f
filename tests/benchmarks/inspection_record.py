"""Rows of the inspection benchmark, kept with their graphs so that they can be timed later."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from inspection_figures import Located
from inspection_times import Times

RECORD = "record.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was found in each draw."""

    set: str
    pictures: int
    detector: str
    frame: tuple[int, int, int]
    """Height, width and channels of a picture."""
    input: str
    draws: int
    located: tuple[Located, ...]
    image_auroc: tuple[float, ...]
    fit_s: float
    megabytes: float
    int8_megabytes: float
    int8_cell: float
    same_draw_cell: float

    def over_draws(self, figure: Callable[[Located], float]) -> tuple[float, float]:
        """Return mean and standard deviation of a figure."""
        values = [figure(one) for one in self.located]
        return float(np.mean(values)), float(np.std(values))


@dataclass(frozen=True, slots=True)
class Timed:
    """A row with the times of its last draw's graphs."""

    row: Row
    fp32: Times
    int8: Times


class Record:
    """A folder with rows, their graphs and how they were measured.

    Args:
        folder: made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.rows: list[Row] = []
        self.facts: dict[str, str] = {}
        self.notes: list[str] = []
        """Lines for the report."""

    def add(self, row: Row, fp32: onnx.ModelProto, int8: onnx.ModelProto) -> None:
        """Keep a row with its graphs."""
        for name, model in (("fp32", fp32), ("int8", int8)):
            onnx.save(model, self._graph(len(self.rows), name))
        self.rows.append(row)

    def graphs(self) -> Iterator[tuple[Row, onnx.ModelProto, onnx.ModelProto]]:
        """Return each row with its graphs, in 32 and in 8 bits."""
        for place, row in enumerate(self.rows):
            fp32, int8 = (onnx.load(self._graph(place, name)) for name in ("fp32", "int8"))
            yield row, fp32, int8

    def _graph(self, place: int, name: str) -> Path:
        return self._folder / f"{place:02d}-{name}.onnx"

    def save(self) -> None:
        """Write what is not a graph."""
        record = {
            "rows": [dataclasses.asdict(row) for row in self.rows],
            "facts": self.facts,
            "notes": self.notes,
        }
        (self._folder / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Record:
        """Read what :meth:`save` wrote."""
        found = cls(folder)
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        for entry in record["rows"]:
            entry["located"] = tuple(Located(**one) for one in entry["located"])
            entry["frame"] = tuple(entry["frame"])
            entry["image_auroc"] = tuple(entry["image_auroc"])
            found.rows.append(Row(**entry))
        found.facts, found.notes = record["facts"], record["notes"]
        return found
