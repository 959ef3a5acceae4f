"""The net that learns marked defects on the trunk's features, as a torch module."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from millhand_quality.inspect.distil.cell_net import RARE
from millhand_quality.inspect.heads.diagonal import DiagonalHead
from millhand_quality.inspect.heads.marks import Marks
from millhand_quality.inspect.trunk import Array


class MarksNet(nn.Module):
    """What :class:`Marks` is made from; takes features already turned into deviations.

    Args:
        fine: channels and grid of the fine level, ``(channels, rows, columns)``.
        coarse: channels of the coarse level, whose grid is half as fine.
        width: channels of its own.
    """

    def __init__(self, fine: tuple[int, int, int], coarse: int, width: int) -> None:
        super().__init__()
        channels, rows, columns = fine
        self.near = nn.Conv2d(channels, width, 3, padding=1)
        self.far = nn.Conv2d(coarse, width, 1, bias=False)
        self.known = nn.Parameter(torch.zeros(1, width, rows, columns))
        self.join = nn.Conv2d(width, width, 3, padding=1)
        self.logit = nn.Conv2d(width, 1, 1)
        nn.init.constant_(self.logit.bias, RARE)  # type: ignore[arg-type]
        self.cells = nn.Parameter(torch.zeros(1, 1, rows, columns))

    def forward(
        self,
        fine: torch.Tensor,
        coarse: torch.Tensor,
        corners: Sequence[tuple[int, int]] | None = None,
    ) -> torch.Tensor:
        """Return the logit of each cell ``(n, rows, columns)``.

        Args:
            fine: deviations of whole pictures, or of squares cut from them.
            coarse: likewise.
            corners: row and column of each square, in fine cells; None for whole pictures.
        """
        far = functional.interpolate(self.far(coarse), scale_factor=2, mode="nearest")
        side = fine.shape[2]
        known, cells = (_cut(whole, corners, side) for whole in (self.known, self.cells))
        seen = functional.relu(self.near(fine) + far + known)
        logits: torch.Tensor = self.logit(functional.relu(self.join(seen))) + cells
        return logits[:, 0]

    def marks(self, scales: tuple[DiagonalHead, DiagonalHead], low: float, scale: float) -> Marks:
        """Return what was learnt as plain arrays; see :class:`Marks`."""
        assert self.near.bias is not None
        assert self.join.bias is not None
        assert self.logit.bias is not None
        return Marks(
            fine_scale=scales[0],
            coarse_scale=scales[1],
            fine=(_array(self.near.weight), _array(self.near.bias)),
            coarse=_array(self.far.weight),
            known=_array(self.known),
            join=(_array(self.join.weight), _array(self.join.bias)),
            logit=(_array(self.logit.weight), _array(self.logit.bias)),
            cells=_array(self.cells),
            low=low,
            scale=scale,
        )


def _array(tensor: torch.Tensor) -> Array:
    return tensor.detach().numpy().copy()


def _cut(whole: torch.Tensor, corners: Sequence[tuple[int, int]] | None, side: int) -> torch.Tensor:
    if corners is None:
        return whole
    return torch.cat([whole[:, :, row : row + side, col : col + side] for row, col in corners])
