"""The student ``quality.cells``: learns marked cells and the trunk's map, runs in a millisecond."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np

from millhand.contracts.agent import Model
from millhand.distil.dataset import Items
from millhand.distil.roles import Exported, GoldenPair, Lesson, Teacher
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import Metric
from millhand_quality.inspect.distil.config import CellStudentConfig
from millhand_quality.inspect.distil.examples import GOOD, Examples, pairs, read_examples
from millhand_quality.inspect.distil.figures import Outcome, compared
from millhand_quality.inspect.distil.graph import Trained, graph_of
from millhand_quality.inspect.distil.novelty import fit_novelty, pooled
from millhand_quality.inspect.distil.teacher import TrunkTeacher
from millhand_quality.inspect.distil.training import on_teacher_grid, standardised, train
from millhand_quality.inspect.evaluate import peak_touches
from millhand_quality.inspect.features import IMAGE
from millhand_quality.inspect.detector import HEAT, NOVELTY, SCORE
from millhand_quality.inspect.package import MEANINGS
from millhand_quality.inspect.parameters import FrameSize, InspectParameters
from millhand_quality.inspect.threshold import Thresholds, calibrate
from millhand_quality.inspect.trunk import Array

NOVELTY_PICTURES = 400
NOVELTY_FACTOR = 1.5
"""A picture is foreign when it is this many times as novel as any good one of the calibration."""
GOLDEN_ABSOLUTE, GOLDEN_RELATIVE = 0.01, 0.005
"""How far another run time may be off, in units of an ordinary good picture's worst cell."""
DETECTOR = "distilled cells"
MEANING = {
    **MEANINGS,
    NOVELTY: "how foreign the whole picture is, in standard deviations of good pictures' features",
}
READ, TAUGHT, LEARNT = 0.1, 0.2, 0.95
"""How far learning is when pictures are read, the teacher has answered, the net is trained."""
MANY = 32


class CellStudent:
    """Implements :class:`millhand.distil.roles.Student`."""

    Config: ClassVar[type[CellStudentConfig]] = CellStudentConfig

    def __init__(self, config: CellStudentConfig) -> None:
        self._config = config

    def learn(self, lesson: Lesson) -> Exported:
        """Learn from marks and from the trunk, calibrate on good pictures, export.

        Raises:
            ConfigError: the teacher is no trunk, or pictures or masks do not fit.
        """
        teacher = _trunk(lesson.teacher)
        if lesson.pool:
            raise ConfigError(
                tr("The student “quality.cells” has no use for a pool."),
                mend=tr("Set the share “pool” of the plan's split to 0."),
            )
        examples = read_examples(
            lesson.train, lesson.workspace / "train.npy", _part(lesson, 0, READ, "reading")
        )
        teacher.study([examples.pictures[place] for place in examples.good[:_STUDIED]])
        maps = self._teacher_maps(teacher, examples, _part(lesson, READ, TAUGHT, "teacher"))
        learning = _part(lesson, TAUGHT, LEARNT, "loss")
        net = train(
            examples,
            maps,
            self._config,
            lesson.plan.seed,
            lambda fraction, loss: learning(fraction, loss),
        )
        ...
