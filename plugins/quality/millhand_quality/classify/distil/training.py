"""Learning kinds, by labels alone or by a teacher too; goes on where it was cut off."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from millhand_quality.classify.distil.config import LearningConfig
from millhand_quality.inspect.distil.repeatable import repeatable

Told = Callable[[float, str], None]
Build = Callable[[], nn.Module]
"""Makes the net, untrained; drawn from torch's generator."""

WEIGHT_DECAY = 1e-3
WARM_UP_STEPS = 50
SAVED_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Shown:
    """Views to learn from, with what is known of each."""

    views: NDArray[Any]
    """``(items, views, …)``, each view as the net takes it."""
    targets: NDArray[np.int64]
    """Label of each item; −1 where only the teacher's answer is known."""
    taught: NDArray[np.float32] | None
    """The teacher's logits ``(items, views, classes)``, or None to learn from labels alone."""


def train(
    shown: Shown,
    build: Build,
    config: LearningConfig,
    *,
    steps: int,
    seed: int,
    file: Path,
    report: Told,
) -> nn.Module:
    """Train on one thread and return the net in evaluation mode.

    Its state lies in ``file`` every few seconds, whole or not at all: a run that was cut off goes
    on from there, and gives the same net as one that was not. A finished one is only read.
    """
    with repeatable(seed):
        return _Training(shown, build, config, steps, seed, file).run(report)


def steps_within(
    seconds: float, shown: Shown, build: Build, config: LearningConfig, seed: int
) -> int:
    """Return how many steps, at most the planned ones, fit into so much time on this machine."""
    tried = 12
    with repeatable(seed):
        training = _Training(shown, build, config, config.steps, seed, None)
        training.step(0)
        began = time.perf_counter()
        for number in range(1, tried + 1):
            training.step(number)
        took = (time.perf_counter() - began) / tried
    return max(10, min(config.steps, int(seconds / took)))


class _Training:
    def __init__(
        self,
        shown: Shown,
        build: Build,
        config: LearningConfig,
        steps: int,
        seed: int,
        file: Path | None,
    ) -> None:
        self._shown, self._config, self._steps, self._file = shown, config, steps, file
        self._seed = seed
        self._net = build()
        self._optimiser = torch.optim.AdamW(
            self._net.parameters(), lr=config.learning_rate, weight_decay=WEIGHT_DECAY
        )

    def run(self, report: Told) -> nn.Module:
        assert self._file is not None
        done, saved, loss = self._resume(), time.monotonic(), math.nan
        every = max(1, self._steps // 100)
        for number in range(done, self._steps):
            loss = self.step(number)
            if number % every == 0:
                report(number / self._steps, f"{loss:.3f}")
            if time.monotonic() - saved > SAVED_EVERY_S:
                self._save(number + 1)
                saved = time.monotonic()
        if done < self._steps:
            self._save(self._steps)
        report(1.0, "")
        return self._net.eval()

    def step(self, number: int) -> float:
        """Take one step; what it draws depends on seed and number alone."""
        config, shown = self._config, self._shown
        self._set_rate(number)
        draw = np.random.default_rng((self._seed, number))
        items = draw.integers(len(shown.targets), size=config.batch)
        views = draw.integers(shown.views.shape[1], size=config.batch)
        self._net.train()
        logits = self._net(torch.from_numpy(shown.views[items, views]).float())
        loss = self._loss(logits, items, views)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return float(loss.detach())

    def _loss(
        self, logits: torch.Tensor, items: NDArray[np.int64], views: NDArray[np.int64]
    ) -> torch.Tensor:
        """Labels, and the teacher's softened answers (Hinton, Vinyals and Dean 2015)."""
        shown, config = self._shown, self._config
        targets = torch.from_numpy(shown.targets[items])
        hard = functional.cross_entropy(logits, targets, ignore_index=-1)
        if shown.taught is None:
            return hard
        warmth = config.temperature
        taught = torch.from_numpy(shown.taught[items, views]) / warmth
        soft = functional.kl_div(
            functional.log_softmax(logits / warmth, 1),
            functional.log_softmax(taught, 1),
            reduction="batchmean",
            log_target=True,
        )
        hard = torch.zeros(()) if bool((targets < 0).all()) else hard
        return (1 - config.teacher_weight) * hard + config.teacher_weight * warmth**2 * soft

    def _set_rate(self, number: int) -> None:
        warm = min(1.0, (number + 1) / WARM_UP_STEPS)
        falling = 0.5 * (1 + math.cos(math.pi * number / self._steps)) + 0.01
        for group in self._optimiser.param_groups:
            group["lr"] = self._config.learning_rate * warm * falling

    def _save(self, done: int) -> None:
        assert self._file is not None
        state = {
            "done": torch.tensor(done),
            "steps": torch.tensor(self._steps),
            "net": self._net.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        fresh = self._file.with_suffix(".part")
        torch.save(state, fresh)
        fresh.replace(self._file)

    def _resume(self) -> int:
        """Return how many steps are done."""
        assert self._file is not None
        if not self._file.exists():
            return 0
        state = torch.load(self._file, weights_only=True)
        if int(state["steps"]) != self._steps:
            return 0
        self._net.load_state_dict(state["net"])
        self._optimiser.load_state_dict(state["optimiser"])
        return int(state["done"])
