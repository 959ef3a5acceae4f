"""What a shop is: frozen models of its file, in the field's own words."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from millhand.messages import tr
from millhand.scenario.parts import Flag, Name, Number, Part, Whole, refusal
from millhand.scenario.units import Duration
from millhand.scenario.words import shown
from millhand_logistics.shop.times import Clock, Moment, Zone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _days(value: Any) -> Any:
    """Read ``mon-fri``, ``sat``, ``mon, wed`` or a list of days as their numbers, Monday 0."""
    if isinstance(value, tuple):
        return value
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    found: list[int] = []
    try:
        for word in words:
            first, _, last = str(word).partition("-")
            begin, end = DAYS.index(first), DAYS.index(last or first)
            found += range(begin, end + 1) if begin <= end else [*range(begin, 7), *range(end + 1)]
    except (ValueError, TypeError) as error:
        raise refusal(
            tr("{value} names no days.", value=shown(value)),
            expected=tr("days such as mon-fri, sat, or a list of them"),
        ) from error
    if not found:
        raise refusal(tr("No day is named."), expected=tr("days such as mon-fri"))
    return tuple(sorted(set(found)))


Days = Annotated[
    tuple[int, ...],
    BeforeValidator(_days),
    WithJsonSchema({"type": "string", "examples": ["mon-fri", "sat"]}),
]


class Shift(Part):
    """Working hours on some days of the week; ends on the next day where it ends earlier."""

    days: Days = Field(description="Days on which it begins: mon-fri, sat.")
    begins: Clock = Field(alias="from", description="Local time at which it begins.")
    ends: Clock = Field(alias="to", description="Local time at which it ends.")


class Span(Part):
    """A span of time with its reason."""

    begins: Moment = Field(alias="from", description="Begin.")
    ends: Moment = Field(alias="to", description="End.")
    why: str = Field(default="", description="Reason, shown to people.")


class Calendar(Part):
    """When people or machines work."""

    time_zone: Zone | None = Field(default=None, description="Its own zone, else the shop's.")
    shifts: tuple[Shift, ...] = Field(min_length=1, description="Shifts, week after week.")
    closed: tuple[Span, ...] = Field(default=(), description="Holidays and other closed times.")
    extra: tuple[Span, ...] = Field(default=(), description="Overtime, beside the shifts.")


class Machine(Part):
    """A resource that does one operation at a time: a machine, a work place, a person."""

    calendar: str | None = Field(default=None, description="Its calendar; none: always works.")
    family: str | None = Field(default=None, description="Set-up family that it is set up for.")
    down: tuple[Span, ...] = Field(default=(), description="Breakdowns and maintenance.")


class Setup(Part):
    """Time to set up from one family for another. Later entries overrule earlier ones."""

    machine: str | None = Field(default=None, description="The machine; none: all machines.")
    before: str | None = Field(default=None, alias="from", description="Family; none: any other.")
    after: str | None = Field(default=None, alias="to", description="Family; none: any other.")
    time: Duration = Field(description="Working time that the set-up takes, such as 20 min.")


class Receipt(Part):
    """Material that will arrive."""

    at: Moment = Field(description="When it can be used.")
    quantity: Number = Field(gt=0, description="How much, in the material's unit.")


class Material(Part):
    """A material with its stock."""

    unit: str = Field(description="Unit of all its quantities: kg, m, pieces.")
    on_hand: Number = Field(default=0.0, ge=0, description="Usable stock now, in its unit.")
    receipts: tuple[Receipt, ...] = Field(default=(), description="Deliveries that are promised.")


class Lot(Part):
    """A lot, with the reason where it is held."""

    hold: str | None = Field(default=None, description="Why it must not go on; none: it may.")


class Pin(Part):
    """A place that was promised."""

    machine: str = Field(description="The machine.")
    at: Moment = Field(description="When the operation begins.")


class Operation(Part):
    """One step of an order."""

    id: str = Field(min_length=1, max_length=80, description="Name, unique in its order.")
    machine: str | None = Field(default=None, description="Its only machine; with time.")
    time: Duration | None = Field(default=None, description="Working time, such as 90 min.")
    machines: dict[str, Duration] = Field(
        default_factory=dict, description="Alternatives: machine to working time."
    )
    after: tuple[str, ...] | None = Field(
        default=None, description="Operations it waits for; left out: the one before; []: none."
    )
    family: str | None = Field(default=None, description="Set-up family.")
    interruptible: Flag = Field(
        default=True, description="Whether it may go on after a break or the next morning."
    )
    needs: dict[str, Number] = Field(
        default_factory=dict, description="Material to quantity, in the material's unit."
    )
    pinned: Pin | None = Field(default=None, description="A promised place that must be kept.")
    started: Pin | None = Field(default=None, description="Where and when it began.")
    remaining: Duration | None = Field(
        default=None, description="Working time still to do of a started operation."
    )
    finished: Moment | None = Field(default=None, description="When it was done.")

    @model_validator(mode="after")
    def _one_way(self) -> Operation:
        if self.machines and (self.machine is not None or self.time is not None):
            raise refusal(
                tr("{id} has both machine and machines.", id=self.id),
                expected=tr("machine with time, or machines: {name: time}"),
                mend=tr("Keep one of the two."),
            )
        if not self.machines and (self.machine is None or self.time is None):
            raise refusal(
                tr("{id} has no machine or no time.", id=self.id),
                expected=tr("machine: lathe_1 with time: 90 min, or machines: {lathe_1: 90 min}"),
                mend=tr("Say where it is done and how long that takes."),
            )
        if self.remaining is not None and self.started is None:
            raise refusal(
                tr("{id} has work remaining but has not started.", id=self.id),
                expected=tr("started: {machine: …, at: …} beside remaining"),
            )
        return self

    @property
    def alternatives(self) -> dict[str, float]:
        """Machine to seconds of working time."""
        if self.machine is not None and self.time is not None:
            return {self.machine: self.time}
        return dict(self.machines)


class Order(Part):
    """A work order."""

    id: str = Field(min_length=1, max_length=80, description="Number of the work order.")
    product: str = Field(default="", description="What is made.")
    quantity: Number = Field(default=1.0, gt=0, description="How many pieces.")
    due: Moment | None = Field(default=None, description="When it was promised.")
    release: Moment | None = Field(default=None, description="Not to begin before.")
    weight: Number = Field(
        default=1.0, gt=0, le=1000, description="How much worse its lateness is than another's."
    )
    lot: str | None = Field(default=None, description="Lot that it is made from.")
    hold: str | None = Field(default=None, description="Why it must not go on; none: it may.")
    operations: tuple[Operation, ...] = Field(min_length=1, description="Its steps.")


class Goal(Part):
    """What makes a plan better: the price of an hour of each."""

    makespan: Whole = Field(default=1, ge=0, le=1000, description="Each hour until all is done.")
    tardiness: Whole = Field(
        default=5, ge=0, le=1000, description="Each hour that an order is late, times its weight."
    )
    flow: Whole = Field(
        default=0, ge=0, le=1000, description="Each hour until an order is done, times its weight."
    )
    setup: Whole = Field(default=0, ge=0, le=1000, description="Each hour of setting up.")

    @model_validator(mode="after")
    def _something(self) -> Goal:
        if not (self.makespan or self.tardiness or self.flow or self.setup):
            raise refusal(
                tr("Nothing makes a plan better than another."),
                expected=tr("at least one price above 0"),
            )
        return self


class Shop(Part):
    """A shop, its machines and its orders."""

    millhand_shop: Literal[1] = Field(description="Version of this form.")
    name: str = Field(default="", description="Name, for people.")
    time_zone: Zone = Field(description="Zone of every moment written without one.")
    now: Moment | None = Field(
        default=None, description="The moment that the file describes; left out: when it is read."
    )
    tick: Duration = Field(default=60.0, description="Grid of the plan, such as 1 min.")
    goal: Goal = Field(default_factory=Goal)
    calendars: dict[Name, Calendar] = Field(default_factory=dict)
    machines: dict[Name, Machine] = Field(min_length=1)
    setups: tuple[Setup, ...] = ()
    materials: dict[Name, Material] = Field(default_factory=dict)
    lots: dict[str, Lot] = Field(default_factory=dict)
    orders_from: str | None = Field(
        default=None, description="A CSV file beside this one that holds more orders."
    )
    orders: tuple[Order, ...] = Field(default=(), description="Work orders.")

    @property
    def families(self) -> tuple[str, ...]:
        """Every set-up family that is named, in order of its name."""
        named = {s.before for s in self.setups} | {s.after for s in self.setups}
        named |= {m.family for m in self.machines.values()}
        named |= {o.family for order in self.orders for o in order.operations}
        return tuple(sorted(name for name in named if name is not None))

    def moment(self, at: datetime) -> datetime:
        """Return a moment of this file in UTC."""
        from millhand_logistics.shop.times import instant

        return instant(at, self.time_zone)
