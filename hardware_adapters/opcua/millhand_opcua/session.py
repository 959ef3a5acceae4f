"""One session with a server: requests, and the one place where its end is noticed.

asyncua's ``Client`` opens the channel and the session; requests then go straight to its socket
protocol, without its reconnecting, its watchdogs and its publish loop, which log much and cannot
tell whether a request had left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_client import UASocketProtocol
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import struct_from_binary
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from millhand.messages import tr
from millhand_opcua import status
from millhand_opcua.addresses import standard_node
from millhand_opcua.cancelling import cancellation_kept
from millhand_opcua.faults import Fault, LinkLost
from millhand_opcua.quiet import quietly

R = TypeVar("R")

_RENEW_AT = 0.75
"""Part of a secure channel's life after which it is renewed (OPC UA Part 4, 5.5.2)."""

SERVER_STATE = standard_node(ObjectIds.Server_ServerStatus_State)
NAMESPACES = standard_node(ObjectIds.Server_NamespaceArray)
_LIMITS = {
    "read": ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
    "write": ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerWrite,
    "browse": ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
    "monitor": ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
}


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Most nodes in one request, by service."""

    read: int
    write: int
    browse: int
    monitor: int


class Session:
    """An activated session. It ends once, by :meth:`lose` or :meth:`close`, for good."""

    def __init__(
        self, client: Client, epoch: int, max_batch: int, request_timeout_s: float
    ) -> None:
        protocol = client.uaclient.protocol
        if protocol is None:
            raise LinkLost(tr("the server closed the connection"))
        protocol.timeout = request_timeout_s
        self.epoch = epoch
        self.limits = BatchLimits(max_batch, max_batch, max_batch, max_batch)
        self.namespaces: list[str] = []
        self.reason = ""
        """Why the session ended."""
        self.round_trip_s = 0.0
        """A slowly forgetting maximum of how long answers took."""
        self._client = client
        self._protocol: UASocketProtocol = protocol
        self._heard_at = time.monotonic()
        self._sleepers: set[asyncio.Future[None]] = set()
        self._urgent: set[asyncio.Future[None]] = set()
        self._lost = asyncio.Event()
        self._closed = asyncio.Event()
        self._renew_at = time.monotonic() + _RENEW_AT * client.secure_channel_timeout / 1000
        client.uaclient.pre_request_hook = None
        protocol.on_connection_lost = self._connection_lost

    @property
    def alive(self) -> bool:
        """Whether a request would leave this machine."""
        return not self._lost.is_set() and self._protocol.transport is not None

    async def request(self, request: Any, answer: type[R], timeout_s: float | None = None) -> R:
        """Send one request and wait for its answer. 0 s waits without limit.

        The request is on its way (or :class:`LinkLost` raised) before this first suspends.

        Raises:
            LinkLost: no answer; the session has ended.
            Fault: the server answered with a bad status as a whole.
        """
        if self._lost.is_set():
            raise LinkLost(self.reason)
        request.RequestHeader.Timestamp = datetime.now(UTC)
        started = time.monotonic()
        try:
            with quietly(), cancellation_kept():
                data = await self._protocol.send_request(request, timeout_s)
        except TimeoutError:
            waited = self._protocol.timeout if timeout_s is None else timeout_s
            self.lose(tr("no answer within {seconds} s", seconds=waited))
            raise LinkLost(self.reason) from None
        except UaStatusCodeError as error:
            raise self._fault(error.code) from None
        except OSError as error:
            self.lose(str(error) or type(error).__name__)
            raise LinkLost(self.reason) from None
        self._heard_at = time.monotonic()
        if timeout_s is None:
            self._note_round_trip(self._heard_at - started)
        try:
            response: Any = struct_from_binary(answer, data)
        except Exception:  # noqa: BLE001  the bytes come from outside; asyncua raises anything
            raise Fault(status.BAD_DECODING) from None
        code = response.ResponseHeader.ServiceResult.value
        if status.is_bad(code):
            raise self._fault(code)
        return response  # type: ignore[no-any-return]

    def _fault(self, code: int) -> Fault | LinkLost:
        if status.session_gone(code):
            self.lose(status.words(code))
            return LinkLost(self.reason)
        return Fault(code)

    def _note_round_trip(self, seconds: float) -> None:
        faded = 0.98 * self.round_trip_s + 0.02 * seconds
        self.round_trip_s = max(seconds, faded)

    async def read_attributes(
        self, wanted: Sequence[tuple[ua.NodeId, AttributeIds]]
    ) -> list[ua.DataValue]:
        """Read attributes of nodes, in as many requests as the server's limit asks for."""
        results: list[ua.DataValue] = []
        for start in range(0, len(wanted), self.limits.read):
            request = ua.ReadRequest()
            request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Neither
            request.Parameters.NodesToRead = [
                ua.ReadValueId(NodeId=node_id, AttributeId=attribute)
                for node_id, attribute in wanted[start : start + self.limits.read]
            ]
            response = await self.request(request, ua.ReadResponse)
            results += response.Results
        return results

    async def browse(self, descriptions: Sequence[ua.BrowseDescription]) -> list[ua.BrowseResult]:
        """Follow references from nodes, to the end of each list."""
        results: list[ua.BrowseResult] = []
        for start in range(0, len(descriptions), self.limits.browse):
            request = ua.BrowseRequest()
            request.Parameters.NodesToBrowse = list(
                descriptions[start : start + self.limits.browse]
            )
            response = await self.request(request, ua.BrowseResponse)
            for result in response.Results:
                await self._browse_on(result)
            results += response.Results
        return results

    async def _browse_on(self, result: ua.BrowseResult) -> None:
        point = result.ContinuationPoint
        while point:
            request = ua.BrowseNextRequest()
            request.Parameters.ContinuationPoints = [point]
            response = await self.request(request, ua.BrowseNextResponse)
            (more,) = response.Parameters.Results
            result.References = [*result.References, *more.References]
            point = more.ContinuationPoint

    async def supertypes(self, nodes: Sequence[ua.NodeId]) -> dict[ua.NodeId, ua.NodeId]:
        """Return the immediate supertype of each type node that has one."""
        results = await self.browse(
            [
                ua.BrowseDescription(
                    NodeId=node,
                    BrowseDirection=ua.BrowseDirection.Inverse,
                    ReferenceTypeId=standard_node(ObjectIds.HasSubtype),
                    IncludeSubtypes=True,
                    NodeClassMask=0,
                    ResultMask=0,
                )
                for node in nodes
            ]
        )
        return {
            node: result.References[0].NodeId
            for node, result in zip(nodes, results, strict=True)
            if result.References
        }

    async def learn_server(self) -> None:
        """Read the namespaces and the server's own batch limits."""
        wanted = [NAMESPACES, *(standard_node(number) for number in _LIMITS.values())]
        namespaces, *limits = await self.read_attributes(
            [(node, AttributeIds.Value) for node in wanted]
        )
        self.namespaces = list(namespaces.Value.Value or ()) if namespaces.Value else []
        own = self.limits
        offered = {
            service: answer.Value.Value if answer.Value else None
            for service, answer in zip(_LIMITS, limits, strict=True)
        }
        self.limits = BatchLimits(
            **{
                service: min(getattr(own, service), offered[service] or getattr(own, service))
                for service in _LIMITS
            }
        )

    async def watch(self, keepalive_s: float) -> None:
        """Return when the session has ended; probe the server whenever it was silent."""
        while not self._lost.is_set():
            now = time.monotonic()
            if now >= self._renew_at:
                await self._renew_channel()
            elif now - self._heard_at >= keepalive_s:
                await self._probe()
            else:
                await self.pause(min(self._renew_at, self._heard_at + keepalive_s) - now)

    async def _probe(self) -> None:
        try:
            await self.read_attributes([(SERVER_STATE, AttributeIds.Value)])
        except Fault:
            self._heard_at = time.monotonic()
        except LinkLost:
            pass

    async def _renew_channel(self) -> None:
        try:
            await self._client.open_secure_channel(renew=True)
            self._client.uaclient.revolve_security_token()
        except (OSError, TimeoutError, UaError) as error:
            self.lose(tr("the secure channel could not be renewed: {error}", error=error))
        lifetime_s = self._client.secure_channel_timeout / 1000
        self._renew_at = time.monotonic() + _RENEW_AT * lifetime_s

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than the session lives."""
        if seconds <= 0:
            return
        loop = asyncio.get_running_loop()
        sleeper: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, wake, sleeper)
        try:
            await self.until(sleeper)
        finally:
            timer.cancel()

    async def until(self, sleeper: asyncio.Future[None]) -> None:
        """Wait for ``sleeper``, but not longer than the session lives."""
        if self._lost.is_set():
            return
        self._sleepers.add(sleeper)
        try:
            await sleeper
        finally:
            self._sleepers.discard(sleeper)

    @contextmanager
    def going_first(self) -> Iterator[None]:
        """Hold polls back while the block runs, so that a write never queues behind one."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._urgent.add(done)
        try:
            yield
        finally:
            self._urgent.discard(done)
            wake(done)

    async def give_way(self) -> None:
        """Wait for the writes that are under way now, but not for later ones."""
        for done in tuple(self._urgent):
            sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.add_done_callback(partial(_wake_other, sleeper))
            await self.until(sleeper)

    def lose(self, reason: str) -> None:
        """End the session at once and drop the socket, with whatever it still had to send."""
        if self._lost.is_set():
            return
        self.reason = reason
        self._lost.set()
        for sleeper in self._sleepers:
            wake(sleeper)
        if self._protocol.transport is not None:
            self._protocol.transport.abort()
        else:
            self._closed.set()

    def _connection_lost(self, error: Exception | None) -> None:
        self._closed.set()
        self._client.uaclient.disconnect_socket()
        self.lose(str(error) if error else tr("the server closed the connection"))

    async def close(self, timeout_s: float) -> None:
        """Say goodbye if the server listens, and return when the socket is closed."""
        try:
            if self.alive:
                request = ua.CloseSessionRequest()
                request.DeleteSubscriptions = True
                await self.request(request, ua.CloseSessionResponse, timeout_s)
                await self._client.close_secure_channel()
        except (LinkLost, Fault, OSError, UaError):
            pass
        finally:
            self.lose(tr("closed"))
        await self._closed.wait()


def wake(sleeper: asyncio.Future[None]) -> None:
    """End a wait, if it has not ended yet."""
    if not sleeper.done():
        sleeper.set_result(None)


def _wake_other(sleeper: asyncio.Future[None], _done: asyncio.Future[None]) -> None:
    wake(sleeper)
