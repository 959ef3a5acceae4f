"""Random convolution kernels: features of curves that need no learning.

ROCKET: A. Dempster, F. Petitjean, G. I. Webb, Data Mining and Knowledge Discovery 34 (2020).
Kernels of 7, 9 or 11 values, drawn at random, at random dilations; of each, the share of positive
answers and the largest answer.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import torch
from numpy.typing import NDArray

LENGTHS = (7, 9, 11)
_AT_ONCE = 64

Drawn = tuple[NDArray[np.float32], float]
"""A kernel ``(channels, values)`` and what is added to its answers."""


class Kernels:
    """``count`` kernels for curves of one shape; the same seed gives the same kernels."""

    def __init__(self, count: int, channels: int, length: int, seed: int) -> None:
        draw = np.random.default_rng(seed)
        kinds: dict[tuple[int, int, bool], list[Drawn]] = defaultdict(list)
        for _ in range(count):
            values = int(draw.choice([n for n in LENGTHS if n <= length] or [length]))
            widest = np.log2(max(1.0, (length - 1) / max(1, values - 1)))
            dilation, padded = int(2 ** draw.uniform(0, widest)), bool(draw.integers(2))
            kinds[values, dilation, padded].append(_drawn(draw, channels, values))
        self._groups = [
            (
                torch.from_numpy(np.stack([weight for weight, _ in drawn])),
                torch.tensor([bias for _, bias in drawn], dtype=torch.float32),
                dilation,
                (values - 1) * dilation // 2 if padded else 0,
            )
            for (values, dilation, padded), drawn in kinds.items()
        ]
        self._length = length

    @property
    def weights(self) -> int:
        """How many numbers were drawn; what a kernel does not look at counts as nothing."""
        return sum(int((weight != 0).sum()) + len(bias) for weight, bias, _, _ in self._groups)

    @property
    def products(self) -> int:
        """Multiplications that the features of one curve take, likewise."""
        return sum(
            int((weight != 0).sum()) * (self._length + 2 * pad - dilation * (weight.shape[2] - 1))
            for weight, _, dilation, pad in self._groups
        )

    @torch.no_grad()
    def __call__(self, curves: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``(n, 2 · kernels + channels)`` of ``(n, channels, length)``.

        Curves come with each channel about 0 with spread 1; its mean is a feature too.
        """
        found = [curves.mean(axis=2)]
        for weight, bias, dilation, pad in self._groups:
            seen = [
                torch.nn.functional.conv1d(
                    torch.from_numpy(curves[start : start + _AT_ONCE]).float(),
                    weight,
                    bias,
                    padding=pad,
                    dilation=dilation,
                )
                for start in range(0, len(curves), _AT_ONCE)
            ]
            found += [torch.cat([(one > 0).float().mean(2) for one in seen]).numpy()]
            found += [torch.cat([one.amax(2) for one in seen]).numpy()]
        return np.concatenate(found, axis=1).astype(np.float32)


def _drawn(draw: np.random.Generator, channels: int, values: int) -> Drawn:
    """Draw one kernel: it looks at some of the channels, more often at few."""
    some = int(2 ** draw.uniform(0, np.log2(channels + 1)))
    weight = np.zeros((channels, values), np.float32)
    for channel in draw.permutation(channels)[: max(1, some)]:
        row = draw.standard_normal(values)
        weight[channel] = row - row.mean()
    return weight, float(draw.uniform(-1, 1))
