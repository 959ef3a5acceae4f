"""The student ``quality.marks``: the trunk's Gaussian and, beside it, a net that knows defects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from millhand.contracts.agent import Model
from millhand.distil.dataset import Items
from millhand.distil.roles import Exported, Lesson, Teacher
from millhand.models.manifest import Metric
from millhand_quality.inspect.detector import (
    COARSE_TAPS,
    FINE_TAPS,
    HEAT,
    NOVELTY,
    SCORE,
    Detector,
)
from millhand_quality.inspect.distil.config import MarksStudentConfig
from millhand_quality.inspect.distil.examples import Examples
from millhand_quality.inspect.distil.figures import compare, metrics_of
from millhand_quality.inspect.distil.limits import golden_pair, judged_by_held, parameters_from
from millhand_quality.inspect.distil.marks_features import MarksFeatures, Scales
from millhand_quality.inspect.distil.marks_net import MarksNet
from millhand_quality.inspect.distil.marks_training import train_marks
from millhand_quality.inspect.distil.shelves import part_of, read_shelves
from millhand_quality.inspect.distil.teacher import trunk
from millhand_quality.inspect.heads.marks import deviations
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.package import MEANINGS, NOVELTY_FACTOR
from millhand_quality.inspect.pictures import Pixels
from millhand_quality.inspect.trunk import Array

READ, MEASURED, LEARNT = 0.1, 0.25, 0.85
"""How far learning is when pictures are read, features computed, the net is trained."""
WEIGHED_ON, LEAST_SHARE = 500, 5
"""Good pictures of the calibration, a fifth at most, that weigh the two maps; never the limits."""
RARE = 0.97
"""A score above this share of good pictures is rare."""


class MarksStudent:
    """Implements :class:`millhand.distil.roles.Student`; its teacher is a :class:`TrunkTeacher`.

    The teacher's Gaussian stays as it is: whatever differs from good parts is still found,
    whether its like was ever marked or not.
    """

    Config: ClassVar[type[MarksStudentConfig]] = MarksStudentConfig

    def __init__(self, config: MarksStudentConfig) -> None:
        self._config = config

    def learn(self, lesson: Lesson) -> Exported:
        """Learn from marks on the trunk's features, calibrate on good pictures, export.

        Raises:
            ConfigError: the teacher is no trunk, or pictures or masks do not fit.
        """
        teacher, config, say = trunk(lesson.teacher), self._config, lesson.report
        shown, held = read_shelves(lesson, READ)
        gaussian = teacher.study(
            [shown.pictures[place] for place in shown.good[: teacher.pictures]]
        )
        features = MarksFeatures(gaussian.plan, (level.taps for level in gaussian.levels))
        scales, read = features.shelf(shown, lesson.workspace, part_of(say, READ, MEASURED))
        net = train_marks(shown, read, config, lesson.plan.seed, part_of(say, MEASURED, LEARNT))
        both = _Both(gaussian, features, scales, net)
        apart = min(WEIGHED_ON, len(held.good) // LEAST_SHARE)
        detector = both.weighed(
            [held.pictures[place] for place in held.good[:apart]], config.weight
        )
        return self._exported(both, detector, held, apart)

    def evaluate(self, model: Model, teacher: Teacher, items: Items) -> Sequence[Metric]:
        """Measure on the sealed test, the Gaussian alone beside it."""
        return metrics_of(model, compare(model, teacher, items))

    def _exported(self, both: _Both, detector: Detector, held: Examples, apart: int) -> Exported:
        config, graph = self._config, detector.graph().SerializeToString()
        runner = GraphRunner(graph)
        golden = [int(group[0]) for group in (held.good, held.defective) if len(group)]
        parameters = parameters_from(
            [runner(held.pictures[place]) for place in held.good[apart:]],
            held.frame,
            detector="gaussian and marks",
            rates=(config.false_reject_rate, config.undecided_rate),
            novelty_factor=NOVELTY_FACTOR,
        )
        return Exported(
            graphs={"fp32": graph},
            meanings=MEANINGS,
            golden=[
                golden_pair(held.pictures[place], both.outputs(detector, held.pictures[place]))
                for place in golden
            ],
            parameters=parameters.model_dump(mode="json"),
            judged=judged_by_held(parameters, held),
        )


@dataclass(frozen=True, slots=True)
class _Both:
    """The Gaussian and the trained net, not yet joined."""

    gaussian: Detector
    features: MarksFeatures
    scales: Scales
    net: MarksNet

    @torch.no_grad()
    def logits(self, pixels: Pixels) -> Array:
        """Return the net's logits ``(1, rows, columns)``."""
        found = self.features(np.ascontiguousarray(pixels))
        fine = deviations(found[FINE_TAPS], self.scales.fine)
        coarse = deviations(found[COARSE_TAPS], self.scales.coarse)
        logits = self.net(torch.from_numpy(fine), torch.from_numpy(coarse))
        return np.asarray(logits.numpy(), np.float32)

    def weighed(self, good: Sequence[Pixels], weight: float) -> Detector:
        """Join them: what is as rare in both maps of good pictures adds ``weight`` to 1."""
        runner = GraphRunner(self.gaussian.graph().SerializeToString())
        scores = np.array([runner(np.ascontiguousarray(one)).score for one in good])
        worst = np.array([self.logits(one).max() for one in good])
        low = float(np.median(worst))
        rise = float(np.quantile(scores, RARE) - np.median(scores))
        logits_rise = max(float(np.quantile(worst, RARE)) - low, 1e-3)
        marks = self.net.marks(
            (self.scales.fine, self.scales.coarse), low, weight * rise / logits_rise
        )
        return replace(self.gaussian, marks=marks)

    def outputs(self, detector: Detector, pixels: Pixels) -> dict[str, Array]:
        """Judge one picture in numpy and torch: what the graph must reproduce."""
        assert detector.marks is not None
        maps = detector.maps(self.features(np.ascontiguousarray(pixels)))
        heat = maps.heat[0] + detector.marks.heat(self.logits(pixels))[0]
        return {
            SCORE: np.array([heat.max()], np.float32),
            HEAT: np.asarray(heat, np.float32),
            NOVELTY: maps.novelty,
        }
