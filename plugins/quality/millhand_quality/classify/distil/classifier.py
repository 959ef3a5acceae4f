"""What students that tell kinds apart have in common, each with a control that had no teacher."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

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
from millhand_quality.classify.distil.config import LearningConfig
from millhand_quality.classify.distil.figures import metrics_of
from millhand_quality.classify.distil.labelled import Labelled
from millhand_quality.classify.distil.lessons import UNLABELLED, taught_by
from millhand_quality.classify.distil.net import parameters
from millhand_quality.classify.distil.teacher import LOGITS, StudyingTeacher
from millhand_quality.classify.distil.training import Shown, steps_within, train
from millhand_quality.classify.parameters import PROBABILITIES, Promise
from millhand_quality.inspect.distil.shelves import part_of

_AT_ONCE = 256
_NOTE = (
    "{weights} weights, {steps} steps; the control had as many of both, the same labels and seed, "
    "and no teacher."
)
NEVER = 2.0
"""A confidence that no answer has."""
COOLING = 4
"""Every fourth part held out sets the temperature, the others prove; all do where nothing is
to be promised."""
JUDGED = 300
"""Items held out by which an int8 graph is judged."""
READ, TAUGHT, CONTROLLED, LEARNT = 0.1, 0.3, 0.63, 0.96
"""How far learning is when items are read, the teacher answered, control and student learnt."""


class ClassifierStudent(ABC):
    """Learns, learns again without the teacher, calibrates, and measures all three.

    What lies in the plan's pool is learnt from the teacher alone: its labels are not looked at.
    What its items are, how they are seen, and the net that tells them apart, a subclass says.
    """

    name: ClassVar[str]
    """Of the graph's input, and of the array that the teacher looks at."""
    meanings: ClassVar[Mapping[str, str]]

    def __init__(self, config: LearningConfig) -> None:
        self._learning = config
        self._control: nn.Module | None = None
        self._classes: tuple[str, ...] = ()
        self._answer_from = NEVER

    @abstractmethod
    def read(self, items: Items, file: Path, step: Callable[[float], None]) -> Labelled:
        """Read a shelf into ``file``, or take it from there where it was read before."""

    @abstractmethod
    def view(self, shown: Labelled, draw: np.random.Generator) -> NDArray[Any]:
        """Return a view of each item, as the net takes it."""

    @abstractmethod
    def net(self, classes: int) -> nn.Module:
        """Return a net from ``(n, …) float32`` to logits ``(n, classes)``, untrained."""

    @abstractmethod
    def graph(self, net: nn.Module, temperature: float) -> bytes:
        """Write the net as ONNX from one item to its probabilities, with the temperature in it."""

    @abstractmethod
    def parameters(self, classes: tuple[str, ...], answer_from: float) -> Mapping[str, Any]:
        """Return what the package tells its agent."""

    def learn(self, lesson: Lesson) -> Exported:
        """Learn from labels and teacher; learn again from labels alone; calibrate and export.

        Raises:
            ConfigError: pictures or masks do not fit, or the teacher's answers do not, or there is
                a pool and no weight on the teacher.
        """
        config, work, say = self._learning, lesson.workspace, lesson.report
        if len(lesson.pool) and not config.teacher_weight:
            raise ConfigError(
                tr("Without a teacher's weight nothing can be learnt from the pool."),
                mend=tr("Set “teacher_weight”, or the share “pool” of the plan's split to 0."),
            )
        shown = self.read(lesson.train, work / "train.npy", part_of(say, 0, READ / 2))
        held = self.read(lesson.calibration, work / "held.npy", part_of(say, READ / 2, READ))
        self._classes = shown.classes()
        labelled, seen = self._shown(lesson, shown)
        steps, seed = self._steps(lesson, seen), lesson.plan.seed
        self._control = train(
            labelled,
            self._untrained,
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
                self._untrained,
                config,
                steps=steps,
                seed=seed,
                file=work / "student.pt",
                report=part_of(say, CONTROLLED, LEARNT),
            )
        return self._exported(net, held, steps, promising=lesson.plan.certify is not None)

    def evaluate(self, model: Model, teacher: Teacher, items: Items) -> Sequence[Metric]:
        """Measure on the sealed test, teacher and control beside it."""
        assert self._control is not None
        with TemporaryDirectory(prefix="millhand-") as folder:
            test = self.read(items, Path(folder) / "test.npy", lambda _: None)
            shown, targets = test.middle(), test.targets(self._classes)
        found = np.stack([model(**{self.name: one})[PROBABILITIES] for one in shown])
        taught = np.stack([row[LOGITS] for row in teacher.label([{self.name: s} for s in shown])])
        return metrics_of(
            found.argmax(1) == targets,
            _logits(self._control, shown).argmax(1) == targets,
            taught.argmax(1) == targets,
            found.max(1).astype(np.float64),
            test.groups,
            self._answer_from,
        )

    def _untrained(self) -> nn.Module:
        return self.net(len(self._classes))

    def _shown(self, lesson: Lesson, shown: Labelled) -> tuple[Shown, Shown]:
        """Return what labels alone show, and what is seen with the teacher beside."""
        work, seed, say = lesson.workspace, lesson.plan.seed, lesson.report
        views, targets = self._views(shown, seed), shown.targets(self._classes)
        labelled = Shown(views, targets, None)
        if len(lesson.pool):
            pool = self.read(lesson.pool, work / "pool.npy", lambda _: None)
            views = np.concatenate([views, self._views(pool, seed + 1)])
            targets = np.concatenate([targets, np.full(len(pool), UNLABELLED)])
        told = part_of(say, READ, TAUGHT)
        teacher: object = lesson.teacher
        if isinstance(teacher, StudyingTeacher):
            teacher.prepare(shown.middle())
        taught = taught_by(lesson, self.name, views, targets, len(self._classes), told)
        return labelled, Shown(views, targets, taught if self._learning.teacher_weight else None)

    def _views(self, shown: Labelled, seed: int) -> NDArray[Any]:
        draw = np.random.default_rng(seed)
        return np.stack([self.view(shown, draw) for _ in range(self._learning.views)], axis=1)

    def _steps(self, lesson: Lesson, seen: Shown) -> int:
        """Return how many steps are taken: as planned, or as many as the time allows."""
        file = lesson.workspace / "steps.json"
        if file.exists():
            return int(json.loads(file.read_text(encoding="utf-8")))
        steps = self._learning.steps
        if lesson.seconds is not None:
            left = lesson.seconds * (LEARNT - TAUGHT) / 2
            steps = steps_within(left, seen, self._untrained, self._learning, lesson.plan.seed)
        file.write_text(json.dumps(steps), encoding="utf-8")
        return steps

    def _exported(self, net: nn.Module, held: Labelled, steps: int, *, promising: bool) -> Exported:
        shown, targets = held.middle(), held.targets(self._classes)
        cool, apart = _apart(held.groups) if promising else (list(range(len(held))), [])
        temperature = fit_temperature(_logits(net, shown[cool]), targets[cool])
        places = [int(np.flatnonzero(targets == kind)[0]) for kind in np.unique(targets)[:2]]
        return Exported(
            graphs={"fp32": self.graph(net, temperature)},
            meanings=self.meanings,
            golden=[
                GoldenPair(
                    inputs={self.name: shown[place]},
                    outputs={PROBABILITIES: _probabilities(net, temperature, shown[place])},
                )
                for place in places
            ],
            parameters=self.parameters(self._classes, NEVER),
            notes=(
                _NOTE.format(weights=parameters(net), steps=steps),
                f"Temperature {temperature:.3f}, fitted on {len(cool)} items held out.",
                "It answers from the confidence that the plan's “certify” proves; without, never.",
            ),
            judged=Judged(
                inputs=[{self.name: one} for one in shown[:JUDGED]],
                answer=_kind,
                figure=lambda outputs: _accuracy(outputs, targets),
            ),
            proof=self._proof(shown, targets, apart) if promising else None,
        )

    def _proof(
        self, shown: NDArray[Any], targets: NDArray[np.int64], apart: Sequence[int]
    ) -> Proof:
        return Proof(
            inputs=[{self.name: shown[place]} for place in apart],
            right=[int(targets[place]) for place in apart],
            answer=_kind,
            confidence=lambda outputs: float(outputs[PROBABILITIES].max()),
            data=f"one item of each of {len(apart)} parts of the calibration shelf",
            told=self._told,
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
def _logits(net: nn.Module, shown: NDArray[Any]) -> NDArray[np.float32]:
    found = []
    for start in range(0, len(shown), _AT_ONCE):
        part = torch.from_numpy(shown[start : start + _AT_ONCE].copy()).float()
        found.append(net(part).numpy())
    return np.concatenate(found)


def _probabilities(net: nn.Module, temperature: float, one: NDArray[Any]) -> NDArray[np.float32]:
    """Judge one item in torch: what the graph must reproduce."""
    shares = torch.softmax(torch.from_numpy(_logits(net, one[None])[0]) / temperature, 0)
    return np.asarray(shares.numpy(), np.float32)
