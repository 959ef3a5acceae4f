"""A simulated vehicle at a broker: its connection, its topics, its good and bad habits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from millhand.contracts import Health, Link
from millhand_mqtt.broker import BrokerConfig
from millhand_mqtt.link import BrokerLink
from millhand_mqtt.session import Message, Will
from millhand_vda5050.dialects import Header, dialect
from millhand_vda5050.model import Position, Presence, VehicleState
from millhand_vda5050.simulated.vehicle import SimulatedVehicle
from millhand_vda5050.wire.codec import Malformed, Topic, Version


class Lie(StrEnum):
    """What a vehicle may say that is not so."""

    PLACE = "place"
    """It is somewhere else altogether."""
    BACK = "back"
    """It went back in its order."""
    NODE = "node"
    """It passed another node than its order has there."""
    ORDER = "order"
    """It drives an order that nobody gave it."""
    CHARGE = "charge"
    """Its battery is full."""
    UPDATE = "update"
    """It has a newer update than there is."""


class VehicleAtBroker:
    """Connects one vehicle, with a last will of its own.

    Args:
        vehicle: what it is.
        config: the broker.
        version: of the protocol.
        interface: first level of its topics.
        manufacturer: second but one.
    """

    def __init__(
        self,
        vehicle: SimulatedVehicle,
        config: BrokerConfig,
        *,
        version: Version = Version.V2,
        interface: str = "uagv",
        manufacturer: str = "millhand",
    ) -> None:
        self.vehicle = vehicle
        self.lie: Lie | None = None
        self.deaf = False
        """Messages from fleet control do not reach it."""
        self.malformed = 0
        """Messages from fleet control that the schema does not allow."""
        self.sent = 0
        self._dialect = dialect(version)
        self._manufacturer = manufacturer
        self._prefix = f"{interface}/{version.major}/{manufacturer}/{vehicle.serial}"
        self._headers: dict[Topic, int] = {}
        self._last_state = b""
        self._tasks: set[asyncio.Task[None]] = set()
        will = self._dialect.connection(self._header(Topic.CONNECTION), Presence.BROKEN)
        self.link = BrokerLink(
            vehicle.serial,
            config,
            [self.topic(Topic.ORDER), self.topic(Topic.INSTANT_ACTIONS)],
            self._arrived,
            on_change=self._link_changed,
            will=Will(self.topic(Topic.CONNECTION), will),
        )

    def topic(self, topic: Topic) -> str:
        """Return one of its topics."""
        return f"{self._prefix}/{topic}"

    async def start(self) -> None:
        """Connect, and stay connected."""
        await self.link.start()

    async def stop(self) -> None:
        """Say good-bye."""
        message = self._dialect.connection(self._header(Topic.CONNECTION), Presence.OFFLINE)
        await self.link.publish(self.topic(Topic.CONNECTION), message, retain=True)
        await self.link.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def vanish(self) -> None:
        """Be gone without a word, as when the radio fails."""
        await self.link.stop(orderly=False)

    def _link_changed(self, health: Health) -> None:
        if health.link is Link.UP:
            self._spawn(self._announce())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _announce(self) -> None:
        online = self._dialect.connection(self._header(Topic.CONNECTION), Presence.ONLINE)
        await self.link.publish(self.topic(Topic.CONNECTION), online, retain=True)
        facts = self._dialect.factsheet(self._header(Topic.FACTSHEET), self.vehicle.limits)
        await self.link.publish(self.topic(Topic.FACTSHEET), facts, retain=True)
        await self.tell()

    # --- what comes ---

    def _arrived(self, message: Message) -> None:
        if self.deaf:
            return
        try:
            if message.topic == self.topic(Topic.ORDER):
                _, order = self._dialect.read_order(message.payload)
                self.vehicle.take_order(order)
            else:
                _, actions = self._dialect.read_instant_actions(message.payload)
                self.vehicle.take_actions(actions)
        except Malformed:
            self.malformed += 1

    # --- what goes ---

    async def tell(self) -> None:
        """Publish its state (QoS 0, as the protocol has it)."""
        self.vehicle.news = False
        header = self._header(Topic.STATE)
        state = self._distort(self.vehicle.state(header.header_id))
        self._last_state = self._dialect.state(header, state)
        self.sent += 1
        await self.link.publish(self.topic(Topic.STATE), self._last_state, qos=0)

    async def repeat(self) -> None:
        """Publish the last state again, as it was."""
        await self.link.publish(self.topic(Topic.STATE), self._last_state, qos=0)

    def _header(self, topic: Topic) -> Header:
        number = self._headers.get(topic, 0)
        self._headers[topic] = number + 1
        return Header(header_id=number, manufacturer=self._manufacturer, serial=self.vehicle.serial)

    def _distort(self, state: VehicleState) -> VehicleState:
        match self.lie:
            case None:
                return state
            case Lie.PLACE:
                return replace(state, position=Position(x=9e3, y=9e3, map_id=self.vehicle.map_id))
            case Lie.BACK:
                return replace(state, last_sequence=max(0, state.last_sequence - 2))
            case Lie.NODE:
                return replace(state, last_node="elsewhere")
            case Lie.ORDER:
                return replace(state, order_id="of somebody else")
            case Lie.CHARGE:
                return replace(state, charge_percent=100.0, charging=False)
            case Lie.UPDATE:
                return replace(state, update_id=state.update_id + 1)
