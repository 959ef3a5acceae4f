"""The adapter: the Tags face of one OPC UA server."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import ClassVar, Self

from msgspec import structs
from pydantic import BaseModel

from millhand.contracts import (
    Discovery,
    Health,
    Link,
    Permit,
    Sample,
    TagInfo,
    WriteResult,
)
from millhand.errors import ConfigError, NotAllowed, Unavailable
from millhand.messages import tr
from millhand_opcua.addresses import Address
from millhand_opcua.browsing import browse
from millhand_opcua.config import OpcUaConfig, OpcUaTag
from millhand_opcua.connection import Connection
from millhand_opcua.faults import Fault, LinkLost
from millhand_opcua.reading import Reader
from millhand_opcua.subscribing import Feed
from millhand_opcua.writing import Writer


class OpcUa:
    """Tags of one OPC UA server.

    Args:
        name: name of the device in the scenario; permits are made out to it.
        config: address, protection and limits.
        tags: the scenario's tags by name.

    Raises:
        ConfigError: a tag has a short node id and no namespace is given.
    """

    Config: ClassVar[type[BaseModel]] = OpcUaConfig
    Tag: ClassVar[type[BaseModel]] = OpcUaTag

    def __init__(self, name: str, config: OpcUaConfig, tags: Mapping[str, OpcUaTag]) -> None:
        if not config.namespace:
            for tag_name, tag in tags.items():
                if not Address.parse(tag.node).uri:
                    raise ConfigError(
                        tr(
                            "{device}: {tag} has the short node id {node}, and the device has no "
                            "namespace.",
                            device=name,
                            tag=tag_name,
                            node=tag.node,
                        ),
                        mend=tr("Set namespace to the URI of the namespace on the server."),
                    )
        self._config = config
        self._connection = Connection(name, config, tags)
        self._reader = Reader(self._connection)
        self._writer = Writer(name, self._connection)
        self._feeds: dict[asyncio.Task[None], Feed] = {}
        self._dropped = 0

    async def __aenter__(self) -> Self:
        await self._connection.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await _end(list(self._feeds))
        finally:
            await self._connection.stop()

    def health(self) -> Health:
        """Say how the link is, at once and without I/O."""
        return self._connection.health

    @property
    def dropped_samples(self) -> int:
        """Samples lost so far because readers of subscriptions were slow."""
        return self._dropped + sum(feed.queue.dropped for feed in self._feeds.values())

    async def wait_connected(self, timeout_s: float) -> None:
        """Return when the link is up.

        Raises:
            NotAllowed: the server, or our trust in it, says no.
            Unavailable: not up within ``timeout_s``.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while (health := self.health()).link is not Link.UP:
                    if health.link is Link.REFUSED:
                        raise NotAllowed(health.detail, mend=health.mend)
                    await self._connection.change()
        except TimeoutError:
            raise Unavailable(
                self.health().detail or tr("{url} is not connected yet.", url=self._config.url)
            ) from None

    async def browse(self) -> Sequence[TagInfo]:
        """List the variables in the configured namespace (in all but the standard one if none).

        Raises:
            NotAllowed: the link is refused.
            Unavailable: there is no link, or it was lost meanwhile.
        """
        await self.wait_connected(self._config.connect_timeout_s)
        online = self._connection.online
        if online is None:
            raise Unavailable(self.health().detail)
        try:
            return await browse(online.session, self._config.namespace)
        except (LinkLost, Fault) as error:
            raise Unavailable(str(error)) from None

    async def discover(self) -> Discovery:
        """Browse, and shorten the addresses by the namespace that holds most of them.

        Raises:
            NotAllowed: the link is refused.
            Unavailable: there is no link, or it was lost meanwhile.
        """
        found = await self.browse()
        if self._config.namespace or not found:
            return Discovery(options=_namespace(self._config.namespace), tags=tuple(found))
        uris = Counter(Address.parse(info.address).uri for info in found)
        ((commonest, _),) = uris.most_common(1)
        prefix = f"nsu={commonest};"
        return Discovery(
            options=_namespace(commonest),
            tags=tuple(
                structs.replace(info, address=info.address.removeprefix(prefix)) for info in found
            ),
        )

    async def read(self, tags: Sequence[str]) -> Sequence[Sample]:
        """Read ``tags`` in order, one sample for each; ``DISCONNECTED`` without a link."""
        return await self._reader.read(tags)

    async def write(self, permit: Permit) -> WriteResult:
        """Check, coerce, redeem, send; see :meth:`millhand.contracts.Tags.write`.

        ``SENT`` is the best outcome: that the controller took it over, only it can say.

        Raises:
            NotAllowed: the permit could not be redeemed; nothing was sent.
        """
        return await self._writer.write(permit)

    async def subscribe(
        self, tags: Sequence[str], interval_s: float
    ) -> AsyncIterator[Sequence[Sample]]:
        """Yield all ``tags``, then those that changed; ends when the adapter is left."""
        feed = Feed(self._connection, self._reader, tags, interval_s, self._config.queue_limit)
        task = asyncio.create_task(feed.run(), name="opcua feed")
        self._feeds[task] = feed
        try:
            while (batch := await feed.queue.get()) is not None:
                yield batch
        finally:
            await _end([task])
            del self._feeds[task]
            self._dropped += feed.queue.dropped

    def effective_interval_s(self, interval_s: float) -> float:
        """Say how stale a change can really be: the interval, or the server's own slowness."""
        online = self._connection.online
        round_trip_s = online.session.round_trip_s if online else 0.0
        return max(interval_s, round_trip_s) + round_trip_s


def _namespace(uri: str) -> dict[str, str]:
    return {"namespace": uri} if uri else {}


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
