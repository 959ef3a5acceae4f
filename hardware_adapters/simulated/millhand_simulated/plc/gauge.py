"""A gauge beside the camera: the bore of each part, and the tool that wears."""

from __future__ import annotations

from hashlib import blake2b
from statistics import NormalDist

from pydantic import BaseModel, ConfigDict, Field

from millhand_simulated.parts.kinds import Product
from millhand_simulated.plc.line import LinePart

_STANDARD = NormalDist()


class GaugeConfig(BaseModel):
    """What the gauge measures. The same values give the same bores, for ever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bores: dict[Product, float] = Field(
        default={"impeller": 12.0, "housing": 40.0}, description="Bore of each product in mm."
    )
    sigma: float = Field(default=0.004, gt=0, description="Spread of a bore, in mm.")
    worn_from: int = Field(
        default=0, ge=0, description="Part, from 1, at which the tool begins to wear; 0: never."
    )
    wear_per_part: float = Field(
        default=-0.001, description="What a worn tool adds to the bore with each part, in mm."
    )


class Gauge:
    """Measures parts by their seeds and numbers alone."""

    def __init__(self, config: GaugeConfig) -> None:
        self._config = config

    def bore(self, part: LinePart) -> float:
        """Return the bore of ``part`` in mm, to a tenth of a micrometre."""
        config = self._config
        digest = blake2b(f"bore/{part.render_seed}/{part.number}".encode(), digest_size=8).digest()
        chance = ((int.from_bytes(digest) >> 11) + 0.5) / 2**53
        worn = max(0, part.number - config.worn_from + 1) if config.worn_from else 0
        bore = config.bores.get(part.product, 0.0) + worn * config.wear_per_part
        return round(bore + config.sigma * _STANDARD.inv_cdf(chance), 4)
