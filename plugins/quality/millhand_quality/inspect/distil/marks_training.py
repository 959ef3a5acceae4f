"""Learning marked defects on the trunk's features: features in, a net out, the same for a seed."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from millhand_quality.inspect.distil.config import MarksStudentConfig
from millhand_quality.inspect.distil.crops import Crop, CropDealer
from millhand_quality.inspect.distil.examples import Examples, marked
from millhand_quality.inspect.distil.marks_net import MarksNet
from millhand_quality.inspect.distil.repeatable import repeatable
from millhand_quality.inspect.distil.training import (
    LONGEST_GRADIENT,
    NEVER,
    WEIGHT_DECAY,
    marks_losses,
    picture_losses,
    targets,
)

WARM_UP_STEPS = 100
AVERAGED_OVER = 500
"""Steps over which the weights that are kept are averaged, a tenth of all where they are few."""
REVIEWS = 4
"""How often all examples are seen whole, to find the hard ones."""
REVIEWED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Deviations:
    """How far the trunk's features of all examples lie from good parts', on disk."""

    fine: NDArray[np.float16]
    """``(n, channels, rows, columns)``, a cell for each :data:`CELL` pixels."""
    coarse: NDArray[np.float16]
    """Likewise, on a grid half as fine."""

    def whole(self, part: slice) -> tuple[torch.Tensor, torch.Tensor]:
        """Read those of some examples."""
        return _tensor(self.fine[part]), _tensor(self.coarse[part])

    def cut(self, crops: Sequence[Crop]) -> tuple[torch.Tensor, torch.Tensor]:
        """Read those of crops."""
        fine = np.stack([_square(self.fine, crop, 1) for crop in crops])
        coarse = np.stack([_square(self.coarse, crop, 2) for crop in crops])
        return _tensor(fine), _tensor(coarse)


def _square(whole: NDArray[np.float16], crop: Crop, unit: int) -> NDArray[np.float16]:
    (row, column), side = crop.corner, crop.side // unit
    top, left = row // unit, column // unit
    return whole[crop.place, :, top : top + side, left : left + side]


def _tensor(features: NDArray[np.float16]) -> torch.Tensor:
    return torch.from_numpy(features.astype(np.float32))


def train_marks(
    examples: Examples,
    deviations: Deviations,
    config: MarksStudentConfig,
    seed: int,
    report: Callable[[float, str], None],
) -> MarksNet:
    """Train on one thread and return the net with averaged weights, in evaluation mode.

    Args:
        examples: pictures with their marks; both good and defective ones.
        deviations: of the same pictures, in their order.
        config: width and settings.
        seed: of weights and choices.
        report: told the fraction done and the loss.
    """
    with repeatable(seed):
        return _Training(examples, deviations, config, seed).run(report)


class _Training:
    def __init__(
        self, examples: Examples, deviations: Deviations, config: MarksStudentConfig, seed: int
    ) -> None:
        self._examples, self._deviations, self._config = examples, deviations, config
        self._dealer = CropDealer(examples, config.crop, 0, np.random.default_rng(seed))
        _, channels, rows, columns = deviations.fine.shape
        self._net = MarksNet((channels, rows, columns), deviations.coarse.shape[1], config.width)
        self._kept = copy.deepcopy(self._net)
        self._optimiser = torch.optim.AdamW(
            self._net.parameters(), lr=config.learning_rate, weight_decay=WEIGHT_DECAY
        )

    def run(self, report: Callable[[float, str], None]) -> MarksNet:
        every = max(1, self._config.steps // 200)
        review = max(1, self._config.steps // (REVIEWS + 1))
        for number in range(self._config.steps):
            if number and number % review == 0:
                self._review()
            loss = self._step(number)
            if number % every == 0:
                report(number / self._config.steps, f"{loss:.3f}")
        return self._kept.eval()

    def _step(self, number: int) -> float:
        self._set_rate(number)
        crops = self._dealer.deal(self._config.batch)
        marks = np.stack([marked(crop.pixels(self._examples.mask(crop.place))) for crop in crops])
        defective, good = targets(torch.from_numpy(marks.astype(np.float32)))
        logits = self._net(*self._deviations.cut(crops), [crop.corner for crop in crops])
        loss = marks_losses(logits, defective, good).mean()
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._net.parameters(), LONGEST_GRADIENT)
        self._optimiser.step()
        self._average(number)
        return float(loss.detach())

    @torch.no_grad()
    def _review(self) -> None:
        """Let the averaged net see every example whole, and tell the dealer what was hard."""
        count, (_, columns) = len(self._examples), self._examples.cells
        hardness, worst = np.zeros(count, np.float32), np.zeros((count, 2), np.int64)
        for start in range(0, count, REVIEWED_AT_ONCE):
            part = slice(start, min(start + REVIEWED_AT_ONCE, count))
            logits = self._kept(*self._deviations.whole(part))
            marks = self._examples.marks(range(part.start, part.stop))
            defective, good = targets(torch.from_numpy(marks.astype(np.float32)))
            hardness[part] = picture_losses(logits, defective, good).numpy()
            cells = torch.where(good > 0, logits, torch.tensor(NEVER)).flatten(1).argmax(1).numpy()
            worst[part] = np.stack([cells // columns, cells % columns], axis=1)
        self._dealer.reviewed(hardness, worst)

    def _few(self, most: int) -> int:
        return max(1, min(most, self._config.steps // 10))

    def _set_rate(self, number: int) -> None:
        warm = min(1.0, (number + 1) / self._few(WARM_UP_STEPS))
        falling = 0.5 * (1 + math.cos(math.pi * number / self._config.steps)) + 0.01
        for group in self._optimiser.param_groups:
            group["lr"] = self._config.learning_rate * warm * falling

    @torch.no_grad()
    def _average(self, number: int) -> None:
        share = 1 / min(number + 1, self._few(AVERAGED_OVER))
        for kept, own in zip(self._kept.parameters(), self._net.parameters(), strict=True):
            kept.lerp_(own, share)
