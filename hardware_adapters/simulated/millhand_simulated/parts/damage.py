"""Damage: what each kind of defect does to a surface.

Dents change the height, so that they take light and shadow as the rest of the part does; stains
change the tone; a missing feature changes the design. Damage is placed by a stream of random
numbers of its own, so that the undamaged part is the same part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from millhand_simulated.parts.kinds import DEFECTS, Defect
from millhand_simulated.parts.seeds import F32, Purpose, stream
from millhand_simulated.parts.shape import Feature, Shape
from millhand_simulated.parts.surface import Pose, Surface, length, ramp

Change: TypeAlias = Callable[[Surface], None]


@dataclass(frozen=True, slots=True)
class Damage:
    """One defect: where it is, and what it does to the surface there."""

    kind: Defect
    u: float
    v: float
    radius: float
    """Circle of the design outside which nothing changes, before light and shadow."""
    change: Change | None = None
    """Changes a surface in place."""
    missing: Feature | None = None
    """The feature that was left out."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where on a posed part damage may lie."""

    pose: Pose
    surface: Surface
    shape: Shape

    def clearance(self, u: F32, v: F32) -> F32:
        """Return the distance to the nearest edge at points of the part; off it negative."""
        size = self.surface.edge.shape[0]
        x, y = _to_pixels(self.pose, u, v)
        inside = (x >= 0) & (y >= 0) & (x < size) & (y < size)
        found = self.surface.edge[np.clip(y, 0, size - 1), np.clip(x, 0, size - 1)]
        return np.where(inside, found, np.float32(-1.0))

    def height(self, u: float, v: float) -> float:
        """Return the height above the belt at a point of the part."""
        last = self.surface.height.shape[0] - 1
        x, y = self.pose.to_picture(u, v)
        return float(self.surface.height[min(max(round(y), 0), last), min(max(round(x), 0), last)])


def _to_pixels(pose: Pose, u: F32, v: F32) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    c, s = math.cos(pose.turn) * pose.scale, math.sin(pose.turn) * pose.scale
    x = np.rint(pose.x + u * c - v * s).astype(np.int32)
    y = np.rint(pose.y + u * s + v * c).astype(np.int32)
    return x, y


@dataclass(frozen=True, slots=True)
class Grade:
    """How large and how strong a defect is, both 0 to 1."""

    size: float
    strength: float


def draw_damage(
    kind: Defect, ground: Ground, *, part_seed: int, severity: float | None = None
) -> Damage:
    """Draw the defect of a part.

    Args:
        kind: what is wrong.
        ground: the undamaged part.
        part_seed: decides place and shape.
        severity: 0 (just visible) to 1; None draws size and strength apart.
    """
    rng = stream(Purpose.DEFECT, part_seed, DEFECTS.index(kind))
    drawn = Grade(float(rng.random()), float(rng.random()))
    grade = drawn if severity is None else Grade(severity, severity)
    return _MAKERS[kind](rng, ground, grade)


_TRIES: Final = 300


def _spot(rng: np.random.Generator, ground: Ground, clearance: float) -> tuple[float, float]:
    """Draw a point on the part at least ``clearance`` from any edge, or the best there is."""
    reach = ground.shape.reach
    u, v = rng.uniform(-reach, reach, (2, _TRIES)).astype(np.float32)
    room = ground.clearance(u, v)
    fits = room >= clearance
    chosen = int(np.argmax(fits)) if fits.any() else int(np.argmax(room))
    return float(u[chosen]), float(v[chosen])


def _line(
    rng: np.random.Generator, ground: Ground, span: float, clearance: float
) -> tuple[float, float, float, float]:
    """Draw a stretch of length ``span`` that crosses no edge: its middle, direction and length."""
    reach = ground.shape.reach
    u, v = rng.uniform(-reach, reach, (2, _TRIES)).astype(np.float32)
    heading = rng.uniform(0.0, math.pi, _TRIES)
    for shrink in (1.0, 0.75, 0.55, 0.4, 0.28, 0.2):
        steps = np.linspace(-0.5, 0.5, 25) * span * shrink
        along_u = (u[:, None] + np.cos(heading)[:, None] * steps).astype(np.float32)
        along_v = (v[:, None] + np.sin(heading)[:, None] * steps).astype(np.float32)
        fits = ground.clearance(along_u, along_v).min(axis=1) >= clearance
        if fits.any():
            chosen = int(np.argmax(fits))
            return float(u[chosen]), float(v[chosen]), float(heading[chosen]), span * shrink
    at_u, at_v = _spot(rng, ground, clearance)
    return at_u, at_v, float(heading[0]), span * 0.2


def _on_part(surface: Surface) -> F32:
    held: F32 = surface.cover * (np.float32(1.0) - surface.hole)
    return held


def _along(u: F32, v: F32, start: tuple[float, float], end: tuple[float, float]) -> tuple[F32, F32]:
    """Return the distance to a straight stretch and the share of it passed, 0 to 1."""
    du, dv = np.float32(end[0] - start[0]), np.float32(end[1] - start[1])
    pu, pv = u - np.float32(start[0]), v - np.float32(start[1])
    square = du * du + dv * dv + np.float32(1e-9)
    share: F32 = np.clip((pu * du + pv * dv) / square, 0.0, 1.0)
    return length(pu - share * du, pv - share * dv), share


def _between(low: float, high: float, share: float) -> float:
    return low + (high - low) * share


def _scratch(rng: np.random.Generator, ground: Ground, grade: Grade) -> Damage:
    span = _between(6.0, 58.0, grade.size**1.4)
    u, v, heading, span = _line(rng, ground, span, 3.0)
    half_width = rng.uniform(0.6, 0.9) + 0.45 * grade.size
    depth = _between(0.16, 0.62, grade.strength)
    bright = rng.random() < 0.6
    tone = _between(0.12, 0.45, grade.strength) * (1.0 if bright else -0.9)
    bend = rng.uniform(-0.06, 0.06) * span
    cu, cv = math.cos(heading), math.sin(heading)
    points = [
        (
            u + cu * span * t - cv * bend * (1 - 4 * t * t),
            v + cv * span * t + cu * bend * (1 - 4 * t * t),
        )
        for t in (-0.5, -0.25, 0.0, 0.25, 0.5)
    ]

    def change(surface: Surface) -> None:
        distance = np.full_like(surface.u, 99.0)
        for start, end in pairwise(points):
            distance = np.minimum(distance, _along(surface.u, surface.v, start, end)[0])
        groove = np.maximum(np.float32(1.0) - distance * np.float32(1 / half_width), 0.0)
        burr_at = np.abs(distance - np.float32(1.5 * half_width)) * np.float32(1 / half_width)
        burr = np.maximum(np.float32(1.0) - burr_at, 0.0)
        held = _on_part(surface)
        surface.height += (np.float32(0.4) * burr - groove) * held * np.float32(depth)
        core = ramp(np.float32(half_width * 0.9) - distance, 1.2)
        surface.tone *= np.float32(1.0) + core * held * np.float32(tone)

    return Damage("scratch", u, v, span / 2 + abs(bend) + 4.0, change)


def _pit(rng: np.random.Generator, ground: Ground, grade: Grade) -> Damage:
    radius = _between(1.6, 5.6, grade.size**1.6)
    u, v = _spot(rng, ground, radius + 2.5)
    depth = radius * _between(0.16, 0.62, grade.strength)
    dark = _between(0.06, 0.5, grade.strength)
    heading, stretch = rng.uniform(0.0, math.pi), rng.uniform(1.0, 1.45)
    ragged = rng.uniform(-0.25, 0.25, 2)
    cu, cv = math.cos(heading), math.sin(heading)

    def change(surface: Surface) -> None:
        pu, pv = surface.u - np.float32(u), surface.v - np.float32(v)
        a = (pu * np.float32(cu) + pv * np.float32(cv)) * np.float32(1 / (radius * stretch))
        b = (pv * np.float32(cu) - pu * np.float32(cv)) * np.float32(stretch / radius)
        bent = np.float32(ragged[0]) * np.minimum(b * b, 1.0)
        b += np.float32(ragged[1]) * np.minimum(a * a, 1.0)
        a += bent
        bowl = np.maximum(np.float32(1.0) - a * a - b * b, 0.0)
        held = _on_part(surface)
        surface.height -= bowl * (np.float32(2.0) - bowl) * held * np.float32(depth)
        inside = np.minimum(bowl * np.float32(2.2), 1.0) * held
        surface.tone *= np.float32(1.0) - inside * np.float32(dark)
        surface.open *= np.float32(1.0) - inside * np.float32(0.5 * dark)

    return Damage("pit", u, v, radius * 1.6 + 2.0, change)


def _crack(rng: np.random.Generator, ground: Ground, grade: Grade) -> Damage:
    span = _between(8.0, 46.0, grade.size**1.3)
    u, v, heading, span = _line(rng, ground, span, 2.0)
    half_width = _between(0.75, 1.25, grade.size)
    dark = _between(0.12, 0.72, grade.strength)
    depth = _between(0.12, 0.8, grade.strength)
    steps = max(3, round(span / 5.0))
    turns = rng.uniform(-0.55, 0.55, steps)
    branch_at, branch_turn = int(rng.integers(1, steps)), rng.choice([-0.8, 0.8])
    at = (u - math.cos(heading) * span / 2, v - math.sin(heading) * span / 2)
    path = [at]
    for turn in turns:
        step = span / steps
        at = (at[0] + math.cos(heading + turn) * step, at[1] + math.sin(heading + turn) * step)
        path.append(at)
    fork = path[branch_at]
    branch = (
        fork[0] + math.cos(heading + branch_turn) * span * 0.22,
        fork[1] + math.sin(heading + branch_turn) * span * 0.22,
    )

    def change(surface: Surface) -> None:
        gap = np.zeros_like(surface.u)
        stretches = [*pairwise(path), (fork, branch)]
        for index, (start, end) in enumerate(stretches):
            distance, share = _along(surface.u, surface.v, start, end)
            passed = (np.float32(min(index, steps)) + share) * np.float32(1 / (steps + 1))
            width = np.float32(half_width) * (np.float32(1.15) - np.float32(0.7) * passed)
            gap = np.maximum(gap, ramp(width - distance, 1.1))
        gap *= _on_part(surface)
        surface.height -= gap * np.float32(depth)
        surface.tone *= np.float32(1.0) - gap * np.float32(dark)
        surface.open *= np.float32(1.0) - gap * np.float32(0.4 * dark)

    return Damage("crack", u, v, span * 0.75 + 5.0, change)


def _stain(rng: np.random.Generator, ground: Ground, grade: Grade) -> Damage:
    radius = _between(2.2, 15.0, grade.size**1.5)
    u, v = _spot(rng, ground, min(radius * 0.7 + 1.0, 8.0))
    dark = _between(0.08, 0.42, grade.strength)
    rust = rng.uniform(0.0, 0.3) * (0.3 + 0.7 * grade.strength)
    count = 4
    around = rng.uniform(0.0, 2 * math.pi, count)
    away = radius * rng.uniform(0.25, 0.7, count)
    sizes = radius * rng.uniform(0.45, 0.8, count)
    soft = rng.uniform(1.4, 2.6)

    def change(surface: Surface) -> None:
        inside = np.full_like(surface.u, -99.0)
        for turn, distance, size in zip(around, away, sizes, strict=True):
            pu = surface.u - np.float32(u + distance * math.cos(turn))
            pv = surface.v - np.float32(v + distance * math.sin(turn))
            inside = np.maximum(inside, np.float32(size) - length(pu, pv))
        wet = ramp(inside, soft) * _on_part(surface)
        rim = np.maximum(np.float32(1.0) - np.abs(inside) * np.float32(0.5), 0.0) * wet
        surface.tone *= np.float32(1.0) - (wet + np.float32(0.25) * rim) * np.float32(dark)
        surface.rust += wet * np.float32(rust)

    return Damage("stain", u, v, radius * 1.6 + 3.0, change)


def _chip(rng: np.random.Generator, ground: Ground, grade: Grade) -> Damage:
    edge = ground.shape.edge_point(rng)
    radius = _between(4.4, 10.0, grade.size**1.3)
    depth = _between(1.6, 6.0, grade.strength)
    beyond = radius * (0.2 if edge.outline else -0.15)
    u, v = edge.u + edge.out_u * beyond, edge.v + edge.out_v * beyond
    top = ground.height(edge.u - 4.0 * edge.out_u, edge.v - 4.0 * edge.out_v)
    facets = rng.uniform(0.0, 2 * math.pi, 3)
    cuts = rng.uniform(0.7, 0.95, 3)
    fresh = _between(0.06, 0.22, grade.strength) * (1.0 if rng.random() < 0.7 else -1.0)
    tilt_u, tilt_v = rng.uniform(-0.25, 0.25, 2)

    def change(surface: Surface) -> None:
        pu, pv = surface.u - np.float32(u), surface.v - np.float32(v)
        far = length(pu, pv) * np.float32(1 / radius)
        for turn, cut in zip(facets, cuts, strict=True):
            plane = pu * np.float32(math.cos(turn)) + pv * np.float32(math.sin(turn))
            far = np.maximum(far, plane * np.float32(1 / (radius * cut)))
        held = _on_part(surface) * ramp(np.float32(radius) * (np.float32(1.0) - far), 2.0)
        scoop = np.maximum(np.float32(1.0) - far * far, 0.0) * np.float32(depth)
        floor = np.float32(top) - scoop + pu * np.float32(tilt_u) + pv * np.float32(tilt_v)
        lost = np.maximum(surface.height - np.maximum(floor, 0.5), 0.0) * held
        surface.height -= lost
        broken = np.minimum(lost, 1.0)
        surface.tone *= np.float32(1.0) + broken * np.float32(fresh)
        surface.machined *= np.float32(1.0) - broken
        if edge.outline:
            gone = ramp(np.float32(0.8 * radius) - far * np.float32(radius), 1.6)
            surface.cover *= np.float32(1.0) - gone
            surface.height *= np.float32(1.0) - gone

    return Damage("chip", u, v, radius * 1.2 + 3.0, change)


def _missing(rng: np.random.Generator, ground: Ground, grade: Grade) -> Damage:
    del grade  # a feature is there or it is not
    names = sorted({feature.name for feature in ground.shape.features})
    name = names[int(rng.integers(len(names)))]
    choices = [feature for feature in ground.shape.features if feature.name == name]
    feature = choices[int(rng.integers(len(choices)))]
    return Damage("missing_feature", feature.u, feature.v, feature.radius, missing=feature)


_MAKERS: Final[dict[Defect, Callable[[np.random.Generator, Ground, Grade], Damage]]] = {
    "scratch": _scratch,
    "pit": _pit,
    "crack": _crack,
    "stain": _stain,
    "chip": _chip,
    "missing_feature": _missing,
}
