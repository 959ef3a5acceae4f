"""Control charts of a run as drawings: points as decisions made them, no library, no script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from millhand.contracts.decision import ControlPoint
from millhand.ledger.run import ChartedPoint

WIDTH, HEIGHT = 640, 150
_EDGE = 8
_MOST = 200
"""Points drawn; of more, the newest."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A point in the drawing's units, from the upper left."""

    x: float
    y: float
    title: str
    broken: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A point that met a test."""

    at: int
    """Counts from 1 in the chart."""
    value: str
    tests: str


@dataclass(frozen=True, slots=True)
class ControlChart:
    """One chart, ready for the page."""

    name: str
    unit: str
    points: int
    dots: tuple[Dot, ...]
    line: str
    """The points as an SVG polyline."""
    centre: str
    lower: str
    upper: str
    """The newest limits in words, and each limit of its time as an SVG path."""
    paths: tuple[str, str, str]
    found: tuple[Found, ...]
    figures: Mapping[str, float]
    """Figures of the newest decision: capability, where the agent gives it."""


def control_charts(charts: Mapping[str, Sequence[ChartedPoint]]) -> list[ControlChart]:
    """Draw every chart, in the order in which they began."""
    return [_chart(name, points) for name, points in charts.items() if points]


def _chart(name: str, charted: Sequence[ChartedPoint]) -> ControlChart:
    points = [one.point for one in charted]
    first = max(0, len(points) - _MOST)
    shown = points[first:]
    height = _scale(shown)
    step = (WIDTH - 2 * _EDGE) / max(1, len(shown) - 1)
    xs = [_EDGE + step * at for at in range(len(shown))]
    digits = _digits(shown[-1])
    dots = tuple(
        Dot(x, height(p.value), _title(first + at + 1, p, digits), bool(p.broken))
        for at, (x, p) in enumerate(zip(xs, shown, strict=True))
    )
    found = [
        Found(at, f"{p.value:.{digits}f}", "; ".join(p.broken))
        for at, p in enumerate(points, 1)
        if p.broken
    ]
    last = shown[-1]
    return ControlChart(
        name=name,
        unit=last.unit,
        points=len(points),
        dots=dots,
        line=" ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in dots),
        centre=f"{last.centre:.{digits}f}",
        lower=f"{last.lower:.{digits}f}",
        upper=f"{last.upper:.{digits}f}",
        paths=(
            _path(xs, [height(p.centre) for p in shown]),
            _path(xs, [height(p.lower) for p in shown]),
            _path(xs, [height(p.upper) for p in shown]),
        ),
        found=tuple(found),
        figures=charted[-1].scores,
    )


class _scale:  # noqa: N801  a function with a memory
    """Turns values into heights, with room above and below."""

    def __init__(self, points: Sequence[ControlPoint]) -> None:
        values = [v for p in points for v in (p.value, p.lower, p.upper) if math.isfinite(v)]
        self._low, high = min(values, default=0.0), max(values, default=1.0)
        self._span = (high - self._low) or 1.0

    def __call__(self, value: float) -> float:
        share = min(1.0, max(0.0, (value - self._low) / self._span))
        return HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE)


def _path(xs: Sequence[float], ys: Sequence[float]) -> str:
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))


def _digits(point: ControlPoint) -> int:
    """Return as many decimals as show the limits apart with three digits."""
    span = point.upper - point.lower
    return min(9, max(0, 2 - math.floor(math.log10(span)))) if span > 0 else 3


def _title(at: int, point: ControlPoint, digits: int) -> str:
    tests = f": {'; '.join(point.broken)}" if point.broken else ""
    return f"{at}. {point.value:.{digits}f} {point.unit}{tests}"
