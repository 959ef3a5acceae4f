"""A value in memory that begins at nought: what the walker walks."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from millhand.testing.memory import MemoryTags


class Setpoint(MemoryTags):
    """A controller in the attacked engine's process whose values all begin at 0.0."""

    def __init__(
        self,
        name: str,
        config: BaseModel | None = None,
        tags: Mapping[str, BaseModel] | None = None,
    ) -> None:
        super().__init__(name, config, tags, values=dict.fromkeys(tags or {}, 0.0))
