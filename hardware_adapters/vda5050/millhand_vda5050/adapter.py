"""The adapter: the Robot and Tags faces of all vehicles behind one broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from time import monotonic_ns
from types import TracebackType
from typing import ClassVar, Self

from pydantic import BaseModel

from millhand.contracts import (
    Health,
    Permit,
    Sample,
    SkillInfo,
    SkillProgress,
    SkillStatus,
    TagInfo,
    Value,
    WriteResult,
    WriteStatus,
)
from millhand.errors import NotAllowed
from millhand.messages import tr
from millhand_vda5050.config import Vda5050Config, Vda5050Tag
from millhand_vda5050.control import FleetControl
from millhand_vda5050.layout import Layout
from millhand_vda5050.model import Action, Blocking, Order
from millhand_vda5050.performing import Ending, Performance
from millhand_vda5050.reading import Reader, Watch
from millhand_vda5050.skills import (
    Goal,
    InstantGoal,
    Misfit,
    OrderGoal,
    OrdersGoal,
    each_order,
    order_of,
    read_goal,
    skills,
)

_HALTS = frozenset({SkillStatus.EXPIRED, SkillStatus.CANCELLED})


class Vda5050:
    """Vehicles behind one broker: what they say as tags, what they do as skills.

    ``stop`` pauses every vehicle, ``cancel`` ends what is under way; both are instant actions. A
    vehicle that is cut off from the broker ends the base that it has, as VDA 5050 wants it.

    Args:
        name: name of the device in the scenario; permits are made out to it.
        config: broker and vehicles.
        tags: the scenario's tags by name.

    Raises:
        ConfigError: the layout cannot be read.
    """

    Config: ClassVar[type[BaseModel]] = Vda5050Config
    Tag: ClassVar[type[BaseModel]] = Vda5050Tag

    def __init__(
        self, name: str, config: Vda5050Config, tags: Mapping[str, Vda5050Tag] | None = None
    ) -> None:
        self._name = name
        self._config = config
        self._layout = None if config.layout is None else Layout.load(config.layout)
        self._control = FleetControl(name, config, self._news, self._link_changed)
        self._reader = Reader(self._control, tags or {})
        self._under_way: dict[str, Performance] = {}
        self._watches: dict[asyncio.Task[None], Watch] = {}
        self._ended = asyncio.Event()
        self._up = False
        self._dropped = 0

    async def __aenter__(self) -> Self:
        await self._control.link.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await asyncio.gather(
                *(self._halt(one) for one in list(self._under_way)), return_exceptions=True
            )
            for performance in list(self._under_way.values()):
                performance.end(SkillStatus.CANCELLED, tr("closed"))
        finally:
            await _end(list(self._watches))
            await self._control.link.stop()

    # --- the link ---

    def health(self) -> Health:
        """Say how the link is, at once and without I/O."""
        return self._control.link.health

    async def wait_connected(self, timeout_s: float) -> None:
        """Return when the link is up.

        Raises:
            NotAllowed: the broker, or our trust in it, says no.
            Unavailable: not up within ``timeout_s``.
        """
        await self._control.link.wait_connected(timeout_s)

    @property
    def dropped_samples(self) -> int:
        """Samples lost so far because readers of subscriptions were slow."""
        return self._dropped + sum(watch.queue.dropped for watch in self._watches.values())

    def _news(self, vehicle: str) -> None:
        for watch in self._watches.values():
            watch.news(vehicle)

    def _link_changed(self) -> None:
        up = self._control.link.up
        if up is not self._up:
            self._up = up
            self._control.wake()
            for watch in self._watches.values():
                watch.link_changed(up=up)

    # --- Tags ---

    async def browse(self) -> Sequence[TagInfo]:
        """List what can be read of each vehicle, and of the fleet as columns."""
        return self._reader.browse()

    async def read(self, tags: Sequence[str]) -> Sequence[Sample]:
        """Return what was heard last; see :meth:`millhand.contracts.Tags.read`."""
        return self._reader.read(tags)

    async def write(self, permit: Permit) -> WriteResult:
        """Refuse: vehicles take orders, not values."""
        names = ", ".join(write.tag for write in permit.writes)
        return WriteResult(
            status=WriteStatus.REJECTED,
            detail=tr("{tags}: only read; vehicles are moved by skills", tags=names),
            finished_monotonic_ns=monotonic_ns(),
        )

    async def subscribe(
        self, tags: Sequence[str], interval_s: float
    ) -> AsyncIterator[Sequence[Sample]]:
        """Yield all ``tags``, then at most each interval those that changed."""
        watch = Watch(self._reader, tags, interval_s, self._config.queue_limit)
        task = asyncio.create_task(
            watch.run(self._config.silent_after_s), name=f"vda5050 {self._name} watch"
        )
        self._watches[task] = watch
        try:
            while (batch := await watch.queue.get()) is not None:
                yield batch
        finally:
            await _end([task])
            del self._watches[task]
            self._dropped += watch.queue.dropped

    def effective_interval_s(self, interval_s: float) -> float:
        """Return the interval: vehicles push; how old it is by then, only they can say."""
        return interval_s

    # --- Robot ---

    def skills(self) -> Sequence[SkillInfo]:
        """Describe what vehicles can be asked for."""
        return skills()

    async def perform(
        self, permit: Permit, skill: str, goal: Mapping[str, Value], deadline_monotonic_ns: int
    ) -> AsyncIterator[SkillProgress]:
        """Perform a skill with one vehicle; see :meth:`millhand.contracts.Robot.perform`.

        One skill at a time for each vehicle. ``order`` ends when the vehicle shows the order in its
        state, ``orders`` when all do; ``drive`` also watches it, and turning away from it ends the
        order.
        """
        if skill == "orders":
            yield await self._hand_over_all(permit, goal, deadline_monotonic_ns)
            return
        try:
            vehicle, asked, order = self._plan(skill, goal)
            self._ready(vehicle, skill, deadline_monotonic_ns)
        except Misfit as misfit:
            yield _last(SkillStatus.REJECTED, str(misfit))
            return
        except Ending as ending:
            yield _last(ending.status, ending.detail)
            return
        self._redeem(permit, skill, goal)
        performance = Performance(
            self._control, vehicle, deadline_monotonic_ns, self._config.confirm_s
        )
        self._under_way[vehicle] = performance
        ended = False
        try:
            if order is not None:
                await performance.hand_over(order)
                yield SkillProgress(fraction=0.0, status=tr("{vehicle} has it", vehicle=vehicle))
                if skill == "drive":
                    async for progress in performance.watch(order):
                        yield progress
            else:
                await self._other(performance, skill, asked)
            ended = True
            self._over(vehicle)
            yield _last(SkillStatus.SUCCEEDED)
        except Ending as ending:
            ended = True
            if skill == "drive" and ending.status in _HALTS:
                await self._halt(vehicle)
            self._over(vehicle)
            yield _last(ending.status, ending.detail, performance.fraction)
        finally:
            if not ended and skill == "drive":
                await self._halt(vehicle)
            self._over(vehicle)

    async def _hand_over_all(
        self, permit: Permit, goal: Mapping[str, Value], deadline_ns: int
    ) -> SkillProgress:
        """Hand over orders to several vehicles at the same time; say which did not take theirs."""
        try:
            asked = read_goal("orders", goal)
            assert isinstance(asked, OrdersGoal)
            plans = [self._plan_of(one) for one in each_order(asked)]
        except Misfit as misfit:
            return _last(SkillStatus.REJECTED, str(misfit))
        if monotonic_ns() >= deadline_ns:
            return _last(SkillStatus.EXPIRED, tr("too late to begin"))
        self._redeem(permit, "orders", goal)
        failures = await asyncio.gather(
            *(self._hand_over_one(vehicle, order, deadline_ns) for vehicle, order in plans)
        )
        failed = [failure for failure in failures if failure]
        if failed:
            return _last(SkillStatus.FAILED, "; ".join(failed[:20]))
        return _last(SkillStatus.SUCCEEDED)

    async def _hand_over_one(self, vehicle: str, order: Order | None, deadline_ns: int) -> str:
        """Hand over one order; return what was in the way, or an empty text."""
        assert order is not None
        try:
            await self._handed(vehicle, deadline_ns)
            self._ready(vehicle, "order", deadline_ns)
            performance = Performance(self._control, vehicle, deadline_ns, self._config.confirm_s)
            self._under_way[vehicle] = performance
            try:
                await performance.hand_over(order)
            finally:
                self._over(vehicle)
        except Ending as ending:
            return f"{vehicle}: {ending.status} {ending.detail}".strip()
        return ""

    async def _handed(self, vehicle: str, deadline_ns: int) -> None:
        """Wait until a hand-over to the vehicle that is under way is over.

        Who asks again before an order is shown asks for what is being done; who asks for the next
        one has seen the last one shown.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout((deadline_ns - monotonic_ns()) / 1e9):
                while (under_way := self._under_way.get(vehicle)) is not None:
                    if not under_way.handing:
                        return
                    await self._ended.wait()

    def _plan(self, skill: str, goal: Mapping[str, Value]) -> tuple[str, Goal, Order | None]:
        asked = read_goal(skill, goal)
        if isinstance(asked, OrderGoal):
            vehicle, order = self._plan_of(asked)
            return vehicle, asked, order
        return self._vehicle_of(asked.vehicle), asked, None

    def _plan_of(self, asked: OrderGoal) -> tuple[str, Order]:
        vehicle = self._vehicle_of(asked.vehicle)
        return vehicle, order_of(asked, self._layout, self._control.tracks[vehicle].limits)

    def _vehicle_of(self, vehicle: str) -> str:
        if not vehicle and len(self._control.tracks) == 1:
            (vehicle,) = self._control.tracks
        if vehicle not in self._control.tracks:
            raise Misfit(tr("no vehicle {vehicle}", vehicle=repr(vehicle)))
        return vehicle

    def _ready(self, vehicle: str, skill: str, deadline_ns: int) -> None:
        """Check that a skill may begin now.

        Raises:
            Ending: it may not.
        """
        track = self._control.tracks[vehicle]
        if monotonic_ns() >= deadline_ns:
            raise Ending(SkillStatus.EXPIRED, tr("too late to begin"))
        if vehicle in self._under_way:
            raise Ending(SkillStatus.REJECTED, tr("{vehicle} is busy", vehicle=vehicle))
        if skill == "trust":
            return
        if not self._control.online(vehicle):
            reason = self.health().detail or tr("{vehicle} is not heard", vehicle=vehicle)
            raise Ending(SkillStatus.REJECTED, reason)
        if track.doubts and skill in ("order", "drive"):
            raise Ending(
                SkillStatus.REJECTED,
                tr(
                    "{vehicle} is not believed: {reasons}",
                    vehicle=vehicle,
                    reasons="; ".join(track.doubts.values()),
                ),
            )

    def _redeem(self, permit: Permit, skill: str, goal: Mapping[str, Value]) -> None:
        """Spend the permit, which must be for this very goal.

        Raises:
            NotAllowed: it is not, or is spent, expired or another device's.
        """
        writes = permit.writes
        fits = len(writes) == 1 and writes[0].tag == f"skill.{skill}"
        if not fits or _goal_of(writes[0].value) != dict(goal):
            raise NotAllowed(tr("The permit is for another skill or goal."))
        if permit.redeem(self._name) != writes:
            raise NotAllowed(tr("The permit gave out other writes than it showed."))

    async def _other(self, performance: Performance, skill: str, asked: Goal) -> None:
        if isinstance(asked, InstantGoal):
            await performance.act(Action(action_type=asked.action, action_id=asked.action_id))
        elif skill == "resume":
            await performance.act(_instant("stopPause"))
        else:
            self._control.tracks[performance.vehicle].forgive()

    def _over(self, vehicle: str) -> None:
        if self._under_way.pop(vehicle, None) is not None:
            ended, self._ended = self._ended, asyncio.Event()
            ended.set()

    async def cancel(self) -> None:
        """End every skill under way, and the orders that are driven under it."""
        for performance in list(self._under_way.values()):
            performance.end(SkillStatus.CANCELLED)
        while self._under_way:
            await self._ended.wait()

    async def stop(self) -> None:
        """Pause every vehicle, now. What is under way ends as stopped."""
        await asyncio.gather(
            *(
                self._control.send_actions(vehicle, [_instant("startPause")])
                for vehicle in self._control.tracks
            )
        )
        for performance in list(self._under_way.values()):
            performance.end(SkillStatus.STOPPED)

    async def _halt(self, vehicle: str) -> None:
        """End a vehicle's order and wait a moment until it shows that."""
        action = _instant("cancelOrder")
        performance = Performance(
            self._control,
            vehicle,
            monotonic_ns() + int(self._config.confirm_s * 1e9),
            self._config.confirm_s,
        )
        if self._control.online(vehicle):
            with contextlib.suppress(Ending):
                await performance.act(action)


def _instant(kind: str) -> Action:
    return Action(action_type=kind, action_id=str(uuid.uuid4()), blocking=Blocking.NONE)


def _goal_of(text: Value) -> object:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _last(status: SkillStatus, detail: str = "", fraction: float = 0.0) -> SkillProgress:
    if status is SkillStatus.SUCCEEDED:
        fraction = 1.0
    return SkillProgress(fraction=fraction, done=True, status=str(status), detail=detail)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
