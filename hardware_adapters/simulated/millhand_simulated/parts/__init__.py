"""Machined and cast parts, rendered by seed, with the truth about their defects.

``render("impeller", part_seed=7, family_seed=1000, defect="pit")`` gives a picture, the
mask of its defective pixels, their area and their contrast.
"""

from __future__ import annotations

from millhand_simulated.parts.kinds import DEFECTS, PRODUCTS, Defect, Product
from millhand_simulated.parts.render import RENDERER_VERSION, Rendered, render

__all__ = ["DEFECTS", "PRODUCTS", "RENDERER_VERSION", "Defect", "Product", "Rendered", "render"]
