"""What every product's design offers to the renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from millhand_simulated.parts.seeds import F32
from millhand_simulated.parts.surface import Surface


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that a part can lack, and the circle of the design that it changes."""

    name: str
    index: int
    u: float
    v: float
    radius: float


@dataclass(frozen=True, slots=True)
class EdgePoint:
    """A point on an edge that can chip, with the direction out of the material."""

    u: float
    v: float
    out_u: float
    out_v: float
    outline: bool
    """Whether the belt lies beyond it, not a lower face of the part."""


class Shape(Protocol):
    """A product's design, in units of which 256 fill the picture's width."""

    @property
    def reach(self) -> float:
        """Radius that holds the whole part."""
        ...

    @property
    def rgb(self) -> tuple[float, float, float]:
        """Reflectance of the skin as cast."""
        ...

    @property
    def cutter(self) -> tuple[float, float]:
        """The point around which the tool marks run."""
        ...

    @property
    def features(self) -> tuple[Feature, ...]:
        """All that can be missing."""
        ...

    def surface(self, u: F32, v: F32, missing: Feature | None = None) -> Surface:
        """Return the surface at the part's coordinates ``u``, ``v``."""
        ...

    def edge_point(self, rng: np.random.Generator) -> EdgePoint:
        """Draw a point on an edge that stands free."""
        ...
