"""What comes down the line: which part is which, decided by the seed and the part's number alone.

Nothing here depends on time or on the parts before, so that the camera, the PLC and whoever
scores the run each compute the same part from its id, with no channel between them.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate

from pydantic import BaseModel, ConfigDict, Field, model_validator

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_simulated.parts.kinds import DEFECTS, Defect, Product


@dataclass(frozen=True, slots=True)
class LinePart:
    """One part as it is put on the conveyor."""

    number: int
    """Counts from 1 in the order of the line."""
    part_id: str
    product: Product
    defect: Defect | None
    challenge: bool
    render_seed: int
    """Seeds pose, grain and the defect's place and shape, 0 to 2³¹−1."""


class ProductRun(BaseModel):
    """So many parts of one product in a row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: Product = Field(description="Product, as the renderer knows it.")
    parts: int = Field(gt=0, description="Parts in the run.")
    prefix: str = Field(
        default="",
        max_length=16,
        pattern=r"^[A-Za-z0-9]*$",
        description="Start of the part ids; the product's first three letters where empty.",
    )

    @property
    def id_prefix(self) -> str:
        """Start of the part ids of this run."""
        return self.prefix or self.product[:3].upper()


class LineConfig(BaseModel):
    """The parts of a simulated line. The same values give the same parts, for ever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=1, ge=0, lt=2**63, description="Seed of everything random.")
    parts: int = Field(default=120, gt=0, lt=1_000_000, description="Parts in all.")
    runs: tuple[ProductRun, ...] = Field(
        default=(
            ProductRun(product="impeller", parts=60),
            ProductRun(product="housing", parts=60),
        ),
        min_length=1,
        description="Product runs in turn, from the first again after the last; each change is a "
        "product changeover.",
    )
    defect_rate: float = Field(
        default=0.1, ge=0, le=1, description="Share of parts that have a defect."
    )
    defects: dict[Defect, float] = Field(
        default_factory=lambda: dict.fromkeys(DEFECTS, 1.0),
        min_length=1,
        description="Kinds of defect with their weights.",
    )
    challenges: tuple[int, ...] = Field(
        default=(), description="Numbers, from 1, of the known bad parts put in as a test."
    )
    challenge_defect: Defect = Field(
        default="missing_feature", description="Kind of defect of the challenge parts."
    )

    @model_validator(mode="after")
    def _weighted(self) -> LineConfig:
        if min(self.defects.values()) < 0 or sum(self.defects.values()) <= 0:
            raise ValueError(tr("weights of defects must not be negative, nor all zero"))
        return self


class LinePlan:
    """The parts of a line by number and by id."""

    def __init__(self, config: LineConfig) -> None:
        self._config = config
        self._ends = list(accumulate(run.parts for run in config.runs))
        self._kinds = sorted(config.defects)
        self._weights = list(accumulate(config.defects[kind] for kind in self._kinds))

    def __len__(self) -> int:
        return self._config.parts

    def part(self, number: int) -> LinePart:
        """Return the part with this number, from 1.

        Raises:
            IndexError: the line has no such part.
        """
        if not 1 <= number <= self._config.parts:
            raise IndexError(number)
        run = self._config.runs[bisect_right(self._ends, (number - 1) % self._ends[-1])]
        chance, kind, render_seed = self._draw(number)
        challenge = number in self._config.challenges
        defect: Defect | None = None
        if challenge:
            defect = self._config.challenge_defect
        elif chance < self._config.defect_rate:
            defect = self._kinds[bisect_right(self._weights, kind * self._weights[-1])]
        return LinePart(
            number=number,
            part_id=f"{run.id_prefix}-{number:06d}",
            product=run.product,
            defect=defect,
            challenge=challenge,
            render_seed=render_seed,
        )

    def by_id(self, part_id: str) -> LinePart:
        """Return the part with this id.

        Raises:
            ConfigError: no part of this line has it.
        """
        number = part_id.rpartition("-")[2]
        if number.isdecimal() and 1 <= int(number) <= self._config.parts:
            part = self.part(int(number))
            if part.part_id == part_id:
                return part
        raise ConfigError(
            tr("No part of the simulated line has the id {part_id}.", part_id=repr(part_id)),
            mend=tr("Give camera and plant the same line: seed, parts and runs."),
        )

    def _draw(self, number: int) -> tuple[float, float, int]:
        """Draw two numbers in [0, 1) and a seed for the part, from a hash: stable everywhere."""
        digest = blake2b(f"{self._config.seed}/{number}".encode(), digest_size=20).digest()
        chance = (int.from_bytes(digest[:8]) >> 11) / 2**53
        kind = (int.from_bytes(digest[8:16]) >> 11) / 2**53
        return chance, kind, int.from_bytes(digest[16:]) >> 1
