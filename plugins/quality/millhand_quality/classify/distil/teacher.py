"""Teachers that study a plan's labelled items first: a fixed map to features, a linear head."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from millhand.distil.dataset import Arrays
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import TeacherCard
from millhand_quality.classify.distil.config import BackboneTeacherConfig
from millhand_quality.classify.parameters import IMAGE
from millhand_quality.inspect.package import TEACHER

LOGITS = "logits"
"""Name of what a teacher gives for each item."""


class StudyingTeacher(ABC):
    """Has to :meth:`study` before it can label."""

    name: ClassVar[str]
    """Of the array that it looks at."""

    def __init__(self, decay: float, views: int) -> None:
        self._decay = decay
        self.views = views
        """How many views of each item it studies."""
        self._head: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def prepare(self, labelled: NDArray[Any]) -> None:  # noqa: B027
        """See the labelled items as they are, before features are asked; most need not."""

    @abstractmethod
    def features(self, shown: NDArray[Any]) -> NDArray[np.float32]:
        """Return ``(n, features)`` of ``(n, …)``; the same whatever was studied."""

    def study(
        self, features: NDArray[np.float32], targets: NDArray[np.int64], classes: int
    ) -> None:
        """Fit the head on features of labelled views."""
        from millhand_quality.classify.distil.linear import fit_linear

        self._head = fit_linear(features, targets, classes, self._decay)

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the head's logits, ``(n, classes)``.

        Raises:
            ConfigError: it has not studied.
        """
        if self._head is None:
            raise not_studied()
        weight, bias = self._head
        return np.asarray(features @ weight + bias, np.float32)

    def label(self, items: Sequence[Arrays]) -> Sequence[Arrays]:
        """Return the logits of each item."""
        shown = np.stack([np.asarray(item[self.name]) for item in items])
        return [{LOGITS: row} for row in self.logits(self.features(shown))]


def not_studied() -> ConfigError:
    """Say that a teacher was asked before it could know."""
    return ConfigError(
        tr("The teacher has not studied labelled items yet."),
        mend=tr("Use it with a student that lets it study first, like “quality.kinds”."),
    )


class BackboneTeacher(StudyingTeacher):
    """Knows the world's pictures, and kinds of defect once it has seen labelled ones.

    Looks at ``image`` ``(side, side, 3) uint8``. Implements
    :class:`millhand.distil.roles.Teacher`.
    """

    Config: ClassVar[type[BackboneTeacherConfig]] = BackboneTeacherConfig
    name = IMAGE

    def __init__(self, config: BackboneTeacherConfig) -> None:
        super().__init__(config.decay, config.views)
        self._config = config
        self._features: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None

    def card(self) -> TeacherCard:
        """Say whose backbone it is and which term permits distillation."""
        return TEACHER

    def features(self, shown: NDArray[Any]) -> NDArray[np.float32]:
        """Return the backbone's features of ``(n, side, side, 3) uint8`` as ``(n, features)``."""
        if self._features is None:
            from millhand_quality.classify.distil.backbone import backbone

            self._features = backbone(self._config.run_by, self._config.size)
        return self._features(shown)

    def close(self) -> None:
        """Give the session back."""
        self._features = None
