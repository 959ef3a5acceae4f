"""The student ``quality.cells``: learns marked cells and the trunk's map, runs in a millisecond."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import torch

from millhand.contracts.agent import Model
from millhand.distil.dataset import Items
from millhand.distil.roles import Exported, GoldenPair, Lesson, Teacher
from millhand.models.manifest import Metric
from millhand_quality.inspect.detector import HEAT, NOVELTY
from millhand_quality.inspect.distil.cell_net import CellNet
from millhand_quality.inspect.distil.config import CellStudentConfig
from millhand_quality.inspect.distil.examples import Examples
from millhand_quality.inspect.distil.figures import compare, metrics_of
from millhand_quality.inspect.distil.graph import Trained, graph_of
from millhand_quality.inspect.distil.limits import golden_pair, judged_by_held, parameters_from
from millhand_quality.inspect.distil.novelty import NoveltyModel, fit_novelty, pooled
from millhand_quality.inspect.distil.shelves import part_of, read_shelves
from millhand_quality.inspect.distil.teacher import TrunkTeacher, trunk
from millhand_quality.inspect.distil.training import on_teacher_grid, standardised, train
from millhand_quality.inspect.inspector import GraphRunner, Reading
from millhand_quality.inspect.package import MEANINGS
from millhand_quality.inspect.trunk import Array

NOVELTY_PICTURES = 400
"""Good pictures of the train shelf that say what an ordinary whole picture looks like."""
NOVELTY_FACTOR = 1.5
"""A picture is foreign when it is this many times as novel as any good one of the calibration."""
DETECTOR = "distilled cells"
MEANINGS_OF_STUDENT = {
    **MEANINGS,
    NOVELTY: "how foreign the whole picture is, in standard deviations of good pictures' features",
}
TAUGHT_FROM, TAUGHT, LEARNT = 0.1, 0.2, 0.95
"""How far learning is when pictures are read, the teacher has answered, the net is trained."""


class CellStudent:
    """Implements :class:`millhand.distil.roles.Student`; its teacher is a :class:`TrunkTeacher`."""

    Config: ClassVar[type[CellStudentConfig]] = CellStudentConfig

    def __init__(self, config: CellStudentConfig) -> None:
        self._config = config

    def learn(self, lesson: Lesson) -> Exported:
        """Learn from marks and from the trunk, calibrate on good pictures, export.

        Raises:
            ConfigError: the teacher is no trunk, or pictures or masks do not fit.
        """
        teacher, config = trunk(lesson.teacher), self._config
        say = lesson.report
        shown, held = read_shelves(lesson, TAUGHT_FROM)
        teacher.study([shown.pictures[place] for place in shown.good[: teacher.pictures]])
        maps = (
            _teacher_maps(teacher, shown, part_of(say, TAUGHT_FROM, TAUGHT))
            if config.teacher_weight
            else None
        )
        net = train(shown, maps, config, lesson.plan.seed, part_of(say, TAUGHT, LEARNT))
        return _exported(config, net, shown, held)

    def evaluate(self, model: Model, teacher: Teacher, items: Items) -> Sequence[Metric]:
        """Measure on the sealed test, the trunk beside it."""
        return metrics_of(model, compare(model, teacher, items))


def _teacher_maps(teacher: TrunkTeacher, shown: Examples, tell: Callable[..., None]) -> Array:
    frame, maps = shown.frame, []
    for place, pixels in enumerate(shown.pictures):
        (soft,) = teacher.label([{"image": pixels}])
        maps.append(on_teacher_grid(soft[HEAT], frame.height, frame.width))
        tell((place + 1) / len(shown))
    return standardised(np.stack(maps))


def _exported(config: CellStudentConfig, net: CellNet, shown: Examples, held: Examples) -> Exported:
    novelty = _novelty(net, shown)
    ordinary = [one.score for one in _readings(Trained(net, novelty, 1.0, shown.frame), held)]
    trained = Trained(net, novelty, float(np.median(ordinary)), shown.frame)
    readings = _readings(trained, held)
    parameters = parameters_from(
        readings,
        shown.frame,
        detector=DETECTOR,
        rates=(config.false_reject_rate, config.undecided_rate),
        novelty_factor=NOVELTY_FACTOR,
    )
    return Exported(
        graphs={"fp32": graph_of(trained).SerializeToString()},
        meanings=MEANINGS_OF_STUDENT,
        golden=[_golden(trained, held, place) for place in _golden_places(held)],
        parameters=parameters.model_dump(mode="json"),
        judged=judged_by_held(parameters, held),
    )


def _readings(trained: Trained, held: Examples) -> list[Reading]:
    """Judge the good pictures held out with the graph that will be shipped."""
    runner = GraphRunner(graph_of(trained).SerializeToString())
    return [runner(held.pictures[place]) for place in held.good]


@torch.no_grad()
def _novelty(net: CellNet, shown: Examples) -> NoveltyModel:
    maps, found = net.maps(), []
    for place in shown.good[:NOVELTY_PICTURES]:
        planes = torch.from_numpy(shown.pictures[place].copy()).permute(2, 0, 1)[None].float()
        found.append(pooled(net(planes, maps).features.numpy())[0])
    return fit_novelty(np.stack(found))


def _golden_places(held: Examples) -> list[int]:
    """Return a good picture and, where there is one, a defective one."""
    return [int(group[0]) for group in (held.good, held.defective) if len(group)]


def _golden(trained: Trained, held: Examples, place: int) -> GoldenPair:
    """Take the outputs from torch, so that a graph unlike what was trained is refused."""
    pixels = np.ascontiguousarray(held.pictures[place])
    return golden_pair(pixels, trained.outputs(pixels))
