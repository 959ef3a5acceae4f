"""Heads: what a good part's features look like, fitted in seconds from a few pictures.

All take features ``(pictures, channels, rows, columns) float32`` and give distances
``(pictures, rows, columns)``, 0 for what is expected, about 1 for an ordinary good cell.
"""

from __future__ import annotations

from collections.abc import Callable

from millhand_quality.inspect.heads.bank import fit_bank
from millhand_quality.inspect.heads.base import Head
from millhand_quality.inspect.heads.diagonal import fit_diagonal
from millhand_quality.inspect.heads.fused import fit_fused
from millhand_quality.inspect.heads.padim import fit_padim
from millhand_quality.inspect.trunk import Array

FITTERS: dict[str, Callable[[Array], Head]] = {
    "diagonal": fit_diagonal,
    "padim": fit_padim,
    "bank": fit_bank,
    "fused": fit_fused,
}
"""From the cheapest at run time to the dearest."""

__all__ = ["FITTERS", "Head", "fit_bank", "fit_diagonal", "fit_fused", "fit_padim"]
