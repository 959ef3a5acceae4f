"""What a scenario says to ``logistics.fleet``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.fleet.roads import Roads
from millhand_logistics.fleet.state import Rules

_LARGEST_FILE = 20_000_000
_Percent = Annotated[float, Field(ge=0, le=100)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Place(_Model):
    x: float
    y: float


class _Way(_Model):
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    length: float | None = Field(None, gt=0)
    both: bool = True


class _Layout(_Model):
    nodes: dict[str, _Place]
    edges: tuple[_Way, ...]


class FleetConfig(BaseModel):
    """How a fleet is led."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: Path = Field(
        description="JSON file with nodes and edges, the same as the vehicles' device has."
    )
    chargers: tuple[str, ...] = Field((), description="Nodes where vehicles charge.")
    blocked: tuple[str, ...] = Field((), description="Nodes that are not driven through for now.")
    charge_below: _Percent = Field(30.0, description="An idle vehicle with less goes to charge, %.")
    work_from: _Percent = Field(50.0, description="A charging one may work again from here on, %.")
    charge_until: _Percent = Field(80.0, description="From here on it gives its place away, %.")
    look_ahead: int = Field(
        3,
        ge=1,
        le=50,
        description="Nodes released ahead of a vehicle: how far it goes when it is cut off.",
    )
    patience: int = Field(
        2, ge=1, le=100, description="Rounds that a vehicle waits before it looks for a way around."
    )
    tries: int = Field(
        5, ge=1, le=1000, description="Rounds without an answer after which a job is given away."
    )
    most_jobs: int = Field(
        100, ge=1, le=100, description="Open transport orders; what comes beyond is refused."
    )

    wanted: bool = Field(
        False,
        description="Read the transports that a shop asks for from `see: {wanted: …}`, and tell it "
        "by `may: {arrived: …}` what is done; both are text tags.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.charge_below <= self.work_from <= self.charge_until:
            raise ValueError(tr("charge_below, work_from and charge_until must not fall"))
        return self

    def roads(self) -> Roads:
        """Read where vehicles drive.

        Raises:
            ConfigError: the layout cannot be read, or has not the nodes named here.
        """
        roads = _roads(self.layout)
        unknown = [node for node in (*self.chargers, *self.blocked) if node not in roads]
        if unknown:
            raise ConfigError(
                tr("{file} has no node {node}.", file=self.layout, node=unknown[0]),
                mend=tr("Check chargers and blocked against the layout."),
            )
        return roads

    @property
    def rules(self) -> Rules:
        """How they are led."""
        return Rules(
            charge_below=self.charge_below,
            charge_until=self.charge_until,
            work_from=self.work_from,
            chargers=frozenset(self.chargers),
            look_ahead=self.look_ahead,
            patience=self.patience,
            tries=self.tries,
            blocked=frozenset(self.blocked),
        )


def _roads(path: Path) -> Roads:
    reason: object
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _unreadable(path, tr("it is larger than any layout"))
        layout = _Layout.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise _unreadable(path, reason) from None
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from None
    ways = []
    for way in layout.edges:
        for name in (way.start, way.end):
            if name not in layout.nodes:
                raise _unreadable(path, tr("edge to the unknown node {node}", node=name))
        start, end = layout.nodes[way.start], layout.nodes[way.end]
        length = way.length or math.dist((start.x, start.y), (end.x, end.y))
        ways.append((way.start, way.end, length))
        if way.both:
            ways.append((way.end, way.start, length))
    return Roads(layout.nodes, ways)


def _unreadable(path: Path, reason: object) -> ConfigError:
    return ConfigError(
        tr("{file} is no layout: {reason}", file=path, reason=reason),
        mend=tr('It holds {"nodes": {"A": {"x": 0, "y": 0}}, "edges": []}.'),
    )
