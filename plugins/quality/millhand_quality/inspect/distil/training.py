"""Learning: crops in, a net out. The same examples, settings and seed give the same net."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from millhand_quality.inspect.distil.cell_net import CellNet, Seen, template_of
from millhand_quality.inspect.distil.config import TEACHER_CELL, CellStudentConfig
from millhand_quality.inspect.distil.crops import GRID, Crop, CropDealer
from millhand_quality.inspect.distil.examples import Examples, marked
from millhand_quality.inspect.distil.repeatable import repeatable
from millhand_quality.inspect.trunk import Array

WARM_UP_STEPS = 100
"""Steps until the full rate, a tenth of all where they are few."""
CELL_RATE = 2.0
"""How much faster is learnt what only one cell learns."""
WEIGHT_DECAY = 0.02
LONGEST_GRADIENT = 5.0
AVERAGED_OVER = 500
"""Steps over which the weights that are kept are averaged, a tenth of all where they are few."""
MARKED_PIXELS = 2
"""Marked pixels from which a cell is defective; fewer, and cells beside it, teach nothing."""
NEGATIVE_SCALE = 1 / 20
PICTURE_WEIGHT = 0.5
TEMPLATE_PICTURES = 400
REVIEWS = 6
"""How often all examples are seen whole, to find the hard ones."""
REVIEWED_AT_ONCE = 16
NEVER = -30.0
"""Logit of a cell that is left out."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step's crops as tensors."""

    crops: Sequence[Crop]
    pixels: torch.Tensor
    """``(n, 3, s, s)``, 0 to 255."""
    defective: torch.Tensor
    """``(n, s/4, s/4)``: 1 where a cell is defective."""
    good: torch.Tensor
    """Likewise: 1 where it is good; neither where nobody can tell."""
    teacher: torch.Tensor | None
    """``(n, s/16, s/16)``: the teacher's map, standardised."""


def template(examples: Examples) -> torch.Tensor:
    """Return the net's template from the first good pictures."""
    taken = examples.good[:TEMPLATE_PICTURES]
    bright = examples.pictures[taken].mean(axis=3, dtype=np.float32)
    bright /= bright.mean(axis=(1, 2), keepdims=True)
    return template_of(bright.mean(axis=0), bright.std(axis=0))


def train(
    examples: Examples,
    teacher: Array | None,
    config: CellStudentConfig,
    seed: int,
    report: Callable[[float, str], None],
) -> CellNet:
    """Train a student on one thread and return it with averaged weights, in evaluation mode.

    Args:
        examples: pictures with their marks.
        teacher: the teacher's maps, standardised, ``(n, h/16, w/16)``; None to do without.
        config: architecture and settings.
        seed: of weights and choices.
        report: told the fraction done and the loss.
    """
    with repeatable(seed):
        return _Training(examples, teacher, config, seed).run(report)


class _Training:
    def __init__(
        self, examples: Examples, teacher: Array | None, config: CellStudentConfig, seed: int
    ) -> None:
        self._examples = examples
        self._teacher = teacher
        self._config = config
        self._random = np.random.default_rng(seed)
        self._dealer = CropDealer(examples, config.crop, config.shift, self._random)
        self._net = CellNet(config, template(examples))
        self._net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._kept = copy.deepcopy(self._net)
        self._optimiser = torch.optim.AdamW(
            [
                {"params": self._net.shared_parameters(), "pace": 1.0},
                {"params": self._net.cell_parameters(), "pace": CELL_RATE},
            ],
            lr=config.learning_rate,
            weight_decay=WEIGHT_DECAY,
        )

    def run(self, report: Callable[[float, str], None]) -> CellNet:
        every = max(1, self._config.steps // 200)
        review = max(1, self._config.steps // (REVIEWS + 1))
        for number in range(self._config.steps):
            if number and number % review == 0:
                self._review()
            loss = self._step(number)
            if number % every == 0:
                report(number / self._config.steps, f"{loss:.3f}")
        self._kept.eval()
        return self._kept

    def _step(self, number: int) -> float:
        self._set_rate(number)
        step = self._next()
        side = step.defective.shape[1]
        maps = self._net.maps().crops([crop.corner for crop in step.crops], side)
        seen = self._net(step.pixels, maps)
        each = crop_losses(seen, step, self._config.teacher_weight)
        loss = each.mean()
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._net.parameters(), LONGEST_GRADIENT)
        self._optimiser.step()
        self._average(number)
        return float(loss.detach())

    @torch.no_grad()
    def _review(self) -> None:
        """Let the averaged net see every example whole, and tell the dealer what was hard."""
        net, count, (_, columns) = self._kept.eval(), len(self._examples), self._examples.cells
        maps = net.maps()
        hardness, worst = np.zeros(count, np.float32), np.zeros((count, 2), np.int64)
        for start in range(0, count, REVIEWED_AT_ONCE):
            places = range(start, min(start + REVIEWED_AT_ONCE, count))
            part = slice(places.start, places.stop)
            planes = torch.from_numpy(self._examples.pictures[part].astype(np.float32))
            logits = net(planes.permute(0, 3, 1, 2), maps).logits
            defective, good = targets(torch.from_numpy(self._examples.marks(places)).float())
            hardness[part] = picture_losses(logits, defective, good).numpy()
            cells = torch.where(good > 0, logits, torch.tensor(NEVER)).flatten(1).argmax(1).numpy()
            worst[part] = np.stack([cells // columns, cells % columns], axis=1)
        self._dealer.reviewed(hardness, worst)

    def _next(self) -> Step:
        crops = self._dealer.deal(self._config.batch)
        examples = self._examples
        pixels = np.stack([crop.pixels(examples.pictures[crop.place]) for crop in crops])
        reach = self._config.exposure
        exposure = self._random.uniform(1 - reach, 1 + reach, (len(crops), 1, 1, 1))
        shown = np.minimum(pixels * exposure.astype(np.float32), np.float32(255))
        marks = np.stack([marked(crop.pixels(examples.mask(crop.place))) for crop in crops])
        defective, good = targets(torch.from_numpy(marks.astype(np.float32)))
        teacher = None
        if self._teacher is not None:
            teacher = torch.from_numpy(np.stack([c.cells(self._teacher, GRID) for c in crops]))
        planes = torch.from_numpy(shown).permute(0, 3, 1, 2)
        return Step(crops, planes, defective, good, teacher)

    def _few(self, most: int) -> int:
        return max(1, min(most, self._config.steps // 10))

    def _set_rate(self, number: int) -> None:
        warm = min(1.0, (number + 1) / self._few(WARM_UP_STEPS))
        falling = 0.5 * (1 + math.cos(math.pi * number / self._config.steps)) + 0.01
        for group in self._optimiser.param_groups:
            group["lr"] = group["pace"] * self._config.learning_rate * warm * falling

    @torch.no_grad()
    def _average(self, number: int) -> None:
        share = 1 / min(number + 1, self._few(AVERAGED_OVER))
        for kept, own in zip(self._kept.parameters(), self._net.parameters(), strict=True):
            kept.lerp_(own, share)
        for mean, last in zip(self._kept.buffers(), self._net.buffers(), strict=True):
            mean.lerp_(last, share) if last.is_floating_point() else mean.copy_(last)


def targets(marks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return which cells are defective and which are good, from marked pixels ``(n, r, c)``."""
    defective = (marks >= MARKED_PIXELS).float()
    touched = (marks > 0).float()[:, None]
    near = functional.max_pool2d(touched, 3, 1, 1)[:, 0]
    return defective, 1 - near


def picture_losses(
    logits: torch.Tensor, defective: torch.Tensor, good: torch.Tensor
) -> torch.Tensor:
    """Return each picture's loss by its worst good cell and its best defective cell ``(n,)``."""
    never = torch.tensor(NEVER)
    worst = torch.logsumexp(torch.where(good > 0, logits, never).flatten(1), 1)
    best = torch.logsumexp(torch.where(defective > 0, logits, never).flatten(1), 1)
    missed = functional.softplus(-best) * defective.flatten(1).amax(1)
    return functional.softplus(worst) + missed


def marks_losses(logits: torch.Tensor, defective: torch.Tensor, good: torch.Tensor) -> torch.Tensor:
    """Return each crop's loss ``(n,)`` against its marks: cell by cell, and as a picture."""
    sure = torch.sigmoid(logits.detach())
    missed = functional.softplus(-logits) * (1 - sure) * defective
    alarmed = functional.softplus(logits) * sure * good
    return (
        missed.flatten(1).sum(1) / (defective.flatten(1).sum(1) + 1)
        + alarmed.flatten(1).sum(1) * NEGATIVE_SCALE
        + picture_losses(logits, defective, good) * PICTURE_WEIGHT
    )


def crop_losses(seen: Seen, step: Step, teacher_weight: float) -> torch.Tensor:
    """Return each crop's loss ``(n,)``: against its marks, and against the teacher."""
    loss = marks_losses(seen.logits, step.defective, step.good)
    if step.teacher is not None and teacher_weight:
        apart = functional.smooth_l1_loss(seen.teacher, step.teacher, reduction="none")
        loss = loss + teacher_weight * apart.flatten(1).mean(1)
    return loss


def standardised(heat: Array) -> Array:
    """Return the teacher's maps ``(n, rows, columns)`` as logarithms of mean 0 and spread 1."""
    log = np.log(np.maximum(heat, 1e-6))
    return np.asarray((log - log.mean()) / max(float(log.std()), 1e-6), np.float32)


def on_teacher_grid(heat: Array, height: int, width: int) -> Array:
    """Take the largest value of a map ``(rows, columns)`` in each cell of ``TEACHER_CELL`` pixels.

    A coarser map is repeated.
    """
    rows, columns = height // TEACHER_CELL, width // TEACHER_CELL
    down, across = -(-rows // heat.shape[0]), -(-columns // heat.shape[1])
    fine = heat.repeat(down, axis=0).repeat(across, axis=1)
    up, over = fine.shape[0] // rows, fine.shape[1] // columns
    cut = fine[: rows * up, : columns * over].reshape(rows, up, columns, over)
    return np.asarray(cut.max(axis=(1, 3)), np.float32)
