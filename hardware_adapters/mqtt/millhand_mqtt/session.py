"""One session with a broker: paho's protocol over a socket of the running loop.

A session lives from one connect to the next loss and is never used again; nothing that was
published in it can therefore be sent a second time by the library. The session is clean: what
the broker kept for an earlier one is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from millhand.errors import InternalError
from millhand.messages import tr
from millhand_mqtt.broker import BrokerConfig, Protocol
from millhand_mqtt.faults import FAILURE, LinkLost, from_connack
from millhand_mqtt.sockets import open_socket

MAX_IN_FLIGHT = 20
"""Most messages of QoS 1 that wait for the broker's acknowledgement at a time."""
_UNSPECIFIED = 0x80
_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)

log = structlog.get_logger(__name__)


class Message(NamedTuple):
    """What arrived."""

    topic: str
    payload: bytes
    retained: bool
    """Kept by the broker from before we subscribed: old news."""
    utc_ns: int
    monotonic_ns: int


class Will(NamedTuple):
    """What the broker says in our name when we vanish."""

    topic: str
    payload: bytes
    retain: bool = True


class Delivery(StrEnum):
    """How a publication ended."""

    ACKNOWLEDGED = "acknowledged"
    """The broker has it (QoS 1), or it left (QoS 0)."""
    REFUSED = "refused"
    """The broker does not take it; nobody gets it."""
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    """It left, no acknowledgement came. It may still arrive; never sent again by itself."""


class Receipt(NamedTuple):
    """How a publication ended, and the broker's word on it."""

    delivery: Delivery
    code: int = 0
    detail: str = ""


class _Client(paho.Client):
    """paho over a socket that is connected already."""

    given: socket.socket | None = None

    def _create_socket(self) -> Any:
        return self.given


class Session:
    """One connection to the broker."""

    def __init__(
        self, config: BrokerConfig, client_id: str, on_message: Callable[[Message], None]
    ) -> None:
        self.reason = ""
        self.oversized = 0
        """Messages larger than ``max_message`` that were not looked at."""
        self._config = config
        self._on_message = on_message
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._connected: asyncio.Future[ReasonCode] = self._loop.create_future()
        self._acknowledgements: dict[int, asyncio.Future[ReasonCode | None]] = {}
        self._subscriptions: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._beat: asyncio.TimerHandle | None = None
        self._socket: socket.socket | None = None
        self._client = self._build(client_id)

    def _build(self, client_id: str) -> _Client:
        five = self._config.protocol is Protocol.V5
        client = _Client(
            callback_api_version=CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=paho.MQTTv5 if five else paho.MQTTv311,
            clean_session=None if five else True,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(MAX_IN_FLIGHT)
        if self._config.user:
            password = self._config.password.get_secret_value()
            client.username_pw_set(self._config.user, password or None)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_arrival
        client.on_socket_close = lambda *_: self._detach()
        client.on_socket_register_write = lambda *_: self._want_to_write()
        client.on_socket_unregister_write = lambda *_: self._written()
        return client

    @property
    def alive(self) -> bool:
        """Whether anything can still be sent."""
        return not self._ended.is_set()

    async def open(self, will: Will | None) -> None:
        """Connect and log in.

        Raises:
            LinkLost: nobody answers, or not in time.
            Refused: log-in, protocol or certificate.
        """
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                await self._open(will)
        except TimeoutError:
            self.lose(tr("no answer"))
            raise LinkLost(tr("{url} does not answer.", url=self._config.url)) from None
        except BaseException:
            self.lose(tr("not connected"))
            raise

    async def _open(self, will: Will | None) -> None:
        self._socket = self._client.given = await open_socket(self._config)
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        self._loop.add_reader(self._socket.fileno(), self._readable)
        five = self._config.protocol is Protocol.V5
        code = self._client.connect(
            self._config.host,
            self._config.port,
            keepalive=self._config.keepalive_s,
            clean_start=five or paho.MQTT_CLEAN_START_FIRST_ONLY,
            properties=self._properties(),
        )
        if self._client.socket() is not self._socket and code == MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise InternalError(tr("paho-mqtt opened a connection of its own."))
        answer = await self._connected
        if answer.value >= FAILURE:
            raise from_connack(answer, self._config.url)
        self._tick()

    def _properties(self) -> Properties | None:
        if self._config.protocol is not Protocol.V5:
            return None
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        properties.MaximumPacketSize = self._config.max_message
        return properties

    # --- asking the broker ---

    async def subscribe(self, filters: Sequence[str]) -> Mapping[str, str]:
        """Subscribe with QoS 1; return the filters that the broker refuses, with its words.

        Raises:
            LinkLost: no answer.
        """
        refused: dict[str, str] = {}
        for start in range(0, len(filters), 100):
            part = filters[start : start + 100]
            code, mid = self._client.subscribe([(one, 1) for one in part])
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
                raise self._lost()
            answer: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
            self._subscriptions[mid] = answer
            try:
                async with asyncio.timeout(self._config.request_timeout_s):
                    codes = await answer
            except TimeoutError:
                self.lose(tr("{url} does not answer.", url=self._config.url))
                raise self._lost() from None
            finally:
                self._subscriptions.pop(mid, None)
            refused |= {
                one: str(reason)
                for one, reason in zip(part, codes, strict=False)
                if reason.value >= FAILURE
            }
        return refused

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False
    ) -> Receipt:
        """Publish once, and wait for the acknowledgement where ``qos`` is 1; never raises for it.

        No acknowledgement within ``request_timeout_s`` is ``UNKNOWN`` and ends the session, so
        that what still waits in the socket is not delivered when the broker comes to itself.
        """
        try:
            async with asyncio.timeout(self._config.request_timeout_s):
                await self._slots.acquire()
        except TimeoutError:
            return Receipt(Delivery.NOT_SENT, detail=tr("Too many messages wait for the broker."))
        try:
            return await self._publish(topic, payload, qos=qos, retain=retain)
        finally:
            self._slots.release()

    async def _publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> Receipt:
        if not self.alive:
            return Receipt(Delivery.NOT_SENT, detail=self.reason)
        try:
            info = self._client.publish(topic, payload, qos=qos, retain=retain)
        except ValueError as error:
            return Receipt(Delivery.NOT_SENT, detail=str(error))
        if info.rc == MQTTErrorCode.MQTT_ERR_NO_CONN:
            return Receipt(Delivery.NOT_SENT, detail=self.reason or str(info.rc.name))
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS or not self.alive:
            return Receipt(Delivery.UNKNOWN, detail=self.reason or str(info.rc.name))
        if qos == 0:
            return Receipt(Delivery.ACKNOWLEDGED)
        answer: asyncio.Future[ReasonCode | None] = self._loop.create_future()
        self._acknowledgements[info.mid] = answer
        try:
            async with asyncio.timeout(self._config.request_timeout_s):
                code = await answer
        except TimeoutError:
            detail = tr("{url} does not acknowledge.", url=self._config.url)
            self.lose(detail)
            return Receipt(Delivery.UNKNOWN, detail=detail)
        finally:
            self._acknowledgements.pop(info.mid, None)
        if code is None:
            return Receipt(Delivery.UNKNOWN, detail=self.reason)
        if code.value >= FAILURE:
            return Receipt(Delivery.REFUSED, code.value, str(code))
        return Receipt(Delivery.ACKNOWLEDGED, code.value)

    def _lost(self) -> LinkLost:
        return LinkLost(self.reason or tr("The connection was lost."))

    # --- the end ---

    async def wait_ended(self) -> None:
        """Return when the session is over."""
        await self._ended.wait()

    async def close(self) -> None:
        """Say good-bye, so that the broker does not publish the will; then end."""
        if self.alive and self._socket is not None:
            with contextlib.suppress(OSError, ValueError):
                self._client.disconnect()
        self.lose(tr("closed"))

    def lose(self, reason: str) -> None:
        """End now; whatever waits for an answer gets none."""
        if not self.alive:
            return
        self.reason = reason
        self._ended.set()
        self._detach()
        if self._socket is not None:
            self._socket.close()
        if not self._connected.done():
            self._connected.cancel()
        for acknowledgement in list(self._acknowledgements.values()):
            if not acknowledgement.done():
                acknowledgement.set_result(None)
        for subscription in list(self._subscriptions.values()):
            if not subscription.done():
                subscription.set_exception(self._lost())

    def _detach(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        if self._socket is not None and (number := self._socket.fileno()) >= 0:
            self._loop.remove_reader(number)
            self._loop.remove_writer(number)

    # --- the socket ---

    def _readable(self) -> None:
        assert self._socket is not None
        if _QUICK_ACK is not None:
            # A broker without TCP_NODELAY holds its next small packet until we acknowledge.
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        try:
            code = self._client.loop_read()
            while code == MQTTErrorCode.MQTT_ERR_SUCCESS and self._pending():
                code = self._client.loop_read()
        except Exception as error:  # noqa: BLE001  paho raises all kinds on what is no MQTT
            text = tr("What {url} sent is no MQTT: {reason}.", url=self._config.url, reason=error)
            if not self._connected.done():
                self._connected.set_exception(LinkLost(text))
            self.lose(text)
            return
        if code not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_AGAIN):
            self.lose(self.reason or self._words(code))

    def _pending(self) -> bool:
        pending = getattr(self._socket, "pending", None)
        return pending is not None and self.alive and pending() > 0

    def _want_to_write(self) -> None:
        if self.alive and self._socket is not None:
            self._loop.add_writer(self._socket.fileno(), self._writable)

    def _written(self) -> None:
        if self._socket is not None and (number := self._socket.fileno()) >= 0:
            self._loop.remove_writer(number)

    def _writable(self) -> None:
        code = self._client.loop_write()
        if code not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_AGAIN):
            self.lose(self._words(code))

    def _tick(self) -> None:
        """Let paho probe a silent broker, and give it up when it stays silent."""
        if not self.alive:
            return
        self._client.loop_misc()
        if self.alive:
            self._beat = self._loop.call_later(min(0.5, self._config.keepalive_s / 4), self._tick)

    def _words(self, code: MQTTErrorCode) -> str:
        return tr(
            "The connection to {url} was lost: {reason}",
            url=self._config.url,
            reason=paho.error_string(code),
        )

    # --- what paho says ---

    def _on_connect(
        self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any
    ) -> None:
        if not self._connected.done():
            self._connected.set_result(code)

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any
    ) -> None:
        reason = tr("the broker closed it") if code.value == _UNSPECIFIED else str(code)
        text = tr("The connection to {url} was lost: {reason}", url=self._config.url, reason=reason)
        if not self._connected.done():
            self._connected.set_exception(LinkLost(text))
        self.lose(text)

    def _on_subscribe(
        self, _client: Any, _data: Any, mid: int, codes: list[ReasonCode], _properties: Any
    ) -> None:
        waiting = self._subscriptions.get(mid)
        if waiting is not None and not waiting.done():
            waiting.set_result(codes)

    def _on_publish(
        self, _client: Any, _data: Any, mid: int, code: ReasonCode, _properties: Any
    ) -> None:
        waiting = self._acknowledgements.get(mid)
        if waiting is not None and not waiting.done():
            waiting.set_result(code)

    def _on_arrival(self, _client: Any, _data: Any, arrived: paho.MQTTMessage) -> None:
        if len(arrived.payload) > self._config.max_message:
            self.oversized += 1
            return
        try:
            topic = arrived.topic
        except UnicodeDecodeError:
            return
        message = Message(
            topic, bytes(arrived.payload), arrived.retain, time.time_ns(), time.monotonic_ns()
        )
        try:
            self._on_message(message)
        except Exception:
            log.exception("message_not_handled", topic=topic)
