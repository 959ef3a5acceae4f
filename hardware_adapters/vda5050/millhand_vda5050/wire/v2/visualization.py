"""The topic ``visualization`` of VDA 5050 2.1.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from millhand_vda5050.wire.base import Timestamp, Wire


class AgvPosition(Wire, frozen=True, kw_only=True):
    """``visualization.agvPosition``."""

    x: float
    y: float
    theta: float
    map_id: str
    position_initialized: bool
    localization_score: Annotated[float, Meta(ge=0.0, le=1.0)] | UnsetType = UNSET
    deviation_range: float | UnsetType = UNSET


class Velocity(Wire, frozen=True, kw_only=True):
    """``visualization.velocity``."""

    vx: float | UnsetType = UNSET
    vy: float | UnsetType = UNSET
    omega: float | UnsetType = UNSET


class Visualization(Wire, frozen=True, kw_only=True):
    """``visualization``."""

    header_id: int | UnsetType = UNSET
    timestamp: Timestamp | UnsetType = UNSET
    version: str | UnsetType = UNSET
    manufacturer: str | UnsetType = UNSET
    serial_number: str | UnsetType = UNSET
    agv_position: AgvPosition | UnsetType = UNSET
    velocity: Velocity | UnsetType = UNSET
