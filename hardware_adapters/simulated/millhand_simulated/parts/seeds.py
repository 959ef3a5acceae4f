"""Independent streams of random numbers out of a few seeds.

Each purpose has a stream of its own, so that a part with a defect and the same part without
it draw the same pose, the same grain and the same noise.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

F32: TypeAlias = NDArray[np.float32]


class Purpose(IntEnum):
    """What a stream is for. The numbers are part of the renderer's version."""

    FAMILY = 1
    POSE = 2
    TEXTURE = 3
    NOISE = 4
    DEFECT = 5


def stream(purpose: Purpose, *seeds: int) -> np.random.Generator:
    """Return the generator for ``purpose``; seeds may be any integers from 0 up."""
    sequence = np.random.SeedSequence([int(purpose), *seeds])
    return np.random.Generator(np.random.PCG64(sequence))
