"""Keep a session with a broker: connect, subscribe, notice its end, connect again, for ever."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog

from millhand.contracts import ConnectionFault, Health, Link
from millhand.errors import NeedsPerson, NotAllowed, Unavailable
from millhand.links import LinkHealth
from millhand.messages import tr
from millhand_mqtt.broker import BrokerConfig
from millhand_mqtt.faults import Refused
from millhand_mqtt.session import Delivery, Message, Receipt, Session, Will

_FIRST_RETRY_S = 0.1
_STAYED_S = 2.0
"""A session that lived this long and as long as connecting may take was a good one."""

log = structlog.get_logger(__name__)


class BrokerLink:
    """The link to one broker.

    Args:
        name: name of the device in the scenario.
        config: the broker.
        filters: topic filters to subscribe to in each session.
        on_message: gets each message, on the loop; must be quick.
        on_session: called with the session's number before anything arrives in it.
        settle: awaited after subscribing, before the link counts as up: a place to wait for
            retained messages.
        on_change: called at once when the link's state has changed.
        will: what the broker says in our name when we vanish.
    """

    def __init__(
        self,
        name: str,
        config: BrokerConfig,
        filters: Sequence[str],
        on_message: Callable[[Message], None],
        *,
        on_session: Callable[[int], None] | None = None,
        settle: Callable[[], Coroutine[Any, Any, None]] | None = None,
        on_change: Callable[[Health], None] | None = None,
        will: Will | None = None,
    ) -> None:
        self.refused: Mapping[str, str] = {}
        """Topic filters that the broker refuses, with its words."""
        self.oversized = 0
        """Messages dropped because they were larger than ``max_message``."""
        self._name = name
        self._config = config
        self._filters = list(filters)
        self._on_message = on_message
        self._on_session = on_session
        self._settle = settle
        self._will = will
        self._client_id = config.client_id or f"millhand-{name}-{secrets.token_hex(4)}"
        self._session: Session | None = None
        self._link = LinkHealth(name, on_change)
        self._task: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> int:
        """Number of the session; 0 before the first."""
        return self._link.epoch

    @property
    def health(self) -> Health:
        """How the link is now."""
        return self._link.now

    @property
    def up(self) -> bool:
        """Whether something published now would leave."""
        return self._link.now.link is Link.UP and self._session is not None and self._session.alive

    async def start(self) -> None:
        """Keep connecting in the background."""
        self._task = asyncio.create_task(self._run(), name=f"mqtt {self._name}")

    async def stop(self, *, orderly: bool = True) -> None:
        """End the session; works even when cancelled.

        Orderly means with a word of good-bye, so that the broker does not publish the will.
        """
        task, self._task = self._task, None
        if task is None:
            return
        if not orderly and self._session is not None:
            self._session.lose(tr("closed"))
        task.cancel()
        try:
            await asyncio.gather(task, return_exceptions=True)
        finally:
            self._link.close()

    async def change(self) -> None:
        """Return when the health has changed."""
        await self._link.change()

    async def wait_connected(self, timeout_s: float) -> None:
        """Return when the link is up.

        Raises:
            NotAllowed: the broker, or our trust in it, says no.
            Unavailable: not up within ``timeout_s``.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while (health := self._link.now).link is not Link.UP:
                    if health.link is Link.REFUSED:
                        raise NotAllowed(health.detail, mend=health.mend)
                    await self.change()
        except TimeoutError:
            raise Unavailable(
                self._link.now.detail or tr("{url} is not connected yet.", url=self._config.url)
            ) from None

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False
    ) -> Receipt:
        """Publish in the present session; ``NOT_SENT`` where there is none. Sent at most once."""
        session = self._session
        if session is None or self._link.now.link is not Link.UP:
            return Receipt(Delivery.NOT_SENT, detail=self._link.now.detail)
        return await session.publish(topic, payload, qos=qos, retain=retain)

    # --- the background ---

    async def _run(self) -> None:
        retry_s = _FIRST_RETRY_S
        while True:
            came = time.monotonic()
            try:
                await self._one_session()
                pause_s = retry_s
            except NeedsPerson as error:
                fault = error.fault if isinstance(error, Refused) else ConnectionFault.CONFIGURATION
                self._link.set(Link.REFUSED, error.message, fault, error.mend)
                pause_s = self._config.refused_retry_s
            except Unavailable as error:
                self._link.set(Link.DOWN, str(error), ConnectionFault.NETWORK)
                pause_s = retry_s
            except Exception as error:
                log.exception("link_failed", device=self._name)
                self._link.set(Link.DOWN, tr("A bug ended the connection: {error}", error=error))
                pause_s = self._config.retry_limit_s
            stayed = time.monotonic() - came > _STAYED_S + self._config.connect_timeout_s
            retry_s = _FIRST_RETRY_S if stayed else min(retry_s * 2, self._config.retry_limit_s)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  jitter

    async def _one_session(self) -> None:
        session = Session(self._config, self._client_id, self._on_message)
        try:
            await session.open(self._will)
            self._link.epoch += 1
            if self._on_session is not None:
                self._on_session(self.epoch)
            self.refused = await session.subscribe(self._filters) if self._filters else {}
            await self._settle_in(session)
            if session.alive:
                self._session = session
                self._link.set(Link.UP, self._troubles())
                await session.wait_ended()
        finally:
            self._session = None
            self.oversized += session.oversized
            if session.alive:
                await session.close()
        self._link.set(Link.DOWN, session.reason, ConnectionFault.NETWORK)

    async def _settle_in(self, session: Session) -> None:
        if self._settle is None:
            return
        settling = asyncio.ensure_future(self._settle())
        ended = asyncio.ensure_future(session.wait_ended())
        try:
            await asyncio.wait({settling, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            settling.cancel()
            ended.cancel()
            await asyncio.gather(settling, ended, return_exceptions=True)

    def _troubles(self) -> str:
        return "; ".join(
            tr("{topic}: the broker refuses the subscription: {reason}", topic=topic, reason=reason)
            for topic, reason in self.refused.items()
        )
