"""A pump housing: grey cast iron, square flange with bolt holes, turned boss, stepped bore."""

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

FLANGE, CORNER = 102.0, 26.0
"""Half width of the flange, radius of its corners."""
BOSS, STEP, BORE = 63.0, 38.0, 29.0
"""Radii: the boss, the counterbore, the bore."""
BOLT_AT, BOLT, SPOT_FACE = 78.0, 8.0, 14.5
"""Bolt holes: distance from both middle lines, radius, radius of the spot face."""
TAPPED: Final = 6
TAPPED_AT, TAPPED_RADIUS = 50.5, 3.8
RIB_FROM, RIB_TO, RIB_HALF = BOSS - 2.0, 95.0, 5.0
_CORNERS = ((1, 1), (-1, 1), (-1, -1), (1, -1))
_SIDES = ((1, 0), (0, 1), (-1, 0), (0, -1))


def _tapped(index: int) -> tuple[float, float]:
    at = 2 * math.pi * index / TAPPED + math.pi / 6
    return TAPPED_AT * math.cos(at), TAPPED_AT * math.sin(at)


class Housing:
    """See the module."""

    reach = 120.0
    rgb = (0.44, 0.435, 0.43)
    cutter = (-210.0, 60.0)
    features = (
        *(
            Feature("bolt_hole", i, BOLT_AT * a, BOLT_AT * b, BOLT + 5.0)
            for i, (a, b) in enumerate(_CORNERS)
        ),
        *(Feature("tapped_hole", i, *_tapped(i), TAPPED_RADIUS + 5.0) for i in range(TAPPED)),
        *(Feature("rib", i, 79.0 * a, 79.0 * b, 26.0) for i, (a, b) in enumerate(_SIDES)),
    )

    def surface(self, u: F32, v: F32, missing: Feature | None = None) -> Surface:
        """Return the surface at ``u``, ``v``; see :class:`Shape`."""
        r = length(u, v)
        flange = rounded_box(u, v, FLANGE, FLANGE, CORNER)
        boss = np.float32(BOSS) - r
        bore = r - np.float32(BORE)
        step = np.float32(STEP) - r
        bolt = self._to_bolt(u, v)
        drilled = self._drilled(u, v, bolt, missing)
        tapped = self._tapped(r, angle(v, u), missing)
        rib = self._ribs(u, v, missing)
        spot = np.float32(SPOT_FACE) - bolt

        height = np.full_like(r, 9.0)
        height = height + np.float32(6.0) * ramp(rib, 4.4)
        height = blend(height, 18.0, chamfer(boss + np.float32(3.0), 4.0))
        height = height - np.float32(1.4) * ramp(spot, 1.8)
        height = height - np.float32(4.0) * ramp(step, 2.0)
        height = height - np.float32(1.2) * chamfer(tapped + np.float32(1.4), 1.4)
        cover = ramp(flange, 1.6)
        height = height * chamfer(flange + np.float32(0.5), 3.0)
        hole = np.maximum(ramp(-bore, 1.6), np.maximum(ramp(drilled, 1.6), ramp(tapped, 1.4)))
        height = blend(height, 3.0, hole)

        wall = np.maximum(np.maximum(rib, boss), -flange)
        near = np.clip(np.float32(1.0) + wall * np.float32(1 / 11.0), 0.0, 1.0)
        near = near * (np.float32(1.0) - ramp(np.maximum(rib, boss) - np.float32(0.5), 2.0))
        openness = np.float32(1.0) - np.float32(0.36) * near * near
        openness = openness - np.float32(0.12) * ramp(step, 3.0)

        edge = np.minimum(np.abs(rib), np.minimum(np.abs(boss), np.abs(step)))
        edge = np.minimum(edge, np.minimum(np.abs(spot), np.minimum(-drilled, -tapped)))
        edge = np.minimum(edge, np.minimum(bore, flange))
        machined = np.maximum(ramp(boss - np.float32(0.5), 1.6), ramp(spot, 1.6)) * cover
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
        """Draw a point on the flange's straight sides or on the boss's shoulder."""
        if rng.random() < 0.35:
            at = rng.uniform(0.0, 2 * math.pi)
            out_u, out_v = math.cos(at), math.sin(at)
            radius = BOSS + 1.0
            return EdgePoint(radius * out_u, radius * out_v, out_u, out_v, outline=False)
        out_u, out_v = _SIDES[int(rng.integers(4))]
        along = rng.uniform(-1.0, 1.0) * (FLANGE - CORNER)
        u = out_u * FLANGE + abs(out_v) * along
        v = out_v * FLANGE + abs(out_u) * along
        return EdgePoint(u, v, float(out_u), float(out_v), outline=True)

    @staticmethod
    def _to_bolt(u: F32, v: F32) -> F32:
        """Distance to the nearest bolt hole's centre."""
        return length(np.abs(u) - np.float32(BOLT_AT), np.abs(v) - np.float32(BOLT_AT))

    @staticmethod
    def _drilled(u: F32, v: F32, bolt: F32, missing: Feature | None) -> F32:
        """Distance inside the nearest bolt hole; negative outside."""
        distance: F32 = np.float32(BOLT) - bolt
        if missing is not None and missing.name == "bolt_hole":
            a, b = _CORNERS[missing.index]
            here = (u * np.float32(a) > 0) & (v * np.float32(b) > 0)
            distance = np.where(here, np.float32(-9.0), distance)
        return distance

    @staticmethod
    def _tapped(r: F32, theta: F32, missing: Feature | None) -> F32:
        """Distance inside the nearest tapped hole; negative outside."""
        folded, number = repeat(theta - np.float32(math.pi / 6), TAPPED)
        # Near its middle a sector is flat enough: chord and arc differ by less than 1 %.
        along = folded * np.float32(TAPPED_AT)
        distance: F32 = np.float32(TAPPED_RADIUS) - length(along, r - np.float32(TAPPED_AT))
        if missing is not None and missing.name == "tapped_hole":
            distance = np.where(number == np.float32(missing.index), np.float32(-9.0), distance)
        return distance

    @staticmethod
    def _ribs(u: F32, v: F32, missing: Feature | None) -> F32:
        """Distance inside the nearest rib; negative outside."""
        au, av = np.abs(u), np.abs(v)
        along, across = np.maximum(au, av), np.minimum(au, av)
        ends = np.minimum(along - np.float32(RIB_FROM), np.float32(RIB_TO) - along)
        distance: F32 = np.minimum(np.float32(RIB_HALF) - across, ends)
        if missing is not None and missing.name == "rib":
            a, b = _SIDES[missing.index]
            here = (u * np.float32(a) + v * np.float32(b)) > np.float32(RIB_FROM * 0.8)
            distance = np.where(here, np.float32(-9.0), distance)
        return distance
