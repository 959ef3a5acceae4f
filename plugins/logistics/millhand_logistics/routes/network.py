"""Distances and times between places, in metres and seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from millhand_logistics.routes.model import Place, Travel

Ints = NDArray[np.int64]
_EARTH_KM = 6371.0088
"""Mean radius (IUGG)."""


def matrices(places: Sequence[Place], travel: Travel) -> tuple[Ints, Ints]:
    """Return metres and seconds between all places, rounded up."""
    at = np.array([place[1:] for place in places], np.float64)
    km = _great_circle(at) if places[0][0] == "globe" else _straight(at)
    road_m = np.ceil(km * travel.detour * 1000)
    return road_m.astype(np.int64), np.ceil(road_m / (travel.speed / 3.6)).astype(np.int64)


def _straight(at: NDArray[np.float64]) -> NDArray[np.float64]:
    difference = at[:, None, :] - at[None, :, :]
    found: NDArray[np.float64] = np.hypot(difference[..., 0], difference[..., 1])
    return found


def _great_circle(at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Haversine formula."""
    latitude, longitude = np.radians(at[:, 0]), np.radians(at[:, 1])
    half = np.sin((latitude[:, None] - latitude) / 2) ** 2
    half += (
        np.cos(latitude[:, None])
        * np.cos(latitude)
        * np.sin((longitude[:, None] - longitude) / 2) ** 2
    )
    found: NDArray[np.float64] = 2 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return found
