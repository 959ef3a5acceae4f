"""The student as a torch module: a small convolutional net that knows where it looks.

Pictures come from a fixed camera, so a cell's surroundings are nearly the same on every good part.
Beside the picture the net is given maps for each cell. They come from a *template*, mean and spread
of the good pictures, through a few layers of their own, plus what is learnt cell by cell. Once
learnt, the maps are constants, and the exported graph holds nothing of how they came to be.

::

    picture (3, h, w)
      stem    3x3, stride 2      (stem,   h/2, w/2)
      down    3x3, stride 2      (fine,   h/4, w/4)   fine layers follow
      deep    3x3, stride 2      (coarse, h/8, w/8)   + coarse map; residual layers follow
      join    1x1 of deep, enlarged, + 1x1 of fine + fine map
      head    3x3, then 1x1 + cell bias  ->  one logit for each cell (h/4, w/4)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from millhand_quality.inspect.distil.config import CELL, CellStudentConfig
from millhand_quality.inspect.distil.folding import folded
from millhand_quality.inspect.trunk import Array

PIXEL_SCALE = 128.0
TEMPLATE_WIDTH = 32
RARE = -4.0
"""Logit of a defect in a cell before anything is learnt."""
BATCH_NORM_MOMENTUM = 0.02


class NormedConv(nn.Module):
    """A convolution with batch normalisation, which :meth:`folded` puts into one."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(channels_out, momentum=BATCH_NORM_MOMENTUM)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(n, c, h, w)``."""
        mapped: torch.Tensor = self.norm(self.conv(x))
        return mapped

    def folded(self) -> tuple[Array, Array]:
        """Return weight and bias of the one convolution that does the same in evaluation."""
        return folded(self.conv, self.norm)


@dataclass(frozen=True, slots=True)
class CellMaps:
    """What the net knows of each cell before it sees a picture."""

    fine: torch.Tensor
    """``(n, fine, h/4, w/4)``."""
    coarse: torch.Tensor
    """``(n, coarse, h/8, w/8)``."""
    bias: torch.Tensor
    """``(n, 1, h/4, w/4)``, added to the logits."""

    def crops(self, corners: Sequence[tuple[int, int]], side: int) -> CellMaps:
        """Cut squares of ``side`` fine cells at even ``corners`` (row, column), one for each."""

        def cut(whole: torch.Tensor, unit: int) -> torch.Tensor:
            size = side // unit
            pieces = [
                whole[
                    :, :, row // unit : row // unit + size, column // unit : column // unit + size
                ]
                for row, column in corners
            ]
            return torch.cat(pieces)

        return CellMaps(cut(self.fine, 1), cut(self.coarse, 2), cut(self.bias, 1))


@dataclass(frozen=True, slots=True)
class Seen:
    """What the net makes of pictures."""

    logits: torch.Tensor
    """``(n, h/4, w/4)``."""
    teacher: torch.Tensor
    """``(n, h/16, w/16)``: guess of the teacher's map, only learnt from, never exported."""
    features: torch.Tensor
    """``(n, fine, h/4, w/4)``: what novelty is measured on."""


class CellNet(nn.Module):
    """The student.

    Args:
        config: its widths.
        template: ``(2 * 16, h/4, w/4)``, see :func:`template_of`.
    """

    template: torch.Tensor

    def __init__(self, config: CellStudentConfig, template: torch.Tensor) -> None:
        super().__init__()
        fine, coarse = config.fine, config.coarse
        rows, columns = template.shape[1:]
        self.register_buffer("template", template[None], persistent=False)
        self.stem = NormedConv(3, config.stem, 3, 2)
        self.down = NormedConv(config.stem, fine, 3, 2)
        self.fine_layers = nn.ModuleList(
            NormedConv(fine, fine, 3) for _ in range(config.fine_layers)
        )
        self.deep = NormedConv(fine, coarse, 3, 2)
        self.coarse_layers = nn.ModuleList(
            NormedConv(coarse, coarse, 3) for _ in range(config.coarse_layers)
        )
        self.from_coarse = nn.Conv2d(coarse, fine, 1, bias=False)
        self.from_fine = NormedConv(fine, fine, 1)
        self.head = NormedConv(fine, fine, 3)
        self.logit = nn.Conv2d(fine, 1, 1)
        nn.init.constant_(self.logit.bias, RARE)  # type: ignore[arg-type]
        self.guess = nn.Conv2d(coarse, 1, 1)
        self.template_layers = nn.Sequential(
            nn.Conv2d(len(template), TEMPLATE_WIDTH, 1),
            nn.ReLU(),
            nn.Conv2d(TEMPLATE_WIDTH, TEMPLATE_WIDTH, 3, padding=1),
            nn.ReLU(),
        )
        self.template_fine = nn.Conv2d(TEMPLATE_WIDTH, fine, 1)
        self.template_coarse = nn.Conv2d(TEMPLATE_WIDTH, coarse, 3, 2, 1)
        self.own_fine = nn.Parameter(torch.zeros(1, fine, rows, columns))
        self.own_coarse = nn.Parameter(torch.zeros(1, coarse, rows // 2, columns // 2))
        self.own_bias = nn.Parameter(torch.zeros(1, 1, rows, columns))

    def cell_parameters(self) -> list[nn.Parameter]:
        """Return what is learnt cell by cell."""
        return [self.own_fine, self.own_coarse, self.own_bias]

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return everything else."""
        own = {id(parameter) for parameter in self.cell_parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in own]

    def maps(self) -> CellMaps:
        """Make the maps of all cells."""
        known = self.template_layers(self.template)
        return CellMaps(
            self.template_fine(known) + self.own_fine,
            self.template_coarse(known) + self.own_coarse,
            self.own_bias,
        )

    def forward(self, pixels: torch.Tensor, maps: CellMaps) -> Seen:
        """Look at ``(n, 3, h, w)`` pixels of 0 to 255, whole pictures or crops with their maps."""
        x = functional.relu(self.stem(pixels / PIXEL_SCALE))
        x = functional.relu(self.down(x))
        for layer in self.fine_layers:
            x = functional.relu(layer(x))
        y = functional.relu(self.deep(x) + maps.coarse)
        for layer in self.coarse_layers:
            y = functional.relu(layer(y) + y)
        joined = functional.interpolate(self.from_coarse(y), scale_factor=2, mode="nearest")
        joined = functional.relu(joined + self.from_fine(x) + maps.fine)
        logits = self.logit(functional.relu(self.head(joined))) + maps.bias
        guess = self.guess(functional.avg_pool2d(y, 2))
        return Seen(logits[:, 0], guess[:, 0], x)


def template_of(mean: Array, spread: Array) -> torch.Tensor:
    """Put mean and spread of good pictures into cells ``(32, h/4, w/4)``.

    Both are of brightness ``(h, w)``, relative to a picture's mean brightness.
    """

    def cells(whole: Array) -> torch.Tensor:
        height, width = whole.shape
        split = whole.reshape(height // CELL, CELL, width // CELL, CELL)
        flat = split.transpose(1, 3, 0, 2).reshape(CELL * CELL, height // CELL, width // CELL)
        return torch.from_numpy(flat.copy())

    return torch.cat([cells(mean) - 1.0, cells(spread) * 5.0]).float()
