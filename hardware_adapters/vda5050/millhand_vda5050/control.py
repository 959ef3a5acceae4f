"""Fleet control: one connection for all vehicles, what they say, what is sent to them."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import structlog

from millhand_mqtt.link import BrokerLink
from millhand_mqtt.session import Message, Receipt
from millhand_vda5050.config import Vda5050Config
from millhand_vda5050.dialects import Header, dialect
from millhand_vda5050.model import Action, Order
from millhand_vda5050.tracking import Track
from millhand_vda5050.wire.codec import Malformed, Topic

_SHOWN = 5
"""Malformed messages of one vehicle that are logged in words; the rest is only counted."""

log = structlog.get_logger(__name__)


class FleetControl:
    """The fleet as this side of the broker sees it. Lives on the loop.

    Args:
        name: name of the device in the scenario.
        config: broker and vehicles.
        on_news: called with a vehicle's name when something of it has changed.
        on_link: called when the link went or came.
    """

    def __init__(
        self,
        name: str,
        config: Vda5050Config,
        on_news: Callable[[str], None],
        on_link: Callable[[], None],
    ) -> None:
        self.tracks: Mapping[str, Track] = {one: Track(one) for one in config.vehicles}
        self._config = config
        self._dialect = dialect(config.version)
        self._on_news = on_news
        self._news: dict[str, asyncio.Event] = {one: asyncio.Event() for one in config.vehicles}
        self._headers: dict[tuple[str, Topic], int] = defaultdict(int)
        self._by_topic = {
            self.topic(one, topic): (one, topic)
            for one in config.vehicles
            for topic in (Topic.STATE, Topic.CONNECTION, Topic.FACTSHEET)
        }
        self.link = BrokerLink(
            name,
            config,
            list(self._by_topic),
            self._arrived,
            on_session=self._new_session,
            on_change=lambda _health: on_link(),
        )

    def topic(self, vehicle: str, topic: Topic) -> str:
        """Return a vehicle's topic: interface/major/manufacturer/serial/topic."""
        manufacturer, serial = self._config.plate(vehicle)
        major = self._config.version.major
        return f"{self._config.interface}/{major}/{manufacturer}/{serial}/{topic}"

    def online(self, vehicle: str) -> bool:
        """Whether a vehicle is there: our link is up, it is announced and not silent."""
        return self.link.up and self.tracks[vehicle].online(
            time.monotonic_ns(), int(self._config.silent_after_s * 1e9)
        )

    async def news_of(self, vehicle: str, timeout_s: float) -> bool:
        """Wait for the next word of or about a vehicle; return False where none came in time."""
        event = self._news[vehicle]
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                await event.wait()
        except TimeoutError:
            return False
        return True

    def wake(self) -> None:
        """Let all who wait for news look again."""
        for vehicle in self._news:
            self._tell(vehicle)

    # --- sending ---

    async def send_order(self, vehicle: str, order: Order) -> Receipt:
        """Publish an order once."""
        header = self._header(vehicle, Topic.ORDER)
        self.tracks[vehicle].sent(order)
        payload = self._dialect.order(header, order)
        return await self.link.publish(self.topic(vehicle, Topic.ORDER), payload)

    async def send_actions(self, vehicle: str, actions: Sequence[Action]) -> Receipt:
        """Publish instant actions once."""
        header = self._header(vehicle, Topic.INSTANT_ACTIONS)
        payload = self._dialect.instant_actions(header, actions)
        return await self.link.publish(self.topic(vehicle, Topic.INSTANT_ACTIONS), payload)

    def _header(self, vehicle: str, topic: Topic) -> Header:
        number = self._headers[vehicle, topic]
        self._headers[vehicle, topic] = (number + 1) % 2**32
        manufacturer, serial = self._config.plate(vehicle)
        return Header(header_id=number, manufacturer=manufacturer, serial=serial)

    # --- hearing ---

    def _new_session(self, _epoch: int) -> None:
        """What a vehicle said of its presence is told again by the broker, which kept it."""
        for track in self.tracks.values():
            track.presence = None

    def _arrived(self, message: Message) -> None:
        found = self._by_topic.get(message.topic)
        if found is None:
            return
        vehicle, topic = found
        track = self.tracks[vehicle]
        try:
            news = self._take(track, topic, message)
        except Malformed as error:
            track.malformed += 1
            if track.malformed <= _SHOWN:
                log.warning("vehicle_message_malformed", vehicle=vehicle, reason=str(error))
            return
        if news:
            self._tell(vehicle)
            self._on_news(vehicle)

    def _take(self, track: Track, topic: Topic, message: Message) -> bool:
        if topic is Topic.STATE:
            doubted = bool(track.doubts)
            news = track.told(self._dialect.read_state(message.payload), message.monotonic_ns)
            if track.doubts and not doubted:
                log.warning(
                    "vehicle_doubted", vehicle=track.name, reasons="; ".join(track.doubts.values())
                )
            return news
        if topic is Topic.CONNECTION:
            _, presence = self._dialect.read_connection(message.payload)
            track.connected(presence)
            return True
        track.limits = self._dialect.read_factsheet(message.payload)
        return True

    def _tell(self, vehicle: str) -> None:
        event, self._news[vehicle] = self._news[vehicle], asyncio.Event()
        event.set()
