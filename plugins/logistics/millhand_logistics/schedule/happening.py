"""What a trigger changes in a shop: breakdowns, holds, orders, progress."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import ValidationError

from millhand.contracts import (
    CustomEvent,
    EventArrived,
    Hold,
    MachineState,
    PackMLState,
    Release,
    TagEdge,
    Trigger,
)
from millhand.contracts.samples import Value
from millhand.messages import tr
from millhand.scenario.document import Document
from millhand_logistics.schedule.config import MOST_REMEMBERED
from millhand_logistics.schedule.state import Down, State
from millhand_logistics.shop.checks import problems
from millhand_logistics.shop.model import Order, Shop

ORDER, PROGRESS = "logistics.order", "logistics.progress"
"""Custom events that the agent understands: ``{order: <JSON>}``, and ``{order, operation,
started | finished: <ISO 8601>, machine}``."""

_DOWN = {
    PackMLState.STOPPING,
    PackMLState.STOPPED,
    PackMLState.ABORTING,
    PackMLState.ABORTED,
    PackMLState.CLEARING,
}
_NUMBERS = {
    1: PackMLState.CLEARING,
    2: PackMLState.STOPPED,
    3: PackMLState.STARTING,
    4: PackMLState.IDLE,
    5: PackMLState.SUSPENDED,
    6: PackMLState.EXECUTE,
    7: PackMLState.STOPPING,
    8: PackMLState.ABORTING,
    9: PackMLState.ABORTED,
    10: PackMLState.HOLDING,
    11: PackMLState.HELD,
    12: PackMLState.UNHOLDING,
    13: PackMLState.SUSPENDING,
    14: PackMLState.UNSUSPENDING,
    15: PackMLState.RESETTING,
    16: PackMLState.COMPLETING,
    17: PackMLState.COMPLETE,
}
"""Numbers of the states in PackML's Status.StateCurrent (ANSI/ISA-TR88.00.02)."""


@dataclass(frozen=True, slots=True)
class Happening:
    """The state afterwards, and what happened in words; no words: nothing that concerns a plan."""

    state: State
    said: str = ""
    refused: bool = False
    """Whether what was told makes no sense; the state is as it was."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Reads triggers for one shop."""

    shop: Shop
    tags: Mapping[str, str]
    repair_s: float

    def read(self, trigger: Trigger, state: State, now: int) -> Happening:
        """Return what a trigger changes. Pure."""
        state = self._still_down(state, now)
        match trigger:
            case EventArrived():
                return self._event(trigger, state, now)
            case TagEdge(source=source) if source in self.tags:
                found = packml(trigger.now.value)
                if found is None:
                    said = tr("{tag} shows no PackML state.", tag=source)
                    return Happening(state, said, refused=True)
                return self._machine(state, self.tags[source], found, "", now)
            case _:
                return Happening(state)

    def told(self, happened: Happening, orders: tuple[str, ...]) -> Happening:
        """Add the orders of a shop's book that are not known yet."""
        for text in orders:
            if text in happened.state.orders:
                continue
            found = self._order(happened.state, CustomEvent(name=ORDER, data={"order": text}))
            if found.refused:
                return found
            said = "; ".join(filter(None, (happened.said, found.said)))
            happened = replace(found, said=said)
        return happened

    def _still_down(self, state: State, now: int) -> State:
        """Put off the end of breakdowns that have lasted longer than was guessed."""
        later = now + int(self.repair_s / 2)
        down = tuple(replace(d, end=later) if d.open and d.end <= now else d for d in state.down)
        return replace(state, down=down).forget(now)

    def _event(self, trigger: EventArrived, state: State, now: int) -> Happening:
        body = trigger.event.body
        match body:
            case MachineState():
                return self._machine(state, body.machine, body.state, body.reason, now)
            case Hold():
                return self._hold(state, body, now)
            case Release():
                return self._release(state, body, now)
            case CustomEvent(name=name) if name == ORDER:
                return self._order(state, body)
            case CustomEvent(name=name) if name == PROGRESS:
                return self._progress(state, body)
            case _:
                return Happening(state)

    # --- machines ---

    def _machine(
        self, state: State, machine: str, found: PackMLState, why: str, now: int
    ) -> Happening:
        if machine not in self.shop.machines:
            return Happening(state)
        if found in _DOWN:
            return self._stop(state, machine, why, now)
        return self._start(state, machine, now)

    def _stop(self, state: State, machine: str, why: str, now: int) -> Happening:
        if any(d.open and d.machine == machine for d in state.down):
            return Happening(state)
        down = Down(machine, now, now + int(self.repair_s), open=True, why=why)
        said = tr("{machine} is down: {why}", machine=machine, why=why or tr("no reason given"))
        return Happening(replace(state, down=(*state.down, down)), said)

    def _start(self, state: State, machine: str, now: int) -> Happening:
        if not any(d.open and d.machine == machine for d in state.down):
            return Happening(state)
        down = tuple(
            replace(d, end=max(now, d.begin + 1), open=False)
            if d.open and d.machine == machine
            else d
            for d in state.down
        )
        return Happening(replace(state, down=down), tr("{machine} runs again", machine=machine))

    # --- holds ---

    def _hold(self, state: State, body: Hold, now: int) -> Happening:
        if body.subject in self.shop.machines:
            return self._stop(state, body.subject, body.reason, now)
        if not self._known(state, body.subject):
            return Happening(state)
        holds = {**state.holds, body.subject: body.reason}
        said = tr("{subject} is held: {why}", subject=body.subject, why=body.reason)
        return Happening(replace(state, holds=holds), said)

    def _release(self, state: State, body: Release, now: int) -> Happening:
        if body.subject in self.shop.machines:
            return self._start(state, body.subject, now)
        if body.subject not in state.holds:
            return Happening(state)
        holds = {name: why for name, why in state.holds.items() if name != body.subject}
        return Happening(
            replace(state, holds=holds), tr("{subject} is released", subject=body.subject)
        )

    def _known(self, state: State, subject: str) -> bool:
        orders = [*self.shop.orders, *(Order.model_validate_json(text) for text in state.orders)]
        return any(subject in {order.id, order.lot} for order in orders)

    # --- orders and progress ---

    def _order(self, state: State, body: CustomEvent) -> Happening:
        text = str(body.data.get("order", ""))
        try:
            order = Order.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(step) for step in (_name_of(text), *first["loc"]) if step != "")
            return _refused(state, tr("{where}: {why}", where=where or "order", why=first["msg"]))
        others = [Order.model_validate_json(known) for known in state.orders]
        shop = self.shop.model_copy(update={"orders": (*self.shop.orders, *others, order)})
        wrong = next(problems(shop, Document("order", {})), None)
        if wrong is not None:
            return _refused(state, f"{order.id}: {wrong.message}")
        if sum(len(o.operations) for o in shop.orders) > MOST_REMEMBERED:
            return _refused(state, tr("There are more than {n} operations.", n=MOST_REMEMBERED))
        said = tr("the order {order} came in", order=order.id)
        return Happening(replace(state, orders=(*state.orders, text)), said)

    def _progress(self, state: State, body: CustomEvent) -> Happening:
        order, operation = str(body.data.get("order", "")), str(body.data.get("operation", ""))
        what = "finished" if "finished" in body.data else "started"
        try:
            seconds = int(_instant(str(body.data.get(what, ""))).timestamp())
        except ValueError:
            return _refused(state, tr("{order}/{id}: no moment", order=order, id=operation))
        known = self._alternatives(state, order, operation)
        machine = str(body.data.get("machine", ""))
        if known is None or (what == "started" and machine not in known):
            return _refused(
                state,
                tr("{order}/{id} on {m} is unknown", order=order, id=operation, m=machine or "-"),
            )
        told = f"finished|{seconds}" if what == "finished" else f"started|{machine}|{seconds}"
        progress = {**state.progress, f"{order}|{operation}": told}
        said = tr("{order}/{id} has {what}", order=order, id=operation, what=what)
        return Happening(replace(state, progress=progress), said)

    def _alternatives(self, state: State, order: str, operation: str) -> dict[str, float] | None:
        orders = [*self.shop.orders, *(Order.model_validate_json(text) for text in state.orders)]
        found = (o for each in orders if each.id == order for o in each.operations)
        return next((o.alternatives for o in found if o.id == operation), None)


def packml(value: Value) -> PackMLState | None:
    """Read a PackML state from a tag: its number, its name, or whether the machine runs."""
    if isinstance(value, bool):
        return PackMLState.EXECUTE if value else PackMLState.ABORTED
    if isinstance(value, int | float):
        return _NUMBERS.get(int(value))
    if isinstance(value, str) and value.lower() in set(PackMLState):
        return PackMLState(value.lower())
    return None


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


def _refused(state: State, why: str) -> Happening:
    return Happening(state, tr("What was told makes no sense: {why}", why=why), refused=True)


def _name_of(text: str) -> str:
    """Return the id that an order has, be the rest as wrong as it may; empty where it has none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    name = found.get("id") if isinstance(found, dict) else None
    return name[:80] if isinstance(name, str) else ""
