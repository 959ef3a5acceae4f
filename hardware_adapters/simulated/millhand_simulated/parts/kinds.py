"""The products that can be rendered and the kinds of defect they can have."""

from __future__ import annotations

from typing import Final, Literal, get_args

Product = Literal["impeller", "housing"]
Defect = Literal["scratch", "pit", "crack", "stain", "chip", "missing_feature"]

PRODUCTS: Final[tuple[Product, ...]] = get_args(Product)
DEFECTS: Final[tuple[Defect, ...]] = get_args(Defect)
