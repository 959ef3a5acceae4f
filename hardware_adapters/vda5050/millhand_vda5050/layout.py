"""The ways that vehicles drive: nodes, edges, lengths. Read from a file, used by whoever plans."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from millhand.errors import ConfigError
from millhand.messages import tr

LARGEST_FILE = 20_000_000
"""Bytes of a layout file."""
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Place(_Model):
    """A node: m on its map."""

    x: float = Field(description="Position in m.")
    y: float = Field(description="Position in m.")
    theta: float | None = Field(
        None, ge=-math.pi, le=math.pi, description="Orientation to take there, in rad."
    )
    map: str = Field("", description="Map; default: the layout's.")


class Way(_Model):
    """An edge from one node to another; ``both`` allows either direction."""

    start: _Name = Field(alias="from", description="Node where it begins.")
    end: _Name = Field(alias="to", description="Node where it ends.")
    length: float | None = Field(None, gt=0, description="In m; default: the straight distance.")
    max_speed: float | None = Field(None, gt=0, description="In m/s.")
    both: bool = Field(True, description="Whether it may be driven backwards too.")


class Layout(_Model):
    """Nodes and edges."""

    map: str = Field("map", description="Name of the map.")
    nodes: Mapping[_Name, Place] = Field(description="Nodes by name.")
    edges: tuple[Way, ...] = Field(description="Edges.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for way in self.edges:
            for name in (way.start, way.end):
                if name not in self.nodes:
                    raise ValueError(tr("edge to the unknown node {node}", node=name))
            if way.start == way.end:
                raise ValueError(tr("an edge from {node} to itself", node=way.start))
        return self

    @classmethod
    def load(cls, path: Path) -> Layout:
        """Read a layout from a JSON file.

        Raises:
            ConfigError: it cannot be read, or is no layout.
        """
        try:
            if path.stat().st_size > LARGEST_FILE:
                raise ConfigError(tr("{file} is too large for a layout.", file=path))
            return cls.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError) as error:
            reason: object = error
            if isinstance(error, ValidationError):
                first = error.errors()[0]
                reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise ConfigError(
                tr("{file} is no layout: {reason}", file=path, reason=reason),
                mend=tr('It holds {"nodes": {"A": {"x": 0, "y": 0}}, "edges": []}.'),
            ) from None

    @cached_property
    def directed(self) -> dict[tuple[str, str], Way]:
        """The edges by their ends, each direction that may be driven."""
        found: dict[tuple[str, str], Way] = {}
        for way in self.edges:
            found[way.start, way.end] = way
            if way.both:
                found.setdefault((way.end, way.start), way)
        return found

    def length(self, way: Way) -> float:
        """Return the length of an edge in m."""
        if way.length is not None:
            return way.length
        start, end = self.nodes[way.start], self.nodes[way.end]
        return math.dist((start.x, start.y), (end.x, end.y))
