"""A day of deliveries: frozen models of its file."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from millhand.messages import tr
from millhand.scenario.parts import Number, Part, refusal
from millhand.scenario.units import Duration
from millhand.scenario.words import shown
from millhand_logistics.shop.times import Clock, Moment, Zone


def _place(value: Any) -> Any:
    """Read ``[x, y]`` in km, or ``{latitude, longitude}`` in degrees."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, dict) and set(value) == {"latitude", "longitude"}:
        pair, most = [value["latitude"], value["longitude"]], (90.0, 180.0)
    elif isinstance(value, list) and len(value) == 2:
        pair, most = value, (20_000.0, 20_000.0)
    else:
        pair, most = [], (0.0, 0.0)
    numbers = [float(n) for n in pair if isinstance(n, int | float) and not isinstance(n, bool)]
    if len(numbers) != 2 or any(abs(n) > m for n, m in zip(numbers, most, strict=True)):
        raise refusal(
            tr("{value} is no place.", value=shown(value)),
            expected=tr("[x, y] in km, or {latitude: …, longitude: …} in degrees"),
        )
    return ("globe" if isinstance(value, dict) else "plane", *numbers)


Place = Annotated[
    tuple[Literal["globe", "plane"], float, float],
    BeforeValidator(_place),
    WithJsonSchema({"anyOf": [{"type": "array"}, {"type": "object"}]}),
]
Loads = dict[str, Number]
"""Quantity by kind: ``{pallets: 2, kg: 340}``."""


class Travel(Part):
    """How places are apart: as the crow flies, times a detour."""

    speed: Number = Field(default=45.0, gt=0, le=300, description="Mean speed, km/h.")
    detour: Number = Field(default=1.3, ge=1, le=5, description="Road over straight line.")


class Window(Part):
    """A time of day in which service may begin."""

    begins: Clock = Field(alias="from", description="Not before.")
    ends: Clock = Field(alias="to", description="Not after.")


class Vehicle(Part):
    """One vehicle, with its driver's shift."""

    start: str = Field(description="Depot that it leaves.")
    end: str | None = Field(default=None, description="Depot that it returns to; else the start.")
    capacity: Loads = Field(default_factory=dict, description="What it can carry, by kind.")
    shift: Window = Field(description="From leaving to being back.")
    fixed_cost: Number = Field(default=0.0, ge=0, description="Money for using it at all.")
    per_km: Number = Field(default=1.0, ge=0, description="Money for a km.")
    per_hour: Number = Field(default=0.0, ge=0, description="Money for an hour on the road.")
    position: Place | None = Field(default=None, description="Where it is, when on the road.")
    free_at: Moment | None = Field(default=None, description="When it can go on from there.")
    carries: tuple[str, ...] = Field(
        default=(), description="Stops whose goods it has on board; nobody else can serve them."
    )


class Stop(Part):
    """A customer, or a place on a milk run."""

    id: str = Field(min_length=1, max_length=80, description="Name, unique.")
    at: Place = Field(description="Where it is.")
    delivery: Loads = Field(default_factory=dict, description="What is brought, by kind.")
    pickup: Loads = Field(default_factory=dict, description="What is fetched, by kind.")
    service: Duration = Field(default=300.0, description="Time that it takes there.")
    windows: tuple[Window, ...] = Field(default=(), description="When service may begin; any.")
    skip_cost: Number | None = Field(
        default=None, gt=0, description="Money lost when it is left out; none: it must be served."
    )


class Day(Part):
    """Depots, vehicles and stops of one day."""

    millhand_routes: Literal[1] = Field(description="Version of this form.")
    name: str = Field(default="", description="Name, for people.")
    time_zone: Zone = Field(description="Zone of every time of day.")
    day: date = Field(description="The day, such as 2026-11-26.")
    travel: Travel = Field(default_factory=Travel)
    depots: dict[str, Place] = Field(min_length=1, description="Name to place.")
    vehicles: dict[str, Vehicle] = Field(min_length=1, max_length=200)
    stops: tuple[Stop, ...] = Field(min_length=1, max_length=2000)

    @model_validator(mode="after")
    def _fits(self) -> Day:
        _one_kind_of_place(self)
        _known_names(self)
        _loads_fit(self)
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of load, in order of its name."""
        loads = [v.capacity for v in self.vehicles.values()]
        loads += [load for stop in self.stops for load in (stop.delivery, stop.pickup)]
        return tuple(sorted({kind for load in loads for kind in load}))


def _one_kind_of_place(day: Day) -> None:
    places = [*day.depots.values(), *(s.at for s in day.stops)]
    places += [v.position for v in day.vehicles.values() if v.position is not None]
    if len({place[0] for place in places}) > 1:
        raise refusal(
            tr("Some places are in km and some in degrees."),
            expected=tr("all [x, y], or all {latitude: …, longitude: …}"),
        )


def _known_names(day: Day) -> None:
    ids = [stop.id for stop in day.stops]
    if len(set(ids)) < len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise refusal(tr("The stop {id} stands here twice.", id=twice), at=("stops",))
    carriers: dict[str, str] = {}
    for name, vehicle in day.vehicles.items():
        for depot in (vehicle.start, vehicle.end or vehicle.start):
            if depot not in day.depots:
                raise refusal(
                    tr("There is no depot “{name}”.", name=depot),
                    expected=tr("one of: {names}", names=", ".join(day.depots)),
                    at=("vehicles", name, "start"),
                )
        for stop in vehicle.carries:
            if stop not in ids:
                raise refusal(
                    tr(
                        "{vehicle} carries goods for {stop}, which is no stop.",
                        vehicle=name,
                        stop=stop,
                    ),
                    at=("vehicles", name, "carries"),
                )
            if carriers.setdefault(stop, name) != name:
                raise refusal(
                    tr(
                        "{vehicle} and {other} both carry the goods for {stop}.",
                        vehicle=name,
                        other=carriers[stop],
                        stop=stop,
                    ),
                    at=("vehicles", name, "carries"),
                )
        if vehicle.shift.ends <= vehicle.shift.begins:
            raise refusal(
                tr("The shift of {vehicle} ends before it begins.", vehicle=name),
                at=("vehicles", name, "shift"),
            )


def _loads_fit(day: Day) -> None:
    """Refuse what no vehicle can carry, and a price of skipping that would be counted twice."""
    for index, stop in enumerate(day.stops):
        if stop.skip_cost is not None and len(stop.windows) > 1:
            raise refusal(
                tr("{stop} has several windows and a skip_cost.", stop=stop.id),
                expected=tr("one window, or no skip_cost"),
                at=("stops", str(index)),
            )
        for load in (stop.delivery, stop.pickup):
            for kind, quantity in load.items():
                most = max(v.capacity.get(kind, 0.0) for v in day.vehicles.values())
                if not 0 <= quantity <= most:
                    raise refusal(
                        tr(
                            "{stop} has {n:g} {kind}; no vehicle carries more than {most:g}.",
                            stop=stop.id,
                            n=quantity,
                            kind=kind,
                            most=most,
                        ),
                        at=("stops", str(index)),
                    )
