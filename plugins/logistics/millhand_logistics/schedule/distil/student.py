"""The student ``logistics.dispatcher``: learns to dispatch from its own best plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from millhand.contracts.agent import Model
from millhand.distil.dataset import Items
from millhand.distil.roles import Exported, GoldenPair, Lesson, Teacher
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import Metric
from millhand_logistics.schedule.distil.files import TAUGHT, problem_of
from millhand_logistics.schedule.distil.self_labelling import Course, Training
from millhand_logistics.schedule.distil.self_labelling import Lesson as OneShop
from millhand_logistics.schedule.distil.teacher import COST, SEQUENCE
from millhand_logistics.schedule.package import (
    MEANINGS,
    ROWS,
    SCORES,
    describe,
    packed,
    policy_of,
    probe,
    spans,
)
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.rules import by_priority
from millhand_logistics.schedule.simulate import Plan, simulate

GAIN, SAMPLED_GAIN = "cost of the teacher / cost", "cost of the teacher / cost, best of 32"
_Z = 1.959964
_GOLDEN = 3


class DispatcherConfig(BaseModel):
    """Settings of :class:`Dispatcher`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = Field(default=6000, ge=1, description="Steps of training.")
    samples: int = Field(default=32, ge=1, le=512, description="Plans drawn for each shop.")
    batch: int = Field(default=4, ge=1, le=64, description="Shops for each step.")
    rate: float = Field(default=2e-3, gt=0, description="Learning rate at the start.")
    last_rate: float = Field(default=5e-5, gt=0, description="Learning rate at the end.")
    watch_every: int = Field(
        default=250, ge=1, description="Steps between looks at the calibration shelf."
    )


class Dispatcher:
    """Implements :class:`millhand.distil.roles.Student`; numpy alone, no torch."""

    Config: ClassVar[type[DispatcherConfig]] = DispatcherConfig

    def __init__(self, config: DispatcherConfig) -> None:
        self._config = config

    def learn(self, lesson: Lesson) -> Exported:
        """Train, keep the weights that do best on the calibration shelf, export.

        Raises:
            ConfigError: a shelf is empty, or an item is no shop.
        """
        if not len(lesson.train) or not len(lesson.calibration):
            raise ConfigError(
                tr("The student needs shops to learn from, and others to choose by."),
                mend=tr("Add shops, or change the plan's split."),
            )
        shops = _taught(lesson)
        held = [problem_of(arrays) for _, arrays in lesson.calibration.arrays()]
        policy = self._train(shops, held, lesson)
        return _exported(policy, [shop.problem for shop in shops])

    def _train(self, shops: list[OneShop], held: list[Problem], lesson: Lesson) -> Policy:
        c = self._config
        course = Course(c.steps, c.samples, c.batch, c.rate, c.last_rate)
        seed = lesson.plan.seed
        training = Training(Policy.untrained(seed), course, seed=seed)
        watch = _Watch(held, c.watch_every, lesson.report)
        training.run(_shuffled(shops, seed), watch)
        watch.look(training)
        return watch.best

    def evaluate(self, model: Model, teacher: Teacher, items: Items) -> Sequence[Metric]:
        """Compare costs with the teacher's on the sealed test: above 1 the student is cheaper."""
        policy, _ = policy_of(model)
        greedy, sampled = [], []
        for _, arrays in items.arrays():
            problem = problem_of(arrays)
            (label,) = teacher.label([arrays])
            taught = max(int(label[COST][0]), 1)
            own = simulate(problem, policy.choose(problem)).cost
            drawn = min(simulate(problem, policy.choose(problem, s)).cost for s in range(1, 33))
            greedy.append(taught / max(own, 1))
            sampled.append(taught / max(min(own, drawn), 1))
        return [_metric(GAIN, greedy), _metric(SAMPLED_GAIN, sampled)]


class _Watch:
    """Looks at the calibration shelf now and then, and keeps the best weights."""

    def __init__(
        self, held: list[Problem], every: int, report: Callable[[float, str], None]
    ) -> None:
        self._held = held
        self._every = every
        self._report = report
        self._seen = -1
        self._least = float("inf")
        self._scale = [0.0] * len(held)
        self.best = Policy.untrained(0)

    def __call__(self, training: Training) -> bool:
        if training.done % self._every == 0 and training.done != self._seen:
            self.look(training)
        return False

    def look(self, training: Training) -> None:
        """Measure the mean cost, in terms of the first look's."""
        self._seen = training.done
        costs = [simulate(p, training.policy.choose(p)).cost for p in self._held]
        if not any(self._scale):
            self._scale = [max(cost, 1) for cost in costs]
        mean = float(np.mean([c / s for c, s in zip(costs, self._scale, strict=True)]))
        if mean < self._least:
            self._least, self.best = mean, training.policy
        self._report(
            training.done / training.course.steps,
            tr("step {n}: {cost:.4f} of the untrained cost", n=training.done, cost=mean),
        )


def _taught(lesson: Lesson) -> list[OneShop]:
    """Return every shop with the teacher's plan or a person's; of the pool without one."""
    shops: list[OneShop] = []
    for _, arrays in lesson.train.arrays():
        problem = problem_of(arrays)
        (label,) = lesson.teacher.label([arrays])
        plan = _replayed(problem, label[SEQUENCE])
        shops.append(
            OneShop(problem, wanted=plan) if TAUGHT in arrays else OneShop(problem, (plan,))
        )
    shops += [OneShop(problem_of(arrays)) for _, arrays in lesson.pool.arrays()]
    return shops


def _replayed(problem: Problem, sequence: NDArray[np.int64]) -> Plan:
    """Make the teacher's plan one that the student's own way of choosing can lead to."""
    place = np.empty(len(sequence))
    place[sequence] = np.arange(len(sequence))
    return simulate(problem, by_priority(problem, place))


def _shuffled(shops: list[OneShop], seed: int) -> Iterator[OneShop]:
    draw = np.random.default_rng(seed)
    while True:
        for i in draw.permutation(len(shops)):
            yield shops[i]


def _exported(policy: Policy, shops: list[Problem]) -> Exported:
    from millhand_logistics.schedule.distil.graph import graph_of

    rows = probe()
    golden = [
        GoldenPair(
            inputs={ROWS: part},
            outputs={
                SCORES: policy.scores(part.astype(np.float64), np.zeros(1, np.int64)).astype(
                    np.float32
                )
            },
        )
        for part in (rows[:1], rows[:_GOLDEN], rows)
    ]
    known = spans([describe(problem) for problem in shops])
    return Exported(
        graphs={"fp32": graph_of(policy)},
        meanings=MEANINGS,
        golden=golden,
        parameters=packed(policy, known).model_dump(mode="json"),
        notes=["The builder runs the weights in the parameters, checked against the graph."],
    )


def _metric(name: str, ratios: list[float]) -> Metric:
    mean = float(np.mean(ratios))
    half = _Z * float(np.std(ratios, ddof=1)) / len(ratios) ** 0.5 if len(ratios) > 1 else 0.0
    return Metric(
        name=name,
        value=round(mean, 5),
        low=round(mean - half, 5),
        high=round(mean + half, 5),
        teacher=1.0,
        items=len(ratios),
        data="sealed test of the plan, other shops than it learnt from",
        method="normal, 95 %",
    )
