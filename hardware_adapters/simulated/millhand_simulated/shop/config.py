"""Configuration of the simulated job shop."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from millhand.messages import tr
from millhand.scenario.units import Duration


class _Read(BaseModel):
    """A part of a shop's file; keys that the simulation does not need are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Machine(_Read):
    """A machine and what it is set up for when the shop opens."""

    family: str | None = None


class Setup(_Read):
    """Time to set up; as in the shop's file, later entries overrule earlier ones."""

    machine: str | None = None
    before: str | None = Field(default=None, alias="from")
    after: str | None = Field(default=None, alias="to")
    time: Duration


class Operation(_Read):
    """One step of an order."""

    id: str
    machine: str | None = None
    time: Duration | None = None
    machines: dict[str, Duration] = Field(default_factory=dict)
    after: tuple[str, ...] | None = None
    family: str | None = None

    @property
    def alternatives(self) -> dict[str, float]:
        """Machine to seconds."""
        if self.machine is not None and self.time is not None:
            return {self.machine: self.time}
        return dict(self.machines)


class Order(_Read):
    """A work order."""

    id: str
    due: datetime | None = None
    weight: float = 1.0
    operations: tuple[Operation, ...] = Field(min_length=1)


class Rush(BaseModel):
    """An order that comes in while the shop works."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Duration = Field(description="When, counted from the opening.")
    order: dict[str, object] = Field(description="The order, as in the shop's file.")

    @property
    def read(self) -> Order:
        """The order as the simulation needs it."""
        return Order.model_validate(self.order)


class Shop(_Read):
    """What the simulation needs of a shop's file: machines, set-ups, orders, the moment."""

    now: datetime
    machines: dict[str, Machine] = Field(min_length=1)
    setups: tuple[Setup, ...] = ()
    orders: tuple[Order, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _zones(self) -> Shop:
        moments = [self.now, *(o.due for o in self.orders if o.due is not None)]
        if any(moment.tzinfo is None for moment in moments):
            raise ValueError(
                tr("Moments of a simulated shop need an offset: 2026-11-25T06:00:00Z.")
            )
        return self


class Prices(BaseModel):
    """What an hour costs, in the scenario's currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shop_hour: float = Field(default=80.0, ge=0, description="An hour that the shop is open.")
    late_hour: float = Field(
        default=60.0, ge=0, description="An hour that an order is late, times its weight."
    )
    move: float = Field(
        default=2.0, ge=0, description="An operation that is given another machine or turn."
    )


class JobShopConfig(BaseModel):
    """A shop that is run once for each planner, all with the same seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str = Field(default="shop", description="Device that gets the server's URL.")
    shop: Shop = Field(description="The shop, as `logistics.schedule` gets it.")
    planners: tuple[str, ...] = Field(
        min_length=1, description="Names of the planners; each gets a shop of its own."
    )
    seed: int = Field(default=0, ge=0, description="Of times and breakdowns.")
    speed: float = Field(default=600.0, gt=0, le=7200, description="Times faster than real time.")
    breakdown_every: Duration = Field(
        default=6 * 3600.0, description="Mean time that a machine works between two breakdowns."
    )
    repair: Duration = Field(default=3600.0, description="Mean time that a repair takes.")
    spread: float = Field(
        default=0.1, ge=0, lt=1, description="How far real times stray from planned ones."
    )
    rush: tuple[Rush, ...] = Field(default=(), description="Orders that come in later.")
    transports: bool = Field(
        default=False,
        description="Whether loads have to be brought from machine to machine: each planner's "
        "shop then asks for transports and is told what has arrived. Operations of an order must "
        "follow each other.",
    )
    prices: Prices = Field(default_factory=Prices, description="What an hour costs.")
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$", description="ISO 4217.")
    patience: Duration = Field(
        default=120.0, description="Real time within which every planner must have a first plan."
    )
    outcome: Path | None = Field(default=None, description="File that gets what came of it.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=0, ge=0, le=65535, description="Port; 0 takes a free one.")

    @model_validator(mode="after")
    def _chains(self) -> JobShopConfig:
        orders = (*self.shop.orders, *(rush.read for rush in self.rush))
        for order in orders if self.transports else ():
            for before, one in pairwise(order.operations):
                if one.after not in {None, (before.id,)}:
                    raise ValueError(
                        tr(
                            "{order}/{operation}: with transports, an order's operations must "
                            "follow each other",
                            order=order.id,
                            operation=one.id,
                        )
                    )
        return self
