"""Read tags: one request, one sample for each tag asked, whatever happens."""

from __future__ import annotations

import time
from collections.abc import Sequence

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from millhand.contracts import Sample
from millhand.messages import tr
from millhand_opcua.connection import Connection, Online
from millhand_opcua.faults import Fault, LinkLost
from millhand_opcua.values import Receipt, bad_sample, disconnected_sample, to_sample
from millhand_opcua.variables import Variable

_PLANS_KEPT = 256


class ReadPlan:
    """Requests made ready for one list of tags in one session."""

    __slots__ = ("_names", "_requests", "_variables")

    def __init__(self, names: Sequence[str], online: Online) -> None:
        self._names = names
        self._variables = [online.variables.get(name) for name in names]
        known = [variable for variable in self._variables if variable is not None]
        limit = online.session.limits.read
        self._requests = [
            _request(known[start : start + limit]) for start in range(0, len(known), limit)
        ]

    async def read(
        self, online: Online, *, initial: bool, gap: bool, unchanged_ns: int | None = None
    ) -> list[Sample]:
        """Read and make samples; ``unchanged_ns`` is when a poll last asked for the same tags.

        Raises:
            LinkLost: no answer.
        """
        session = online.session
        fault = ""
        code = 0
        values: list[ua.DataValue] = []
        try:
            for request in self._requests:
                response = await session.request(request, ua.ReadResponse)
                values += response.Results
        except Fault as refusal:
            fault, code = str(refusal), refusal.code
        receipt = Receipt(
            time.time_ns(),
            time.monotonic_ns(),
            session.epoch,
            initial=initial,
            gap=gap,
            unchanged_ns=unchanged_ns,
        )
        answers = iter(values)
        return [
            bad_sample(name, receipt, tr("no such tag in the scenario"))
            if variable is None
            else bad_sample(name, receipt, fault, code)
            if (data := next(answers, None)) is None
            else to_sample(variable, data, receipt)
            for name, variable in zip(self._names, self._variables, strict=True)
        ]


def _request(variables: Sequence[Variable]) -> ua.ReadRequest:
    request = ua.ReadRequest()
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
    request.Parameters.NodesToRead = [
        ua.ReadValueId(NodeId=variable.node_id, AttributeId=AttributeIds.Value)
        for variable in variables
    ]
    return request


class Reader:
    """Reads tags of the present session."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._plans: dict[tuple[str, ...], ReadPlan] = {}
        self._planned_for: Online | None = None

    def plan(self, online: Online, tags: Sequence[str]) -> ReadPlan:
        """Return the plan for ``tags``, made on first use in a session."""
        if self._planned_for is not online or len(self._plans) >= _PLANS_KEPT:
            self._plans.clear()
            self._planned_for = online
        key = tuple(tags)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = ReadPlan(key, online)
        return plan

    async def read(self, tags: Sequence[str]) -> list[Sample]:
        """Read ``tags`` in order; samples are ``DISCONNECTED`` without a link."""
        online = self._connection.online
        if online is None:
            return self.disconnected(tags)
        try:
            return await self.plan(online, tags).read(online, initial=False, gap=False)
        except LinkLost:
            return self.disconnected(tags)

    def disconnected(
        self, tags: Sequence[str], *, initial: bool = False, gap: bool = False
    ) -> list[Sample]:
        """Make the samples of ``tags`` while the link is away."""
        connection = self._connection
        receipt = Receipt(
            time.time_ns(), time.monotonic_ns(), connection.epoch, initial=initial, gap=gap
        )
        note = connection.health.detail
        return [disconnected_sample(name, receipt, note) for name in tags]
