"""OPC UA subscriptions of one session: publish requests kept at the server, answers handed out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from millhand_opcua.faults import Fault, LinkLost
from millhand_opcua.session import Session

_REQUESTS_AT_SERVER = 2
"""Publish requests kept waiting at the server, so that it can always answer at once."""
_KEEPALIVE_S = 5.0
_LIFETIME_COUNT_FACTOR = 6
_QUEUE_AT_SERVER = 16
"""Values that the server keeps of a tag between two publications."""

Notify = Callable[[ua.NotificationMessage], None]


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription as the server granted it."""

    id: int
    interval_s: float
    """How stale a change can be: revised publishing plus the slowest revised sampling."""


class Publisher:
    """Owns the publish requests of a session while it has subscriptions."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._notify: dict[int, Notify] = {}
        self._acknowledge: list[ua.SubscriptionAcknowledgement] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def subscribe(
        self, nodes: Sequence[ua.NodeId], interval_s: float, notify: Notify
    ) -> Subscribed:
        """Monitor values; the position in ``nodes`` is the client handle.

        Raises:
            LinkLost: no answer.
            Fault: the server has no subscriptions, or no room for one more.
        """
        milliseconds = interval_s * 1000
        request = ua.CreateSubscriptionRequest()
        parameters = request.Parameters
        keepalive = max(1, round(_KEEPALIVE_S / interval_s))
        parameters.RequestedPublishingInterval = milliseconds / 2
        parameters.RequestedMaxKeepAliveCount = keepalive
        parameters.RequestedLifetimeCount = keepalive * _LIFETIME_COUNT_FACTOR
        parameters.MaxNotificationsPerPublish = 0
        parameters.PublishingEnabled = True
        answer = await self._session.request(request, ua.CreateSubscriptionResponse)
        granted = answer.Parameters
        self._notify[granted.SubscriptionId] = notify
        try:
            sampling = await self._monitor(granted.SubscriptionId, nodes, milliseconds / 2)
        except BaseException:
            self._notify.pop(granted.SubscriptionId, None)
            raise
        self._keep_publishing()
        return Subscribed(
            granted.SubscriptionId, (granted.RevisedPublishingInterval + sampling) / 1000
        )

    async def _monitor(
        self, subscription: int, nodes: Sequence[ua.NodeId], sampling_ms: float
    ) -> float:
        """Create the monitored items; return the slowest sampling in ms."""
        slowest = 0.0
        limit = self._session.limits.monitor
        for start in range(0, len(nodes), limit):
            request = ua.CreateMonitoredItemsRequest()
            request.Parameters.SubscriptionId = subscription
            request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
            request.Parameters.ItemsToCreate = [
                _item(node, start + offset, sampling_ms)
                for offset, node in enumerate(nodes[start : start + limit])
            ]
            answer = await self._session.request(request, ua.CreateMonitoredItemsResponse)
            for result in answer.Results:
                if result.StatusCode.is_good():
                    slowest = max(slowest, result.RevisedSamplingInterval)
        return slowest

    def _keep_publishing(self) -> None:
        while len(self._tasks) < _REQUESTS_AT_SERVER:
            task = asyncio.create_task(self._publish(), name="opcua publish")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _publish(self) -> None:
        while self._notify:
            request = ua.PublishRequest()
            request.Parameters.SubscriptionAcknowledgements = self._acknowledge
            self._acknowledge = []
            try:
                answer = await self._session.request(request, ua.PublishResponse, 0)
            except LinkLost:
                return
            except Fault as fault:
                if fault.code == StatusCodes.BadTimeout:
                    continue
                if fault.code == StatusCodes.BadTooManyPublishRequests and len(self._tasks) > 1:
                    return
                self._say_ended(fault.code)
                return
            self._hand_out(answer.Parameters)

    def _hand_out(self, published: ua.PublishResult) -> None:
        message = published.NotificationMessage
        if message.NotificationData:
            self._acknowledge.append(
                ua.SubscriptionAcknowledgement(
                    SubscriptionId=published.SubscriptionId, SequenceNumber=message.SequenceNumber
                )
            )
        notify = self._notify.get(published.SubscriptionId)
        if notify is not None:
            notify(message)

    def _say_ended(self, code: int) -> None:
        """Tell all that their subscriptions are gone."""
        end = ua.StatusChangeNotification(Status=ua.StatusCode(code))  # type: ignore[arg-type]
        message = ua.NotificationMessage(NotificationData=[end])
        for notify in list(self._notify.values()):
            notify(message)

    async def unsubscribe(self, subscription: int) -> None:
        """End a subscription; without effect when the session has ended."""
        self._notify.pop(subscription, None)
        request = ua.DeleteSubscriptionsRequest()
        request.Parameters.SubscriptionIds = [subscription]
        with suppress(LinkLost, Fault):
            await self._session.request(request, ua.DeleteSubscriptionsResponse)

    async def stop(self) -> None:
        """End the tasks."""
        self._notify.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _item(node: ua.NodeId, handle: int, sampling_ms: float) -> ua.MonitoredItemCreateRequest:
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=AttributeIds.Value),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=handle,
            SamplingInterval=sampling_ms,
            QueueSize=_QUEUE_AT_SERVER,
            DiscardOldest=True,
        ),
    )
