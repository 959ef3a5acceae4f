"""What every head can do."""

from __future__ import annotations

from typing import Protocol

from millhand_quality.inspect.network import Recorder
from millhand_quality.inspect.trunk import Array


class Head(Protocol):
    """A fitted head."""

    @property
    def kind(self) -> str:
        """``diagonal``, ``padim``, ``bank`` or ``fused``."""
        ...

    def distances(self, features: Array) -> Array:
        """Return ``(n, rows, columns)`` for features ``(n, channels, rows, columns)``."""
        ...

    def record(self, recorder: Recorder, features: str) -> str:
        """Write the same for one picture; return the name of a tensor ``(1, 1, rows, columns)``."""
        ...
