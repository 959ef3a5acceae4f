"""The student ``quality.kinds``: a small classifier of squares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from millhand.distil.dataset import Items
from millhand_quality.classify.distil.classifier import ClassifierStudent
from millhand_quality.classify.distil.config import SIDE, KindsStudentConfig
from millhand_quality.classify.distil.graph import graph_of
from millhand_quality.classify.distil.labelled import Labelled
from millhand_quality.classify.distil.net import KindsNet
from millhand_quality.classify.distil.views import Squares, Ways, read_squares
from millhand_quality.classify.parameters import IMAGE, PROBABILITIES, KindsParameters


class KindsStudent(ClassifierStudent):
    """Looks at squares of 64 pixels; any teacher that gives logits will do.

    Implements :class:`millhand.distil.roles.Student`.
    """

    Config: ClassVar[type[KindsStudentConfig]] = KindsStudentConfig
    name = IMAGE
    meanings: ClassVar[Mapping[str, str]] = {
        IMAGE: "square around the place in question, RGB, 0 to 255",
        PROBABILITIES: "probability of each of the package's classes, calibrated; they sum to 1",
    }

    def __init__(self, config: KindsStudentConfig) -> None:
        super().__init__(config)
        self._config = config
        self._ways = Ways(config.shift, config.exposure, config.turns)

    def read(self, items: Items, file: Path, step: Callable[[float], None]) -> Squares:
        """Read squares, cut around what is marked."""
        return read_squares(items, file, step)

    def view(self, shown: Labelled, draw: np.random.Generator) -> NDArray[Any]:
        """Return moved, turned and lighted squares."""
        return self._ways.view(shown.stored, draw)

    def net(self, classes: int) -> KindsNet:
        """Return the net of squares."""
        return KindsNet(self._config.width, classes)

    def graph(self, net: nn.Module, temperature: float) -> bytes:
        """Write the graph from a square on."""
        assert isinstance(net, KindsNet)
        written: bytes = graph_of(net, temperature).SerializeToString()
        return written

    def parameters(self, classes: tuple[str, ...], answer_from: float) -> Mapping[str, Any]:
        """Return classes, side, and from which confidence it answers."""
        found = KindsParameters(classes=classes, side=SIDE, answer_from=answer_from)
        return found.model_dump(mode="json")
