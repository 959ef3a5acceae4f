"""The teacher: the pre-trained trunk with a head fitted on good pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from millhand.distil.dataset import Arrays
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import TeacherCard
from millhand_quality.inspect.detector import HEAT, NOVELTY, SCORE, Detector, fit_detector
from millhand_quality.inspect.distil.config import TrunkTeacherConfig
from millhand_quality.inspect.features import FeatureExtractor, plan_input
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.package import TEACHER
from millhand_quality.inspect.pictures import Pixels, Shape
from millhand_quality.inspect.select import CANDIDATES, taps_of


class TrunkTeacher:
    """Knows good parts by the features of a backbone that has seen the world.

    It has to :meth:`study` good pictures of the product before it can label any. Implements
    :class:`millhand.distil.roles.Teacher`.
    """

    Config: ClassVar[type[TrunkTeacherConfig]] = TrunkTeacherConfig

    def __init__(self, config: TrunkTeacherConfig) -> None:
        self._config = config
        self._runner: GraphRunner | None = None

    def card(self) -> TeacherCard:
        """Say whose backbone it is and which term permits distillation."""
        return TEACHER

    @property
    def pictures(self) -> int:
        """How many good pictures it studies at most."""
        return self._config.pictures

    def study(self, good: Sequence[Pixels]) -> Detector:
        """Fit the head on good pictures ``(h, w, c) uint8`` of one size, each another part.

        Takes the first :attr:`pictures`. Returns what it then goes by.

        Raises:
            ConfigError: fewer than two pictures.
        """
        taken = list(good[: self.pictures])
        if len(taken) < 2:
            raise ConfigError(
                tr("The teacher needs two good pictures or more to study."),
                mend=tr("Add good pictures to the data of the plan."),
            )
        choices = CANDIDATES[self._config.head]
        plan = plan_input(Shape.of(taken[0]), self._config.size)
        features = FeatureExtractor(plan, taps_of({self._config.head: choices})).stack(taken)
        detector = fit_detector(plan, choices, features, [str(n) for n in range(len(taken))])
        self._runner = GraphRunner(detector.graph().SerializeToString())
        return detector

    def label(self, items: Sequence[Arrays]) -> Sequence[Arrays]:
        """Return score, heat map and novelty of each ``image``.

        Raises:
            ConfigError: it has not studied.
        """
        if self._runner is None:
            raise ConfigError(
                tr("The teacher has not studied good pictures yet."),
                mend=tr("Use it with the student “quality.cells”, which lets it study first."),
            )
        readings = [self._runner(np.ascontiguousarray(item["image"])) for item in items]
        return [
            {
                SCORE: np.array([one.score], np.float32),
                HEAT: one.heat,
                NOVELTY: np.array([one.novelty], np.float32),
            }
            for one in readings
        ]

    def close(self) -> None:
        """Give the session back."""
        self._runner = None


def trunk(teacher: object) -> TrunkTeacher:
    """Return the teacher as the trunk that it must be.

    Raises:
        ConfigError: it is another one.
    """
    if not isinstance(teacher, TrunkTeacher):
        raise ConfigError(
            tr("This student learns from the trunk only."),
            mend=tr("Name “quality.trunk” as the plan's teacher."),
        )
    return teacher
