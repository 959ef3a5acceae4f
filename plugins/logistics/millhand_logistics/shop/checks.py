"""What is wrong in a shop beyond the form of its file: each with line and mend."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from millhand.errors import Problem
from millhand.messages import did_you_mean, tr
from millhand.scenario.document import Document, KeyPath
from millhand_logistics.shop.calendars import calendar_intervals
from millhand_logistics.shop.model import Operation, Order, Pin, Shop, Span
from millhand_logistics.shop.times import NoSuchMoment, instant

_LOOK_AHEAD = timedelta(days=366)


def problems(shop: Shop, document: Document) -> Iterator[Problem]:
    """Yield everything that is wrong, in the order of the file's parts."""
    finder = _Finder(shop, document)
    yield from finder.moments(shop, ())
    if finder.bad_moments:
        return
    yield from finder.calendars()
    yield from finder.machines()
    yield from finder.setups()
    yield from finder.orders()


class _Finder:
    def __init__(self, shop: Shop, document: Document) -> None:
        self._shop = shop
        self._document = document
        self.bad_moments = False

    def _at(self, path: KeyPath, message: str, expected: str = "", mend: str = "") -> Problem:
        return Problem(self._document.place(path), message, expected, mend)

    def _unknown(self, path: KeyPath, kind: str, name: str, known: object) -> Problem:
        names = [str(n) for n in known] if isinstance(known, dict) else []
        return self._at(
            path,
            tr("There is no {kind} “{name}”.", kind=kind, name=name),
            tr("one of: {names}", names=", ".join(names)) if names else tr("nothing here"),
            did_you_mean(name, names) or tr("Describe it, or correct its name."),
        )

    # --- moments ---

    def moments(self, part: object, path: KeyPath) -> Iterator[Problem]:
        """Find local times that do not exist or come twice."""
        if isinstance(part, datetime):
            try:
                instant(part, self._shop.time_zone)
            except NoSuchMoment as error:
                self.bad_moments = True
                yield self._at(
                    path,
                    str(error),
                    tr("a time that comes once"),
                    tr("Write it with its offset, such as +01:00."),
                )
        elif isinstance(part, dict):
            for key, value in part.items():
                yield from self.moments(value, (*path, key))
        elif isinstance(part, tuple):
            for index, value in enumerate(part):
                yield from self.moments(value, (*path, index))
        elif hasattr(part, "__pydantic_fields__"):
            for key, field in type(part).model_fields.items():  # type: ignore[attr-defined]
                yield from self.moments(getattr(part, key), (*path, field.alias or key))

    def _spans(self, spans: tuple[Span, ...], path: KeyPath) -> Iterator[Problem]:
        for index, span in enumerate(spans):
            if self._shop.moment(span.begins) >= self._shop.moment(span.ends):
                yield self._at(
                    (*path, index, "to"),
                    tr("The span ends before it begins."),
                    tr("an end after {begin}", begin=span.begins.isoformat()),
                )

    # --- calendars and machines ---

    def calendars(self) -> Iterator[Problem]:
        """Find spans that end before they begin, and calendars without any working time."""
        for name, calendar in self._shop.calendars.items():
            path = ("calendars", name)
            wrong = [*self._spans(calendar.closed, (*path, "closed"))]
            wrong += self._spans(calendar.extra, (*path, "extra"))
            yield from wrong
            now = self._now()
            zone = self._shop.time_zone
            if not wrong and not calendar_intervals(calendar, zone, now, now + _LOOK_AHEAD):
                yield self._at(
                    path,
                    tr("The calendar has no working time within a year of {now}.", now=now.date()),
                    tr("shifts that are not all closed"),
                    tr("Correct its shifts or its closed times."),
                )

    def _now(self) -> datetime:
        shop = self._shop
        moments = [shop.now, *(o.due for o in shop.orders), *(o.release for o in shop.orders)]
        found = [shop.moment(moment) for moment in moments if moment is not None]
        return found[0] if found else datetime.now(shop.time_zone)

    def machines(self) -> Iterator[Problem]:
        """Find unknown calendars, and breakdowns that end before they begin."""
        for name, machine in self._shop.machines.items():
            path = ("machines", name)
            if machine.calendar is not None and machine.calendar not in self._shop.calendars:
                yield self._unknown(
                    (*path, "calendar"), tr("calendar"), machine.calendar, self._shop.calendars
                )
            yield from self._spans(machine.down, (*path, "down"))

    def setups(self) -> Iterator[Problem]:
        """Find unknown machines."""
        for index, setup in enumerate(self._shop.setups):
            if setup.machine is not None and setup.machine not in self._shop.machines:
                yield self._machine(("setups", index, "machine"), setup.machine)

    def _machine(self, path: KeyPath, name: str) -> Problem:
        return self._unknown(path, tr("machine"), name, self._shop.machines)

    # --- orders ---

    def orders(self) -> Iterator[Problem]:
        """Find everything that is wrong in orders."""
        seen: dict[str, int] = {}
        for index, order in enumerate(self._shop.orders):
            path: KeyPath = ("orders", index)
            if order.id in seen:
                yield self._at(
                    (*path, "id"),
                    tr("The order {id} stands here twice.", id=order.id),
                    tr("each order once"),
                    tr("Remove or rename one of the two."),
                )
            seen[order.id] = index
            yield from self._dates(order, path)
            if order.lot is not None and self._shop.lots and order.lot not in self._shop.lots:
                yield self._unknown((*path, "lot"), tr("lot"), order.lot, self._shop.lots)
            ids = [operation.id for operation in order.operations]
            for place, operation in enumerate(order.operations):
                at = (*path, "operations", place)
                yield from self._operation(order, operation, at, ids)
            yield from self._cycle(order, path)

    def _dates(self, order: Order, path: KeyPath) -> Iterator[Problem]:
        if order.due is None or order.release is None:
            return
        if self._shop.moment(order.due) <= self._shop.moment(order.release):
            yield self._at(
                (*path, "due"),
                tr("The order {id} is due before it is released.", id=order.id),
                tr("a due date after {release}", release=order.release.isoformat()),
                tr("Correct one of the two dates."),
            )

    def _operation(
        self, order: Order, operation: Operation, path: KeyPath, ids: list[str]
    ) -> Iterator[Problem]:
        if ids.count(operation.id) > 1:
            yield self._at(
                (*path, "id"),
                tr("{id} stands twice in order {order}.", id=operation.id, order=order.id),
                tr("each operation once"),
            )
        key = "machine" if operation.machine is not None else "machines"
        for name in operation.alternatives:
            if name not in self._shop.machines:
                where = (*path, key) if key == "machine" else (*path, key, name)
                yield self._machine(where, name)
        for name in operation.after or ():
            if name not in ids:
                yield self._unknown((*path, "after"), tr("operation"), name, dict.fromkeys(ids))
        yield from self._needs(operation, (*path, "needs"))
        for word, pin in (("pinned", operation.pinned), ("started", operation.started)):
            if pin is not None:
                yield from self._pin(operation, pin, (*path, word, "machine"))

    def _needs(self, operation: Operation, path: KeyPath) -> Iterator[Problem]:
        for name, quantity in operation.needs.items():
            if name not in self._shop.materials:
                yield self._unknown((*path, name), tr("material"), name, self._shop.materials)
            elif quantity <= 0:
                yield self._at((*path, name), tr("A need is above 0."))

    def _pin(self, operation: Operation, pin: Pin, path: KeyPath) -> Iterator[Problem]:
        if pin.machine not in self._shop.machines:
            yield self._machine(path, pin.machine)
        elif pin.machine not in operation.alternatives:
            yield self._at(
                path,
                tr("{id} cannot be done on {machine}.", id=operation.id, machine=pin.machine),
                tr("one of: {names}", names=", ".join(operation.alternatives)),
            )

    def _cycle(self, order: Order, path: KeyPath) -> Iterator[Problem]:
        waits = waits_for(order)
        done: set[str] = set()
        while ready := [name for name in waits if name not in done and waits[name] <= done]:
            done.update(ready)
        known = set(waits)
        stuck = [name for name in waits if name not in done and waits[name] <= known]
        if stuck:
            place = next(i for i, o in enumerate(order.operations) if o.id == stuck[0])
            yield self._at(
                (*path, "operations", place),
                tr(
                    "In order {order} these wait for each other: {names}.",
                    order=order.id,
                    names=", ".join(stuck),
                ),
                tr("operations that can be done one after another"),
                tr("Correct what stands under after."),
            )


def waits_for(order: Order) -> dict[str, set[str]]:
    """Return for each operation of an order those it waits for directly."""
    found: dict[str, set[str]] = {}
    before: str | None = None
    for operation in order.operations:
        implied = () if before is None else (before,)
        found[operation.id] = set(implied if operation.after is None else operation.after)
        before = operation.id
    return found
