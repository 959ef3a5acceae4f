"""The adapter: the Tags face of the messages of one broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import ClassVar, Self

from pydantic import BaseModel

from millhand.contracts import (
    Health,
    Permit,
    Sample,
    TagInfo,
    Value,
    Write,
    WriteResult,
    WriteStatus,
)
from millhand.errors import InternalError
from millhand.messages import tr
from millhand_mqtt.board import Board
from millhand_mqtt.browsing import browse
from millhand_mqtt.config import MqttConfig, MqttTag
from millhand_mqtt.link import BrokerLink
from millhand_mqtt.payloads import DoesNotFit, message
from millhand_mqtt.session import Delivery

_OUTCOMES = {
    Delivery.ACKNOWLEDGED: WriteStatus.SENT,
    Delivery.REFUSED: WriteStatus.REJECTED,
    Delivery.NOT_SENT: WriteStatus.NOT_SENT,
    Delivery.UNKNOWN: WriteStatus.UNKNOWN,
}


class Mqtt:
    """Tags in the messages of one broker.

    Args:
        name: name of the device in the scenario; permits are made out to it.
        config: address, protection and limits.
        tags: the scenario's tags by name.
    """

    Config: ClassVar[type[BaseModel]] = MqttConfig
    Tag: ClassVar[type[BaseModel]] = MqttTag

    def __init__(self, name: str, config: MqttConfig, tags: Mapping[str, MqttTag]) -> None:
        self._name = name
        self._config = config
        self._tags = dict(tags)
        self._board = Board(tags, config.queue_limit)
        self._link = BrokerLink(
            name,
            config,
            self._board.topics,
            self._board.arrived,
            on_session=self._board.begin,
            settle=lambda: self._board.settle(config.retained_wait_s),
            on_change=self._board.link_changed,
        )
        self._aging: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._link.start()
        if (period_s := self._board.stale_period_s) is not None:
            self._aging = asyncio.create_task(self._age(period_s), name=f"mqtt {self._name} ages")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._aging is not None:
                self._aging.cancel()
                await asyncio.gather(self._aging, return_exceptions=True)
        finally:
            self._board.close()
            await self._link.stop()

    async def _age(self, period_s: float) -> None:
        while True:
            await asyncio.sleep(period_s)
            self._board.grow_stale()

    def health(self) -> Health:
        """Say how the link is, at once and without I/O."""
        return self._link.health

    @property
    def dropped_samples(self) -> int:
        """Samples lost so far because readers of subscriptions were slow."""
        return self._board.dropped_samples

    async def wait_connected(self, timeout_s: float) -> None:
        """Return when the link is up.

        Raises:
            NotAllowed: the broker, or our trust in it, says no.
            Unavailable: not up within ``timeout_s``.
        """
        await self._link.wait_connected(timeout_s)

    async def browse(self) -> Sequence[TagInfo]:
        """Listen for ``browse_s`` and list the topics that spoke, with the values in them.

        Raises:
            NotAllowed: the broker says no.
            Unavailable: there is no link.
        """
        return await browse(self._name, self._config)

    async def read(self, tags: Sequence[str]) -> Sequence[Sample]:
        """Return the last word on each tag; see :meth:`millhand.contracts.Tags.read`.

        MQTT has no reading; nothing is asked of anybody.
        """
        return self._board.now(tags)

    async def write(self, permit: Permit) -> WriteResult:
        """Check, redeem, publish with QoS 1; see :meth:`millhand.contracts.Tags.write`.

        ``SENT`` is the best outcome: the broker has it. That the device took it over, only the
        device can say.

        Raises:
            NotAllowed: the permit could not be redeemed; nothing was sent.
        """
        writes = permit.writes
        try:
            messages = [self._message(write) for write in writes]
        except DoesNotFit as misfit:
            return _result(WriteStatus.REJECTED, detail=str(misfit))
        async with self._turn:
            if not self._link.up:
                return _result(WriteStatus.NOT_SENT, detail=self.health().detail)
            if permit.redeem(self._name) != writes:
                raise InternalError(tr("A permit gave out other writes than it showed."))
            return await self._send(writes, messages)

    def _message(self, write: Write) -> tuple[bytes, Value]:
        tag = self._tags.get(write.tag)
        if tag is None:
            raise DoesNotFit(tr("{tag}: no such tag in the scenario", tag=write.tag))
        try:
            return message(tag, write.value)
        except DoesNotFit as misfit:
            raise DoesNotFit(tr("{tag}: {reason}", tag=write.tag, reason=misfit)) from None

    async def _send(
        self, writes: Sequence[Write], messages: Sequence[tuple[bytes, Value]]
    ) -> WriteResult:
        """Publish in order, each only after the one before was acknowledged."""
        sent: list[Value] = []
        for write, (payload, value) in zip(writes, messages, strict=True):
            target = self._tags[write.tag].write
            assert target is not None
            receipt = await self._link.publish(target.topic, payload, retain=target.retain)
            if receipt.delivery is not Delivery.NOT_SENT:
                sent.append(value)
            if receipt.delivery is not Delivery.ACKNOWLEDGED:
                detail = tr("{tag}: {reason}", tag=write.tag, reason=receipt.detail)
                status = _OUTCOMES[receipt.delivery]
                if status is WriteStatus.NOT_SENT and sent:
                    # Others are out; no other word would be the truth.
                    status = WriteStatus.UNKNOWN
                return _result(status, receipt.code, detail=detail, sent=tuple(sent))
        return _result(WriteStatus.SENT, sent=tuple(sent))

    async def subscribe(
        self, tags: Sequence[str], interval_s: float
    ) -> AsyncIterator[Sequence[Sample]]:
        """Yield all ``tags``, then those that changed; ends when the adapter is left.

        Messages are handed on as they come, whatever the interval.
        """
        del interval_s
        queue = self._board.follow(tags)
        try:
            while (batch := await queue.get()) is not None:
                yield batch
        finally:
            self._board.leave(queue)

    def effective_interval_s(self, interval_s: float) -> float:
        """Return 0: changes are pushed. How old they are by then, only the publisher can say."""
        del interval_s
        return 0.0


def _result(
    outcome: WriteStatus, code: int = 0, *, detail: str = "", sent: tuple[Value, ...] = ()
) -> WriteResult:
    return WriteResult(
        status=outcome,
        status_code=code,
        detail=detail,
        sent=sent,
        finished_monotonic_ns=time.monotonic_ns(),
    )
