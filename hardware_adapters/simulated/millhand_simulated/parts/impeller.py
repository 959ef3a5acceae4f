"""An impeller of a small pump: cast aluminium, hub and rim turned, bore with keyway."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from millhand_simulated.parts.seeds import F32
from millhand_simulated.parts.shape import EdgePoint, Feature
from millhand_simulated.parts.surface import (
    Surface,
    angle,
    blend,
    chamfer,
    length,
    ramp,
    repeat,
    rounded_box,
)

BLADES: Final = 6
SWEEP: Final = -0.85
"""Turn of a blade between its root and its tip, in radians."""
SHROUD, RIM, HUB, BORE = 108.0, 100.0, 33.0, 14.0
"""Radii: the disc, the inner side of its turned rim, the hub, the bore."""
ROOT, TIP = 36.0, 97.0
"""Radii between which a blade stands."""
BALANCE_HOLES: Final = 3
BALANCE_AT, BALANCE_RADIUS = 62.0, 5.5
KEYWAY = (4.2, 21.0)
"""Half width, and how far it reaches from the centre (upwards in the picture)."""


def _sweep(radius: F32) -> F32:
    reach = np.clip((radius - np.float32(ROOT)) * np.float32(1 / (TIP - ROOT)), -0.2, 1.2)
    swept: F32 = np.float32(SWEEP) * reach
    return swept


def _on_blade(index: int, radius: float) -> tuple[float, float]:
    at = 2 * math.pi * index / BLADES + SWEEP * (radius - ROOT) / (TIP - ROOT)
    return radius * math.cos(at), radius * math.sin(at)


def _balance_hole(index: int) -> tuple[float, float]:
    at = 2 * math.pi * (index + 0.25) / BALANCE_HOLES + SWEEP * (BALANCE_AT - ROOT) / (TIP - ROOT)
    return BALANCE_AT * math.cos(at), BALANCE_AT * math.sin(at)


class Impeller:
    """See the module."""

    reach = SHROUD
    rgb = (0.51, 0.515, 0.525)
    cutter = (0.0, 0.0)
    features = (
        *(Feature("blade_tip", i, *_on_blade(i, TIP - 8.0), 24.0) for i in range(BLADES)),
        *(
            Feature("balance_hole", i, *_balance_hole(i), BALANCE_RADIUS + 6.0)
            for i in range(BALANCE_HOLES)
        ),
        Feature("keyway", 0, 0.0, -17.0, 13.0),
    )

    def surface(self, u: F32, v: F32, missing: Feature | None = None) -> Surface:
        """Return the surface at ``u``, ``v``; see :class:`Shape`."""
        r = length(u, v)
        theta = angle(v, u)
        disc = np.float32(SHROUD) - r
        blade = self._blades(r, theta, missing)
        bore = self._bore(u, v, r, missing)
        drilled = self._balance(r, theta, missing)
        hub = np.float32(HUB) - r
        rim = r - np.float32(RIM)

        height = np.float32(10.0) - np.float32(0.03) * r
        height = height + np.float32(1.5) * chamfer(rim, 2.0)
        tall = np.float32(9.5) - np.float32(0.05) * (r - np.float32(ROOT))
        height = height + tall * ramp(blade, 4.4)
        height = blend(height, 20.0, chamfer(hub + np.float32(3.0), 4.0))
        height = height - np.float32(1.6) * (np.float32(1.0) - chamfer(bore, 2.5))
        cover = ramp(disc, 1.6)
        height = height * chamfer(disc + np.float32(0.5), 3.0)
        hole = np.maximum(ramp(-bore, 1.6), ramp(drilled, 1.6))
        height = blend(height, 3.0, hole)

        foot = np.maximum(np.maximum(blade, hub), -disc)
        near = np.clip(np.float32(1.0) + foot * np.float32(1 / 11.0), 0.0, 1.0)
        near = near * (np.float32(1.0) - ramp(np.maximum(blade, hub) - np.float32(0.5), 2.0))
        openness = np.float32(1.0) - np.float32(0.38) * near * near

        edge = np.minimum(np.abs(blade), np.minimum(np.abs(hub), np.abs(rim)))
        edge = np.minimum(edge, np.minimum(np.minimum(bore, -drilled), disc))
        machined = np.maximum(ramp(hub - np.float32(0.5), 1.6), ramp(rim, 1.6)) * cover
        return Surface(
            u=u,
            v=v,
            height=height,
            cover=cover,
            hole=hole,
            machined=machined,
            open=openness,
            edge=edge,
            tone=np.ones_like(height),
            rust=np.zeros_like(height),
        )

    def edge_point(self, rng: np.random.Generator) -> EdgePoint:
        """Draw a point on the outer rim, on a blade's tip or on the hub's shoulder."""
        where = rng.integers(4)
        if where == 0:
            index = int(rng.integers(BLADES))
            u, v = _on_blade(index, TIP - 1.0)
            return EdgePoint(u, v, u / TIP, v / TIP, outline=False)
        at = rng.uniform(0.0, 2 * math.pi)
        out_u, out_v = math.cos(at), math.sin(at)
        radius = HUB + 1.0 if where == 1 else SHROUD
        return EdgePoint(radius * out_u, radius * out_v, out_u, out_v, outline=bool(where > 1))

    @staticmethod
    def _blades(r: F32, theta: F32, missing: Feature | None) -> F32:
        """Distance inside the nearest blade."""
        folded, number = repeat(theta - _sweep(r), BLADES)
        slope = r * np.float32(SWEEP / (TIP - ROOT))
        across = np.abs(folded) * r / np.sqrt(np.float32(1.0) + slope * slope)
        half = np.float32(6.0) - np.float32(0.03) * (r - np.float32(ROOT))
        tip: F32 | np.float32 = np.float32(TIP)
        if missing is not None and missing.name == "blade_tip":
            broken = np.float32(TIP - 15.0) + np.float32(0.9) * (across - np.float32(2.0))
            tip = np.where(number == np.float32(missing.index), broken, tip)
        distance: F32 = np.minimum(half - across, tip - r)
        return distance

    @staticmethod
    def _bore(u: F32, v: F32, r: F32, missing: Feature | None) -> F32:
        """Distance to the bore's wall; negative inside it."""
        bore = r - np.float32(BORE)
        if missing is not None and missing.name == "keyway":
            return bore
        half_width, reach = KEYWAY
        slot = -rounded_box(u, v + np.float32(reach / 2), half_width, reach / 2, 0.8)
        distance: F32 = np.minimum(bore, slot)
        return distance

    @staticmethod
    def _balance(r: F32, theta: F32, missing: Feature | None) -> F32:
        """Distance inside the nearest balance hole; negative outside."""
        swept = np.float32(SWEEP * (BALANCE_AT - ROOT) / (TIP - ROOT) + math.pi / 6)
        folded, number = repeat(theta - swept, BALANCE_HOLES)
        # Near its middle a sector is flat enough: chord and arc differ by less than 1 %.
        along = folded * np.float32(BALANCE_AT)
        distance: F32 = np.float32(BALANCE_RADIUS) - length(along, r - np.float32(BALANCE_AT))
        if missing is not None and missing.name == "balance_hole":
            distance = np.where(number == np.float32(missing.index), np.float32(-9.0), distance)
        return distance
