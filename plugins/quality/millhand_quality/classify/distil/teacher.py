"""The teacher ``quality.backbone``: a pre-trained backbone with a linear head on the labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from millhand.distil.dataset import Arrays
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import TeacherCard
from millhand_quality.classify.distil.config import BackboneTeacherConfig
from millhand_quality.inspect.package import TEACHER

LOGITS = "logits"
"""Name of what the teacher gives for each item."""


class BackboneTeacher:
    """Knows the world's pictures, and kinds of defect once it has seen labelled ones.

    It has to :meth:`study` before it can label. Implements
    :class:`millhand.distil.roles.Teacher`.
    """

    Config: ClassVar[type[BackboneTeacherConfig]] = BackboneTeacherConfig

    def __init__(self, config: BackboneTeacherConfig) -> None:
        self._config = config
        self._features: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None
        self._head: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def card(self) -> TeacherCard:
        """Say whose backbone it is and which term permits distillation."""
        return TEACHER

    @property
    def views(self) -> int:
        """How many views of each item it studies."""
        return self._config.views

    def features(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the backbone's features of ``(n, side, side, 3) uint8`` as ``(n, features)``."""
        if self._features is None:
            from millhand_quality.classify.distil.backbone import backbone

            self._features = backbone(self._config.run_by, self._config.size)
        return self._features(pictures)

    def study(
        self, features: NDArray[np.float32], targets: NDArray[np.int64], classes: int
    ) -> None:
        """Fit the head on features of labelled views."""
        from millhand_quality.classify.distil.linear import fit_linear

        self._head = fit_linear(features, targets, classes, self._config.decay)

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the head's logits, ``(n, classes)``.

        Raises:
            ConfigError: it has not studied.
        """
        if self._head is None:
            raise ConfigError(
                tr("The teacher has not studied labelled pictures yet."),
                mend=tr("Use it with the student “quality.kinds”, which lets it study first."),
            )
        weight, bias = self._head
        return np.asarray(features @ weight + bias, np.float32)

    def label(self, items: Sequence[Arrays]) -> Sequence[Arrays]:
        """Return the logits of each ``image`` ``(side, side, 3) uint8``."""
        shown = np.stack([np.asarray(item["image"], np.uint8) for item in items])
        return [{LOGITS: row} for row in self.logits(self.features(shown))]

    def close(self) -> None:
        """Give the session back."""
        self._features = None
