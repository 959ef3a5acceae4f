"""The agent ``logistics.schedule``: keeps a shop's plan, and plans anew when something happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar

from millhand.contracts import (
    ActionKind,
    Decision,
    DeliverRecord,
    DocumentArrived,
    EventArrived,
    Memory,
    Models,
    Needs,
    Observation,
    PartTrigger,
    TagEdge,
    TimerTick,
    Trigger,
    TriggerKind,
    WriteTag,
)
from millhand.contracts.decision import Action
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.schedule.book import Book, Unreadable, dispatch_list, read_book
from millhand_logistics.schedule.config import ScheduleConfig
from millhand_logistics.schedule.effort import effort_within
from millhand_logistics.schedule.from_shop import Floor, OperationKey, floor_of
from millhand_logistics.schedule.happening import Teller
from millhand_logistics.schedule.package import StudentParameters, policy_of, unlike
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.present import keys_of, present, with_orders
from millhand_logistics.schedule.replan import Calm, Place, Replan, places_of, replan
from millhand_logistics.schedule.report import events, explanations, record, scores, summary
from millhand_logistics.schedule.state import Planned, State, from_memory, orders_of, to_memory
from millhand_logistics.schedule.warm import warm_up
from millhand_logistics.shop.model import Shop

STUDENT, SCHEDULE, BOOK, DISPATCH = "student", "schedule", "book", "dispatch"
"""Roles that the scenario binds."""


class ScheduleAgent:
    """Plans a shop, and plans it anew when a machine stops, a lot is held or an order comes in.

    Pure: the plan so far is its memory, the present is its trigger's. Work is bounded by counts.
    """

    Config: ClassVar[type[ScheduleConfig]] = ScheduleConfig

    def __init__(self, config: ScheduleConfig) -> None:
        self._config = config
        self._teller = Teller(config.shop, config.tags, config.repair)
        self._students: dict[str, tuple[Policy, StudentParameters]] = {}
        warm_up()

    def needs(self) -> Needs:
        """Events, tags that change, or time; student, book and places to deliver to, where set."""
        actions: dict[str, ActionKind] = {}
        if self._config.deliver:
            actions[SCHEDULE] = ActionKind.DELIVER_RECORD
        if self._config.dispatch:
            actions[DISPATCH] = ActionKind.WRITE_TAG
        return Needs(
            triggers=frozenset({TriggerKind.EVENT, TriggerKind.EDGE, TriggerKind.TIMER}),
            events=frozenset({"machine_state/1", "hold/1", "release/1", "custom/1"}),
            models=frozenset({STUDENT} if self._config.student else ()),
            samples=frozenset({BOOK} if self._config.book else ()),
            actions=actions,
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Plan anew where what happened concerns the plan, or where there is none yet."""
        seen = self._see(observation)
        if isinstance(seen, str):
            return Decision(reason=seen)
        machines, shop, state, said = seen.machines, seen.shop, seen.state, seen.said
        try:
            floor = self._floor(seen)
            found, used, note = self._replan(floor, state, models)
        except ConfigError as error:
            memory = to_memory(state, keys_of(shop), machines)
            return Decision(reason=f"{said}. {error}", memory=memory)
        state = replace(state, planned={**state.planned, **_planned(floor, found)})
        for order in floor.left_out:
            state = replace(state, planned=_without(state.planned, order))
        memory = to_memory(state, keys_of(shop), machines)
        return self._decision(observation, floor, found, memory, f"{said}: {note}", used)

    def floor(self, observation: Observation) -> Floor:
        """Return the shop as a decision saw it, so that a person's plan can be held against it.

        Raises:
            ConfigError: nothing was planned then.
        """
        seen = self._see(observation)
        if isinstance(seen, str):
            raise ConfigError(tr("Nothing was planned then: {why}", why=seen))
        return self._floor(seen)

    def _see(self, observation: Observation) -> _Seen | str:
        """Return what is known now, or why nothing is planned."""
        try:
            book = read_book(observation.samples.get(BOOK)) if self._config.book else None
        except Unreadable as error:
            return tr("The plan stays as it is: {why}.", why=error)
        now = moment_of(observation.trigger) if book is None else book.now
        machines = tuple(self._config.shop.machines)
        shop = with_orders(self._config.shop, orders_of(observation.memory))
        state = from_memory(observation.memory, keys_of(shop), machines)
        happened = self._teller.read(observation.trigger, state, now)
        if not happened.refused and book is not None:
            happened = self._teller.told(happened, book.orders)
        if happened.refused:
            return happened.said
        timer = isinstance(observation.trigger, TimerTick)
        if not happened.said and state.planned and not timer:
            return tr("This does not concern the plan.")
        said = happened.said or (tr("it is time") if state.planned else tr("there was no plan"))
        state = happened.state
        return _Seen(now, machines, with_orders(self._config.shop, state.orders), state, book, said)

    def _floor(self, seen: _Seen) -> Floor:
        today = self._today(seen.shop, seen.state, seen.now, seen.book)
        return floor_of(today, datetime.fromtimestamp(seen.now, UTC))

    def _today(self, shop: Shop, state: State, now: int, book: Book | None) -> Shop:
        """Return the shop as it is now: as its book says, else as was told or is assumed."""
        if book is None:
            return present(shop, state, now, assume=self._config.assume_progress)
        return present(shop, replace(state, progress=book.progress), now, assume=False)

    def _replan(
        self, floor: Floor, state: State, models: Models
    ) -> tuple[Replan, dict[str, str], str]:
        config = self._config
        policy, used, note = self._student(floor, models)
        calm = Calm(
            frozen=_ticks(config.frozen, floor),
            promised=_ticks(config.promised, floor),
            most_moves=config.most_moves,
        )
        effort = effort_within(
            config.answer_within,
            floor.problem.tables.operations,
            twice=calm.promised > 0,
            solver=config.solver,
        )
        found = replan(floor, _before(floor, state), calm, effort, policy, self._config.only)
        return found, used, f"{note}{summary(floor, found)}"

    def _student(self, floor: Floor, models: Models) -> tuple[Policy | None, dict[str, str], str]:
        """Return the student, where it knows shops like this one; else why it abstains."""
        model = models.get(STUDENT)
        if model is None:
            return None, {}, ""
        if model.package_id not in self._students:
            self._students[model.package_id] = policy_of(model)
        policy, parameters = self._students[model.package_id]
        strange = unlike(floor.problem, parameters.known)
        if strange:
            return None, {}, tr("the student abstains ({why}); ", why=strange)
        return policy, {STUDENT: model.package_id}, ""

    def _decision(
        self,
        observation: Observation,
        floor: Floor,
        found: Replan,
        memory: Memory,
        reason: str,
        used: dict[str, str],
    ) -> Decision:
        actions: list[Action] = []
        if self._config.deliver:
            actions.append(
                DeliverRecord(
                    to=SCHEDULE,
                    kind="schedule",
                    body=record(floor, found),
                    idempotency_key=observation.id,
                )
            )
        if self._config.dispatch:
            text = dispatch_list(floor, found.plan, observation.id)
            actions.append(WriteTag(to=DISPATCH, value=text))
        return Decision(
            reason=reason,
            scores=scores(floor, found),
            actions=tuple(actions),
            events=events(floor, found),
            explanations=explanations(floor, found, self._config.shop.time_zone),
            memory=memory,
            models=used,
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known when a plan is made."""

    now: int
    machines: tuple[str, ...]
    shop: Shop
    state: State
    book: Book | None
    said: str
    """What happened."""


def moment_of(trigger: Trigger) -> int:
    """Return the present as a trigger tells it, in whole seconds of UTC."""
    match trigger:
        case EventArrived():
            ns = trigger.event.at_utc_ns
        case TagEdge():
            ns = trigger.now.received_utc_ns
        case TimerTick():
            ns = trigger.due_utc_ns
        case PartTrigger():
            ns = trigger.detected_utc_ns
        case DocumentArrived():
            ns = trigger.document.received_utc_ns
    return ns // 1_000_000_000


def _ticks(seconds: float | None, floor: Floor) -> int:
    return 0 if seconds is None else round(seconds / floor.tick_s)


def _before(floor: Floor, state: State) -> dict[OperationKey, Place]:
    """Return the plan so far in the floor's ticks."""
    origin = int(floor.origin.timestamp())
    return {
        key: Place(
            machine=floor.machines.index(place.machine),
            begin=round((place.begin - origin) / floor.tick_s),
            end=round((place.end - origin) / floor.tick_s),
        )
        for key, place in state.planned.items()
    }


def _planned(floor: Floor, found: Replan) -> dict[OperationKey, Planned]:
    origin = int(floor.origin.timestamp())
    return {
        key: Planned(
            floor.machines[place.machine],
            origin + round(place.begin * floor.tick_s),
            origin + round(place.end * floor.tick_s),
        )
        for key, place in places_of(floor, found.plan).items()
    }


def _without(planned: Mapping[OperationKey, Planned], order: str) -> dict[OperationKey, Planned]:
    """Return a plan without what an order that is held has not begun."""
    return {key: place for key, place in planned.items() if key[0] != order}
