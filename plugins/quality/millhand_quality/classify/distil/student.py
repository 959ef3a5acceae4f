"""The student ``quality.kinds``: a small classifier of squares, and one that had no teacher."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from millhand.contracts.agent import Model
from millhand.distil.dataset import Items
from millhand.distil.roles import (
    Exported,
    GoldenPair,
    Judged,
    Lesson,
    Outputs,
    Proof,
    Teacher,
)
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import Abstention, Metric
from millhand.statistics.calibration import fit_temperature
from millhand_quality.classify.distil.config import SIDE, KindsStudentConfig
from millhand_quality.classify.distil.figures import metrics_of
from millhand_quality.classify.distil.graph import graph_of, probabilities
from millhand_quality.classify.distil.lessons import UNLABELLED, taught_by
from millhand_quality.classify.distil.net import KindsNet, parameters
from millhand_quality.classify.distil.teacher import LOGITS
from millhand_quality.classify.distil.training import Shown, steps_within, train
from millhand_quality.classify.distil.views import Squares, Ways, read_squares
from millhand_quality.classify.parameters import IMAGE, PROBABILITIES, KindsParameters, Promise
from millhand_quality.inspect.distil.shelves import part_of

_AT_ONCE = 256
_NOTE = (
    "{weights} weights, {steps} steps; the control had as many of both, the same labels and seed, "
    "and no teacher."
)
NEVER = 2.0
"""A confidence that no answer has."""
COOLING = 4
"""Every fourth part held out sets the temperature; the others prove."""
JUDGED = 300
"""Squares held out by which an int8 graph is judged."""
READ, TAUGHT, CONTROLLED, LEARNT = 0.1, 0.3, 0.63, 0.96
"""How far learning is when squares are read, the teacher answered, control and student learnt."""
MEANINGS = {
    IMAGE: "square around the place in question, RGB, 0 to 255",
    PROBABILITIES: "probability of each of the package's classes, calibrated; they sum to 1",
}


class KindsStudent:
    """Implements :class:`millhand.distil.roles.Student`; any teacher that gives logits will do.

    What lies in the plan's pool is learnt from the teacher alone: its labels are not looked at.
    """

    Config: ClassVar[type[KindsStudentConfig]] = KindsStudentConfig

    def __init__(self, config: KindsStudentConfig) -> None:
        self._config = config
        self._control: KindsNet | None = None
        self._classes: tuple[str, ...] = ()
        self._answer_from = NEVER

    def learn(self, lesson: Lesson) -> Exported:
        """Learn from labels and teacher; learn again from labels alone; calibrate and export.

        Raises:
            ConfigError: pictures or masks do not fit, or the teacher's answers do not, or there is
                a pool and no weight on the teacher.
        """
        config, work, say = self._config, lesson.workspace, lesson.report
        if len(lesson.pool) and not config.teacher_weight:
            raise ConfigError(
                tr("Without a teacher's weight nothing can be learnt from the pool."),
                mend=tr("Set “teacher_weight”, or the share “pool” of the plan's split to 0."),
            )
        shown = read_squares(lesson.train, work / "train.npy", part_of(say, 0, READ / 2))
        held = read_squares(lesson.calibration, work / "held.npy", part_of(say, READ / 2, READ))
        self._classes = shown.classes()
        labelled, seen = self._shown(lesson, shown)
        steps, count, seed = self._steps(lesson, seen), len(self._classes), lesson.plan.seed
        self._control = train(
            labelled,
            count,
            config,
            steps=steps,
            seed=seed,
            file=work / "control.pt",
            report=part_of(say, TAUGHT, CONTROLLED),
        )
        net = self._control
        if config.teacher_weight:
            net = train(
                seen,
                count,
                config,
                steps=steps,
                seed=seed,
                file=work / "student.pt",
                report=part_of(say, CONTROLLED, LEARNT),
            )
        return self._exported(net, held, steps)

    def evaluate(self, model: Model, teacher: Teacher, items: Items) -> Sequence[Metric]:
        """Measure on the sealed test, teacher and control beside it."""
        assert self._control is not None
        with TemporaryDirectory(prefix="millhand-") as folder:
            test = read_squares(items, Path(folder) / "test.npy", lambda _: None)
            squares, targets = test.middle(), test.targets(self._classes)
        found = np.stack([model(**{IMAGE: one})[PROBABILITIES] for one in squares])
        taught = np.stack([row[LOGITS] for row in teacher.label([{"image": s} for s in squares])])
        return metrics_of(
            found.argmax(1) == targets,
            _logits(self._control, squares).argmax(1) == targets,
            taught.argmax(1) == targets,
            found.max(1).astype(np.float64),
            test.groups,
            self._answer_from,
        )

    def _shown(self, lesson: Lesson, shown: Squares) -> tuple[Shown, Shown]:
        """Return what labels alone show, and what is seen with the teacher beside."""
        work, seed, say = lesson.workspace, lesson.plan.seed, lesson.report
        views, targets = self._views(shown, seed), shown.targets(self._classes)
        labelled = Shown(views, targets, None)
        if len(lesson.pool):
            pool = read_squares(lesson.pool, work / "pool.npy", lambda _: None)
            views = np.concatenate([views, self._views(pool, seed + 1)])
            targets = np.concatenate([targets, np.full(len(pool), UNLABELLED)])
        told = part_of(say, READ, TAUGHT)
        taught = taught_by(lesson, views, targets, len(self._classes), told)
        return labelled, Shown(views, targets, taught if self._config.teacher_weight else None)

    def _views(self, shown: Squares, seed: int) -> NDArray[np.uint8]:
        config, draw = self._config, np.random.default_rng(seed)
        ways = Ways(config.shift, config.exposure, config.turns)
        views = [ways.view(shown.pixels, draw) for _ in range(config.views)]
        return np.stack(views, axis=1)

    def _steps(self, lesson: Lesson, seen: Shown) -> int:
        """Return how many steps are taken: as planned, or as many as the time allows."""
        file = lesson.workspace / "steps.json"
        if file.exists():
            return int(json.loads(file.read_text(encoding="utf-8")))
        steps = self._config.steps
        if lesson.seconds is not None:
            left = lesson.seconds * (LEARNT - TAUGHT) / 2
            steps = steps_within(left, seen, len(self._classes), self._config, lesson.plan.seed)
        file.write_text(json.dumps(steps), encoding="utf-8")
        return steps

    def _exported(self, net: KindsNet, held: Squares, steps: int) -> Exported:
        squares, targets = held.middle(), held.targets(self._classes)
        cool, apart = _apart(held.groups)
        temperature = fit_temperature(_logits(net, squares[cool]), targets[cool])
        places = [int(np.flatnonzero(targets == kind)[0]) for kind in np.unique(targets)[:2]]
        found = KindsParameters(classes=self._classes, side=SIDE, answer_from=NEVER)
        return Exported(
            graphs={"fp32": graph_of(net, temperature).SerializeToString()},
            meanings=MEANINGS,
            golden=[
                GoldenPair(
                    inputs={IMAGE: squares[place]},
                    outputs={PROBABILITIES: probabilities(net, temperature, squares[place])},
                )
                for place in places
            ],
            parameters=found.model_dump(mode="json"),
            notes=(
                _NOTE.format(weights=parameters(net), steps=steps),
                f"Temperature {temperature:.3f}, fitted on {len(cool)} squares held out.",
                "It answers from the confidence that the plan's “certify” proves; without, never.",
            ),
            judged=Judged(
                inputs=[{IMAGE: square} for square in squares[:JUDGED]],
                answer=_kind,
                figure=lambda outputs: _accuracy(outputs, targets),
            ),
            proof=Proof(
                inputs=[{IMAGE: squares[place]} for place in apart],
                right=[int(targets[place]) for place in apart],
                answer=_kind,
                confidence=lambda outputs: float(outputs[PROBABILITIES].max()),
                data=f"one square of each of {len(apart)} parts of the calibration shelf",
                told=self._told,
            ),
        )

    def _told(self, found: Abstention) -> dict[str, Any]:
        """Return what the agent answers by; it is measured by that too."""
        if found.threshold is None:
            return {"answer_from": NEVER, "promise": None}
        self._answer_from = found.threshold
        promise = Promise(
            error_rate=found.alpha,
            delta=found.delta,
            items=found.items,
            answered=found.answered,
            wrong=found.wrong,
        )
        return {"answer_from": found.threshold, "promise": promise.model_dump(mode="json")}


def _apart(groups: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the places that set the temperature, and one of each other part for the proof."""
    luck = {one: hashlib.sha256(one.encode()).digest()[0] for one in set(groups)}
    cooling = sorted(luck, key=lambda one: (luck[one], one))[: max(1, len(luck) // COOLING)]
    first = {one: place for place, one in reversed(list(enumerate(groups))) if one not in cooling}
    return [n for n, one in enumerate(groups) if one in cooling], sorted(first.values())


def _kind(outputs: Outputs) -> int:
    return int(outputs[PROBABILITIES].argmax())


def _accuracy(outputs: Sequence[Outputs], targets: NDArray[np.int64]) -> float:
    right = [_kind(one) == target for one, target in zip(outputs, targets, strict=False)]
    return float(np.mean(right))


@torch.no_grad()
def _logits(net: KindsNet, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
    found = []
    for start in range(0, len(squares), _AT_ONCE):
        part = torch.from_numpy(squares[start : start + _AT_ONCE].copy()).permute(0, 3, 1, 2)
        found.append(net(part.float()).numpy())
    return np.concatenate(found)
