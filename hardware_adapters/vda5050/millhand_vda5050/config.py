"""What a scenario says about vehicles and where they drive."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from millhand.messages import tr
from millhand_mqtt.broker import BrokerConfig
from millhand_vda5050.wire.codec import Version

_Level = Annotated[str, StringConstraints(pattern=r"^[^/+#\x00]+$", max_length=200)]
"""One level of a topic."""


class Vehicle(BaseModel):
    """One vehicle, by its type plate. A bare string is its serial number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    serial: _Level = Field(description="Serial number, as in its topics.")
    manufacturer: _Level | None = Field(
        None, description="Manufacturer, as in its topics; default: the device's."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, data: Any) -> Any:
        return {"serial": data} if isinstance(data, str) else data


class Vda5050Config(BrokerConfig):
    """Vehicles behind one broker."""

    version: Version = Field(
        Version.V2, description="Version of VDA 5050 that they speak: 2.1.0 or 3.0.0."
    )
    interface: _Level = Field("uagv", description="First level of all topics.")
    manufacturer: _Level = Field("millhand", description="Manufacturer of the vehicles.")
    vehicles: Mapping[_Level, Vehicle] = Field(
        description="The vehicles, by the names that the scenario uses.", min_length=1
    )
    layout: Path | None = Field(
        None,
        description="JSON file with nodes and edges; without it orders name nodes and give no "
        "positions.",
    )
    silent_after_s: float = Field(
        5.0,
        gt=0,
        le=600,
        description="A vehicle that says nothing for so long is not there, in seconds.",
    )
    confirm_s: float = Field(
        2.0,
        gt=0,
        le=600,
        description="How long a vehicle may take to show an order in its state before it is sent "
        "again under the same ids, in seconds.",
    )
    queue_limit: int = Field(
        256, ge=2, le=100_000, description="Most batches a subscription holds for a slow reader."
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        plates = [self.plate(name) for name in self.vehicles]
        if len(set(plates)) != len(plates):
            raise ValueError(tr("two vehicles have the same manufacturer and serial number"))
        return self

    def plate(self, name: str) -> tuple[str, str]:
        """Return manufacturer and serial number of a vehicle."""
        vehicle = self.vehicles[name]
        return vehicle.manufacturer or self.manufacturer, vehicle.serial


class Vda5050Tag(BaseModel):
    """A value of one vehicle (``agv1.charge``), or a column of all of them (``fleet.charge``).

    A bare string is its address.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: Annotated[str, StringConstraints(pattern=r"^[^.]+\.[a-z_]+$", max_length=300)] = Field(
        description="<vehicle>.<value> or fleet.<value>; `browse` lists them."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, data: Any) -> Any:
        return {"address": data} if isinstance(data, str) else data
