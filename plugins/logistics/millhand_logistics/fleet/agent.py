"""The agent ``logistics.fleet``: gives transport orders to vehicles and leads them there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import ClassVar

from millhand.contracts import (
    ActionKind,
    CustomEvent,
    Decision,
    EventArrived,
    EventBody,
    Highlight,
    Models,
    Needs,
    Observation,
    PerformSkill,
    Sample,
    TriggerKind,
    Value,
    WriteTag,
)
from millhand.contracts.decision import Action
from millhand.messages import tr
from millhand_logistics.fleet.config import FleetConfig
from millhand_logistics.fleet.dispatch import add_job, dispatch
from millhand_logistics.fleet.memory import from_memory, to_memory
from millhand_logistics.fleet.state import Book, Job, Request, Round, Vehicle
from millhand_logistics.fleet.wanted import Unreadable, answer, forget_answered, read_wanted

WANTED, ARRIVED = "wanted", "arrived"
"""Roles of a shop's list under ``see``, and of the answer under ``may``."""
ORDERS = "orders"
"""The role under ``may``: the device of the vehicles, and its skill."""
COLUMNS = (
    "name",
    "online",
    "node",
    "sequence",
    "order",
    "update",
    "idle",
    "charge",
    "charging",
    "mode",
    "paused",
    "fatal",
    "emergency",
    "doubt",
)
"""Roles under ``see``: columns with one value for each vehicle, all of one length."""
TRANSPORT = "logistics.transport"
"""The event that asks for a transport: ``id``, ``pick``, ``drop``, where given ``priority``."""
_FOLLOWS_ORDERS = frozenset({"AUTOMATIC", "SEMIAUTOMATIC"})
_Event = tuple[str, dict[str, None | bool | int | float | str]]


class FleetAgent:
    """Leads vehicles, so that each transport order is carried out once and nobody meets.

    Pure: who was sent where is its memory, where vehicles are its samples.
    """

    Config: ClassVar[type[FleetConfig]] = FleetConfig

    def __init__(self, config: FleetConfig) -> None:
        self._config = config
        self._roads = config.roads()
        self._rules = config.rules

    def needs(self) -> Needs:
        """Look each time a timer says so or a transport is asked for; see all columns."""
        return Needs(
            triggers=frozenset({TriggerKind.TIMER, TriggerKind.EVENT}),
            samples=frozenset((*COLUMNS, WANTED) if self._config.wanted else COLUMNS),
            events=frozenset({"custom/1"}),
            actions={ORDERS: ActionKind.PERFORM_SKILL}
            | ({ARRIVED: ActionKind.WRITE_TAG} if self._config.wanted else {}),
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Take in what is asked for, follow what was done, hand over what comes next."""
        del models
        digest = hashlib.sha256(observation.id.encode()).hexdigest()[:6]
        book = from_memory(observation.memory, f"{observation.agent}-{digest}-")
        events: list[_Event] = []
        if isinstance(observation.trigger, EventArrived):
            said = self._take_in(book, observation.trigger.event.body, events)
            if said is None:
                return Decision(reason=tr("This is no transport order."))
        unread = self._take_list(book, observation, events) if self._config.wanted else ""
        vehicles, trouble = read_vehicles(observation.samples)
        if trouble:
            return Decision(reason=trouble, events=_bodies(events), memory=to_memory(book))
        found = dispatch(book, vehicles, self._roads, self._rules)
        events += [
            ("logistics.transport_done", {"id": job.id, "vehicle": job.vehicle})
            for job in found.done
        ]
        if self._config.wanted:
            book.answered.update(dict.fromkeys((job.id for job in found.done), ""))
        return Decision(
            reason="; ".join(filter(None, (unread, _words(found, book)))),
            scores={"open": float(len(book.jobs)), "requests": float(len(found.requests))},
            actions=_actions(found, answer(book)),
            events=_bodies(events),
            explanations=(_explanation(found, book),),
            memory=to_memory(book),
        )

    def _take_list(self, book: Book, observation: Observation, events: list[_Event]) -> str:
        """Take in what a shop's list has new; returns why it cannot be read, where it cannot."""
        try:
            wanted = read_wanted(observation.samples.get(WANTED))
        except Unreadable as error:
            return str(error)
        forget_answered(book, wanted)
        for job in wanted:
            if job.id in book.jobs or job.id in book.answered:
                continue
            if len(book.jobs) >= self._config.most_jobs:
                break  # it is still in the list when there is room
            wrong = self._refusal(book, job)
            if wrong:
                book.answered[job.id] = wrong
                events.append(("logistics.transport_refused", {"id": job.id, "reason": wrong}))
            else:
                add_job(book, job)
        return ""

    def _take_in(self, book: Book, event: EventBody, events: list[_Event]) -> bool | None:
        """Take in a transport order; None where the event is another one, False where refused."""
        if not isinstance(event, CustomEvent) or event.name != TRANSPORT:
            return None
        data = event.data
        job = Job(
            str(data.get("id") or ""), str(data.get("pick") or ""), str(data.get("drop") or "")
        )
        priority = data.get("priority")
        job.priority = priority if isinstance(priority, int) else 0
        wrong = self._refusal(book, job)
        if wrong:
            events.append(("logistics.transport_refused", {"id": job.id, "reason": wrong}))
            return False
        add_job(book, job)
        return True

    def _refusal(self, book: Book, job: Job) -> str:
        if not job.id or len(job.id) > 100:
            return tr("a transport order needs an id of at most 100 characters")
        if job.id in book.jobs:
            return tr("there is a transport order {id} already", id=job.id)
        for node in (job.pick, job.drop):
            if node not in self._roads:
                return tr("the layout has no node {node}", node=repr(node))
        if job.pick not in self._roads.distances_to(job.drop):
            return tr("no way leads from {pick} to {drop}", pick=job.pick, drop=job.drop)
        if len(book.jobs) >= self._config.most_jobs:
            return tr("{count} transport orders are open", count=len(book.jobs))
        return ""


def read_vehicles(samples: Mapping[str, Sample]) -> tuple[dict[str, Vehicle], str]:
    """Read the columns; returns the vehicles by name, or why they cannot be read."""
    columns: dict[str, list[None | bool | int | float | str]] = {}
    for role in COLUMNS:
        sample = samples.get(role)
        if sample is None or not sample.good or not isinstance(sample.value, list):
            note = "" if sample is None else sample.note
            return {}, tr("{role} cannot be read. {note}", role=role, note=note).strip()
        columns[role] = sample.value
    if len({len(column) for column in columns.values()}) != 1:
        return {}, tr("The columns are of different lengths.")
    rows = zip(*(columns[role] for role in COLUMNS), strict=True)
    found = [_vehicle(dict(zip(COLUMNS, row, strict=True))) for row in rows]
    return {vehicle.name: vehicle for vehicle in found}, ""


def _vehicle(row: Mapping[str, Value]) -> Vehicle:
    sequence, update, charge = row["sequence"], row["update"], row["charge"]
    hindered = row["paused"] or row["fatal"] or row["emergency"] or row["doubt"]
    known = row["node"] is not None and bool(row["node"])
    return Vehicle(
        name=str(row["name"]),
        usable=bool(row["online"]) and known and row["mode"] in _FOLLOWS_ORDERS and not hindered,
        node=str(row["node"] or ""),
        sequence=sequence if isinstance(sequence, int) else 0,
        order=str(row["order"] or ""),
        update=update if isinstance(update, int) else 0,
        idle=bool(row["idle"]),
        charge=float(charge) if isinstance(charge, int | float) else 0.0,
        charging=bool(row["charging"]),
        known=known,
    )


def _actions(found: Round, told: str) -> tuple[Action, ...]:
    actions: list[Action] = []
    if found.requests:
        texts = [json.dumps(_goal(request), ensure_ascii=False) for request in found.requests]
        actions.append(PerformSkill(to=ORDERS, skill="orders", goal={"orders": list(texts)}))
    if told:
        actions.append(WriteTag(to=ARRIVED, value=told))
    return tuple(actions)


def _goal(request: Request) -> dict[str, object]:
    goal: dict[str, object] = {
        "vehicle": request.vehicle,
        "order_id": request.order,
        "update_id": request.update,
        "path": list(request.path),
        "first_sequence": request.first,
    }
    if request.action:
        goal |= {"action": request.action, "load": request.load}
    return goal


def _bodies(events: list[_Event]) -> tuple[EventBody, ...]:
    return tuple(CustomEvent(name=name, data=data) for name, data in events)


def _words(found: Round, book: Book) -> str:
    parts = [tr("{job} to {vehicle}", job=job, vehicle=vehicle) for job, vehicle in found.given]
    parts += [tr("{job} done by {vehicle}", job=job.id, vehicle=job.vehicle) for job in found.done]
    parts += [
        tr("{job} taken from {vehicle}: {why}", job=job, vehicle=vehicle, why=why)
        for job, vehicle, why in found.returned
    ]
    moving = sum(plan.busy for plan in book.plans.values())
    parts.append(
        tr(
            "{moving} of {all} vehicles under way, {open} transport orders open",
            moving=moving,
            all=len(book.plans),
            open=len(book.jobs),
        )
    )
    return "; ".join(parts)


def _explanation(found: Round, book: Book) -> Highlight:
    fields: dict[str, Value] = {}
    for name, plan in book.plans.items():
        if plan.busy:
            fields[name] = f"{plan.stage.value} {plan.job} → {plan.goal}".replace("  ", " ")
    for name, why in found.stuck.items():
        fields[name] = f"{fields.get(name, '')} ({why})".strip()
    return Highlight(fields=fields)
