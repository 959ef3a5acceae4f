"""The teacher ``quality.kernels``: random kernels with a linear head on the labels."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from millhand.models.manifest import Permission, TeacherCard
from millhand_quality.classify.distil.teacher import StudyingTeacher, not_studied
from millhand_quality.signals.distil.config import KernelsTeacherConfig
from millhand_quality.signals.distil.kernels import Kernels
from millhand_quality.signals.parameters import SIGNAL

CARD = TeacherCard(
    id="quality.kernels",
    kind="ensemble",
    licence="Apache-2.0",
    permission=Permission.GRANTED,
    evidence="Drawn at random and fitted on the plan's own labels: there is no third party's "
    "work in it. The method (ROCKET, 2020) is published and free.",
    stated_by="millhand-quality",
)


class KernelsTeacher(StudyingTeacher):
    """Looks at ``signal`` ``(channels, length) float32``.

    Implements :class:`millhand.distil.roles.Teacher`.
    """

    Config: ClassVar[type[KernelsTeacherConfig]] = KernelsTeacherConfig
    name = SIGNAL

    def __init__(self, config: KernelsTeacherConfig) -> None:
        super().__init__(config.decay, config.views)
        self._config = config
        self._kernels: Kernels | None = None
        self._usual: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def card(self) -> TeacherCard:
        """Say that it is the plan's own."""
        return CARD

    def prepare(self, labelled: NDArray[Any]) -> None:
        """Take mean and spread of each channel from the labelled curves."""
        mean = np.asarray(labelled.mean(axis=(0, 2)), np.float32)
        spread = np.asarray(labelled.std(axis=(0, 2)) + 1e-6, np.float32)
        self._usual = (mean[:, None], spread[:, None])

    def features(self, shown: NDArray[Any]) -> NDArray[np.float32]:
        """Return the kernels' features of ``(n, channels, length)``.

        Raises:
            ConfigError: it has not seen labelled curves.
        """
        if self._usual is None:
            raise not_studied()
        curves = np.asarray(shown, np.float32)
        curves = curves[:, None] if curves.ndim == 2 else curves
        mean, spread = self._usual
        if self._kernels is None:
            config = self._config
            _, channels, length = curves.shape
            self._kernels = Kernels(config.kernels, channels, length, config.seed)
        return self._kernels((curves - mean) / spread)

    def close(self) -> None:
        """Give the kernels back."""
        self._kernels = None
