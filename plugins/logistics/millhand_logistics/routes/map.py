"""Routes as a picture: one self-contained SVG, north up."""

from __future__ import annotations

import math
from html import escape

from millhand.messages import tr
from millhand_logistics.routes.model import Day, Place
from millhand_logistics.routes.plan import Route, Routes

_SIZE, _MARGIN = 900, 60
_STYLE = """
text{font:12px system-ui,sans-serif;fill:#222}.r{fill:none;stroke-width:2.5}.s{stroke:#fff}
.d{fill:#111}.o{fill:#fff;stroke:#c22;stroke-width:2}
"""


def route_map(day: Day, planned: Routes) -> str:
    """Draw depots (squares), stops (circles), those left out (red rings), and each route."""
    at = _projection(day)
    stops = {stop.id: stop for stop in day.stops}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}" role="img">',
        f"<style>{_STYLE}</style>",
    ]
    for number, route in enumerate(planned.routes):
        colour = _colour(number)
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in _line(day, route, at))
        title = tr("{vehicle}: {km:.0f} km", vehicle=route.vehicle, km=route.distance_m / 1000)
        parts.append(
            f'<polyline points="{line}" class="r" stroke="{colour}">'
            f"<title>{escape(title)}</title></polyline>"
        )
        for turn, visit in enumerate(route.visits, start=1):
            x, y = at(stops[visit.stop].at)
            title = f"{turn}. {visit.stop}, {_hours(visit.begin)}"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{colour}" class="s">'
                f"<title>{escape(title)}</title></circle>"
            )
    for name in planned.left_out:
        x, y = at(stops[name].at)
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" class="o"><title>{escape(name)}</title>'
            "</circle>"
        )
    for name, place in day.depots.items():
        x, y = at(place)
        parts.append(f'<rect x="{x - 6:.1f}" y="{y - 6:.1f}" width="12" height="12" class="d"/>')
        parts.append(f'<text x="{x + 10:.1f}" y="{y + 4:.1f}">{escape(name)}</text>')
    return "".join([*parts, "</svg>"])


def _line(day: Day, route: Route, at: _Projection) -> list[tuple[float, float]]:
    vehicle = day.vehicles[route.vehicle]
    stops = {stop.id: stop for stop in day.stops}
    places = [vehicle.position or day.depots[vehicle.start]]
    places += [stops[visit.stop].at for visit in route.visits]
    places.append(day.depots[vehicle.end or vehicle.start])
    return [at(place) for place in places]


class _Projection:
    """From places to points of the picture; degrees are drawn equirectangular."""

    def __init__(self, places: list[Place]) -> None:
        self._shrink = math.cos(math.radians(sum(p[1] for p in places) / len(places)))
        flat = [self._flat(place) for place in places]
        self._left, self._top = min(x for x, _ in flat), max(y for _, y in flat)
        span = max(max(x for x, _ in flat) - self._left, self._top - min(y for _, y in flat), 1e-9)
        self._scale = (_SIZE - 2 * _MARGIN) / span

    def _flat(self, place: Place) -> tuple[float, float]:
        kind, first, second = place
        return (second * self._shrink, first) if kind == "globe" else (first, second)

    def __call__(self, place: Place) -> tuple[float, float]:
        x, y = self._flat(place)
        return (
            _MARGIN + (x - self._left) * self._scale,
            _MARGIN + (self._top - y) * self._scale,
        )


def _projection(day: Day) -> _Projection:
    places = [*day.depots.values(), *(stop.at for stop in day.stops)]
    places += [v.position for v in day.vehicles.values() if v.position is not None]
    return _Projection(places)


def _colour(number: int) -> str:
    return f"hsl({number * 137 % 360} 65% 40%)"


def _hours(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
