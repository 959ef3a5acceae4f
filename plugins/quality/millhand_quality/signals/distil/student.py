"""The student ``quality.curves``: a small classifier of measured curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from millhand.distil.dataset import Items
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.classify.distil.classifier import ClassifierStudent
from millhand_quality.classify.distil.labelled import Labelled
from millhand_quality.signals.distil.config import CurvesStudentConfig
from millhand_quality.signals.distil.curves import Curves, CurveWays, read_curves
from millhand_quality.signals.distil.net import CurveNet, graph_of
from millhand_quality.signals.parameters import PROBABILITIES, SIGNAL, CurveParameters


class CurvesStudent(ClassifierStudent):
    """Looks at curves of one shape; any teacher that gives logits for them will do.

    Implements :class:`millhand.distil.roles.Student`.
    """

    Config: ClassVar[type[CurvesStudentConfig]] = CurvesStudentConfig
    name = SIGNAL
    meanings: ClassVar[Mapping[str, str]] = {
        SIGNAL: "one curve by channel and moment, in the units of the data",
        PROBABILITIES: "probability of each of the package's classes, calibrated; they sum to 1",
    }

    def __init__(self, config: CurvesStudentConfig) -> None:
        super().__init__(config)
        self._config = config
        self._ways = CurveWays(config.shift, config.gain, config.noise)
        self._shape = (0, 0)

    def read(self, items: Items, file: Path, step: Callable[[float], None]) -> Curves:
        """Read curves.

        Raises:
            ConfigError: the shelves differ in shape, or an item is no curve.
        """
        found = read_curves(items, file, step)
        _, channels, length = found.stored.shape
        if self._shape not in ((0, 0), (channels, length)):
            raise ConfigError(
                tr("Curves to learn from and others of the plan differ in shape."),
                mend=tr("Bring all curves to one length."),
            )
        self._shape = (channels, length)
        return found

    def view(self, shown: Labelled, draw: np.random.Generator) -> NDArray[Any]:
        """Return moved and scaled curves with noise."""
        return self._ways.view(shown.stored, draw)

    def net(self, classes: int) -> CurveNet:
        """Return the net of curves."""
        return CurveNet(self._config.width, self._shape[0], classes)

    def graph(self, net: nn.Module, temperature: float) -> bytes:
        """Write the graph from a curve on."""
        assert isinstance(net, CurveNet)
        written: bytes = graph_of(net, temperature, self._shape[1]).SerializeToString()
        return written

    def parameters(self, classes: tuple[str, ...], answer_from: float) -> Mapping[str, Any]:
        """Return classes, shape, and from which confidence it answers."""
        channels, length = self._shape
        found = CurveParameters(
            classes=classes, channels=channels, length=length, answer_from=answer_from
        )
        return found.model_dump(mode="json")
