"""Self-labelling (Corsini et al. 2024): the best of the student's own plans is its next lesson.

Nobody need know the optimum. For each shop the student draws plans; the cheapest of them, and of
what a teacher offers, becomes the label for every choice along its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from millhand_logistics.schedule.distil.learning import Adam, gradient
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.rules import by_priority
from millhand_logistics.schedule.simulate import Plan, Recording, simulate


@dataclass(frozen=True, slots=True)
class Lesson:
    """A shop, and what is known of it."""

    problem: Problem
    offered: Sequence[Plan] = ()
    """Plans by a teacher, beside the student's own."""
    wanted: Plan | None = None
    """What a person wants: it is the lesson, whatever costs less."""


@dataclass(frozen=True, slots=True)
class Course:
    """How to train. The same course on the same lessons gives the same policy."""

    steps: int
    samples: int = 32
    """Plans drawn for each shop."""
    batch: int = 4
    """Shops for each step."""
    rate: float = 2e-3
    last_rate: float = 5e-5
    """The learning rate falls from one to the other along a cosine."""


@dataclass(slots=True)
class Training:
    """A training under way; can be stopped after any step and gone on with."""

    policy: Policy
    course: Course
    seed: int = 0
    done: int = 0
    adam: Adam = field(default_factory=Adam)
    loss: float = float("nan")

    def run(self, lessons: Iterator[Lesson], until: Callable[[Training], bool]) -> None:
        """Take steps until the course is over or ``until`` says so."""
        while self.done < self.course.steps and not until(self):
            self.adam.rate = self._rate()
            batch = [next(lessons) for _ in range(self.course.batch)]
            found = [self._learn(lesson, i) for i, lesson in enumerate(batch)]
            self.loss = float(np.mean([loss for loss, _ in found]))
            mean = [
                np.mean([gradients[k] for _, gradients in found], axis=0)
                for k in range(len(self.policy.weights))
            ]
            self.policy = self.adam.stepped(self.policy, mean)
            self.done += 1

    def _rate(self) -> float:
        gone = self.done / self.course.steps
        span = self.course.rate - self.course.last_rate
        return float(self.course.last_rate + span * (1 + np.cos(np.pi * gone)) / 2)

    def _learn(self, lesson: Lesson, place: int) -> tuple[float, list[np.ndarray]]:
        best = lesson.wanted or self._best(lesson, place)
        recording, problem = Recording(), lesson.problem
        simulate(problem, by_priority(problem, places(best)), recording=recording)
        if not len(recording.taken):  # nowhere was anything to choose
            return 0.0, [np.zeros_like(weights) for weights in self.policy.weights]
        return gradient(self.policy, recording)

    def _best(self, lesson: Lesson, place: int) -> Plan:
        problem = lesson.problem
        first = ((self.seed * 1_000_003 + self.done) * self.course.batch + place) * 1000
        drawn = (
            simulate(problem, self.policy.choose(problem, first + k + 1))
            for k in range(self.course.samples)
        )
        return min([*drawn, *lesson.offered], key=lambda plan: plan.cost)


def places(plan: Plan) -> np.ndarray:
    """Return the place of each operation in the plan's sequence."""
    found = np.empty(len(plan.sequence))
    found[plan.sequence] = np.arange(len(plan.sequence))
    return found
