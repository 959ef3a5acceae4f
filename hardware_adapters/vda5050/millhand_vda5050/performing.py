"""One skill for one vehicle, from the first message to its end.

Orders and instant actions are idempotent by their ids at the vehicle, so one that may not have
arrived is sent again *under the same ids* while it is valid, but only as long as the vehicle shows
that it is the same it was: a vehicle that lost its memory might do it twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import monotonic_ns

from millhand.contracts import SkillProgress, SkillStatus
from millhand.messages import tr
from millhand_mqtt.session import Delivery
from millhand_vda5050.control import FleetControl
from millhand_vda5050.model import Action, ActionStatus, Fault, Order, VehicleState
from millhand_vda5050.tracking import Track

_OURS = ("orderError", "orderUpdateError", "noRouteError", "validationError", "orderId")


class Ending(Exception):
    """A skill ended; carries how."""

    def __init__(self, status: SkillStatus, detail: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Performance:
    """An order or instant action on its way to one vehicle."""

    def __init__(
        self, control: FleetControl, vehicle: str, deadline_ns: int, confirm_s: float
    ) -> None:
        self.vehicle = vehicle
        self.ending: Ending | None = None
        """Set from outside to end it: cancelled or stopped."""
        self.handing = False
        """Whether an order is being handed over."""
        self.handed_over = False
        self.fraction = 0.0
        self.sent = 0
        """How often the order has left, for all that is known."""
        self._control = control
        self._deadline_ns = deadline_ns
        self._confirm_s = confirm_s

    @property
    def _track(self) -> Track:
        return self._control.tracks[self.vehicle]

    def end(self, status: SkillStatus, detail: str = "") -> None:
        """Let it end at the next look."""
        self.ending = Ending(status, detail)
        self._control.wake()

    # --- orders ---

    async def hand_over(self, order: Order) -> None:
        """Send an order until the vehicle shows it.

        Raises:
            Ending: refused by the vehicle, out of time, or no longer known to be safe.
        """
        self.handing = True
        try:
            await self._hand_over(order)
        finally:
            self.handing = False

    async def _hand_over(self, order: Order) -> None:
        before = self._track.state
        known = "" if before is None else before.order_id
        errors = _complaints(before, order)
        while True:
            state = self._track.state
            if state is not None and _shows(state, order):
                self.handed_over = True
                return
            if order.order_id in self._track.left:
                raise Ending(
                    SkillStatus.REJECTED,
                    tr(
                        "{vehicle} has been through {order}",
                        vehicle=self.vehicle,
                        order=order.order_id,
                    ),
                )
            self._look(state, order, errors)
            if self.sent and state is not None and state.order_id not in (known, order.order_id):
                raise Ending(
                    SkillStatus.UNKNOWN,
                    tr("{vehicle} now drives {order}", vehicle=self.vehicle, order=state.order_id),
                )
            if self._control.online(self.vehicle):
                receipt = await self._control.send_order(self.vehicle, order)
                self.sent += receipt.delivery is not Delivery.NOT_SENT
                if receipt.delivery is Delivery.REFUSED:
                    raise Ending(SkillStatus.REJECTED, receipt.detail)
            await self._wait_for_news(order, errors, known)

    async def _wait_for_news(self, order: Order, errors: frozenset[str], known: str) -> None:
        """Return when the order is shown, or when it is time to send it again."""
        until_ns = monotonic_ns() + int(self._confirm_s * 1e9)
        while (left_s := (min(until_ns, self._deadline_ns) - monotonic_ns()) / 1e9) > 0:
            await self._control.news_of(self.vehicle, left_s)
            state = self._track.state
            if state is not None and (
                _shows(state, order) or state.order_id not in (known, order.order_id)
            ):
                return
            self._look(state, order, errors)
        self._look(self._track.state, order, errors)

    def _look(self, state: VehicleState | None, order: Order, errors: frozenset[str]) -> None:
        if self.ending is not None:
            raise self.ending
        if monotonic_ns() >= self._deadline_ns:
            # Once it has left, the vehicle may have it all the same.
            raise Ending(
                SkillStatus.UNKNOWN if self.sent else SkillStatus.EXPIRED,
                tr("{vehicle} did not show the order", vehicle=self.vehicle),
            )
        new = [fault for fault in _refusals(state, order) if _key(fault) not in errors]
        if new:
            raise Ending(
                SkillStatus.REJECTED if not self.handed_over else SkillStatus.FAILED,
                tr(
                    "{vehicle}: {fault} {text}",
                    vehicle=self.vehicle,
                    fault=new[0].kind,
                    text=new[0].text,
                ),
            )

    async def watch(self, order: Order) -> AsyncIterator[SkillProgress]:
        """Follow an order that the vehicle has, to its end.

        Raises:
            Ending: anything but success.
        """
        total = max(1, order.nodes[-1].sequence_id - order.nodes[0].sequence_id)
        while True:
            state = self._track.state
            assert state is not None
            self._check_watch(state, order)
            done = (state.last_sequence - order.nodes[0].sequence_id) / total
            if _finished(state, order):
                return
            if state.last_sequence >= order.nodes[0].sequence_id and done > self.fraction:
                self.fraction = min(done, 0.99)
                yield SkillProgress(
                    fraction=self.fraction, status=tr("at {node}", node=state.last_node)
                )
            left_s = (self._deadline_ns - monotonic_ns()) / 1e9
            await self._control.news_of(self.vehicle, min(left_s, self._confirm_s))

    def _check_watch(self, state: VehicleState, order: Order) -> None:
        if self.ending is not None:
            raise self.ending
        if not self._control.online(self.vehicle):
            raise Ending(SkillStatus.UNKNOWN, tr("{vehicle} is not heard", vehicle=self.vehicle))
        if monotonic_ns() >= self._deadline_ns:
            raise Ending(SkillStatus.EXPIRED)
        if state.order_id != order.order_id:
            raise Ending(
                SkillStatus.UNKNOWN,
                tr("{vehicle} now drives {order}", vehicle=self.vehicle, order=state.order_id),
            )
        if _cut_short(state, order):
            raise Ending(SkillStatus.FAILED, tr("the order was ended before its last node"))
        for fault in state.faults:
            if fault.stops:
                raise Ending(SkillStatus.FAILED, f"{fault.kind} {fault.text}".strip())
        for action in state.actions:
            mine = any(
                one.action_id == action.action_id for node in order.nodes for one in node.actions
            )
            if mine and action.status is ActionStatus.FAILED:
                raise Ending(SkillStatus.FAILED, f"{action.action_type} {action.result}".strip())

    # --- instant actions ---

    async def act(self, action: Action) -> None:
        """Send an instant action until the vehicle has ended it.

        Raises:
            Ending: failed, or out of time.
        """
        while True:
            self._check_act()
            if self._control.online(self.vehicle) and self._told(action) is None:
                await self._control.send_actions(self.vehicle, [action])
            until_ns = monotonic_ns() + int(self._confirm_s * 1e9)
            while (left_s := (min(until_ns, self._deadline_ns) - monotonic_ns()) / 1e9) > 0:
                status = self._told(action)
                if status is ActionStatus.FINISHED:
                    return
                if status is ActionStatus.FAILED:
                    raise Ending(SkillStatus.FAILED, action.action_type)
                await self._control.news_of(self.vehicle, left_s)
                self._check_act()

    def _check_act(self) -> None:
        if self.ending is not None:
            raise self.ending
        if monotonic_ns() >= self._deadline_ns:
            raise Ending(SkillStatus.EXPIRED)

    def _told(self, action: Action) -> ActionStatus | None:
        state = self._track.state
        for one in state.actions if state is not None else ():
            if one.action_id == action.action_id:
                return one.status
        return None


def _shows(state: VehicleState, order: Order) -> bool:
    return state.order_id == order.order_id and state.update_id >= order.update_id


def _finished(state: VehicleState, order: Order) -> bool:
    return state.idle and state.last_sequence == order.nodes[-1].sequence_id


def _cut_short(state: VehicleState, order: Order) -> bool:
    return state.idle and state.last_sequence != order.nodes[-1].sequence_id


def _refusals(state: VehicleState | None, order: Order) -> list[Fault]:
    """Return what a vehicle has against an order; the references name it, where there are any."""
    if state is None:
        return []
    return [
        fault
        for fault in state.faults
        if fault.kind in _OURS
        and fault.references.get("orderId", order.order_id) == order.order_id
        and fault.references.get("orderUpdateId", str(order.update_id)) == str(order.update_id)
    ]


def _key(fault: Fault) -> str:
    return f"{fault.kind} {fault.text}"


def _complaints(state: VehicleState | None, order: Order) -> frozenset[str]:
    """Return those of before, which are not about what is sent now."""
    return frozenset(_key(fault) for fault in _refusals(state, order) if not fault.references)
