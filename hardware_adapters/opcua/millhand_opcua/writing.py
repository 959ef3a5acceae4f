"""Write what a permit allows: all checked first, the last value alone and last, never again."""

from __future__ import annotations

import time
from collections.abc import Sequence

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from millhand.contracts import Permit, Value, Write, WriteResult, WriteStatus
from millhand.errors import InternalError
from millhand.messages import tr
from millhand_opcua import status
from millhand_opcua.coercion import DoesNotFit, to_variant
from millhand_opcua.connection import Connection, Online
from millhand_opcua.faults import Fault, LinkLost
from millhand_opcua.variables import describe


class Writer:
    """Writes values in the present session."""

    def __init__(self, name: str, connection: Connection) -> None:
        self._name = name
        self._connection = connection

    async def write(self, permit: Permit) -> WriteResult:
        """Check and coerce all values, redeem the permit, send.

        Raises:
            NotAllowed: the permit could not be redeemed; nothing was sent.
        """
        writes = permit.writes
        online = self._connection.online
        if online is None:
            return _result(WriteStatus.NOT_SENT, detail=self._connection.health.detail)
        try:
            await _describe_anew(online, writes)
            nodes, sent = _prepare(online, writes)
        except DoesNotFit as misfit:
            return _result(WriteStatus.REJECTED, detail=str(misfit))
        except LinkLost as lost:
            return _result(WriteStatus.NOT_SENT, detail=str(lost))
        if not online.session.alive:
            return _result(WriteStatus.NOT_SENT, detail=online.session.reason)
        if permit.redeem(self._name) != writes:
            raise InternalError(tr("A permit gave out other writes than it showed."))
        with online.session.going_first():
            return await _send(online, writes, nodes, sent)


async def _describe_anew(online: Online, writes: Sequence[Write]) -> None:
    """Ask again about tags that the server did not know when the session began."""
    unknown = [
        variable
        for write in writes
        if (variable := online.variables.get(write.tag)) is not None and variable.status
    ]
    if unknown:
        try:
            await describe(online.session, unknown)
        except Fault:
            return


def _prepare(
    online: Online, writes: Sequence[Write]
) -> tuple[list[ua.WriteValue], tuple[Value, ...]]:
    """Coerce every value before anything is sent.

    Raises:
        DoesNotFit: one of them cannot be written; the text names the tag.
    """
    nodes = []
    sent = []
    for write in writes:
        variable = online.variables.get(write.tag)
        if variable is None:
            raise DoesNotFit(tr("{tag}: no such tag in the scenario", tag=write.tag))
        try:
            variant, value = to_variant(variable, write.value)
        except DoesNotFit as misfit:
            raise DoesNotFit(tr("{tag}: {reason}", tag=write.tag, reason=misfit)) from None
        # Status and time stamps stay out: many servers refuse a write that carries them.
        data = ua.DataValue(variant, StatusCode=None)
        nodes.append(
            ua.WriteValue(NodeId=variable.node_id, AttributeId=AttributeIds.Value, Value=data)
        )
        sent.append(value)
    return nodes, tuple(sent)


async def _send(
    online: Online,
    writes: Sequence[Write],
    nodes: list[ua.WriteValue],
    sent: tuple[Value, ...],
) -> WriteResult:
    """Send all but the last, and the last once those are acknowledged."""
    limit = online.session.limits.write
    last = len(nodes) - 1
    bounds = [*range(0, last, limit), last] if nodes else []
    code = 0
    done: list[str] = []
    for position, start in enumerate(bounds):
        stop = bounds[position + 1] if position + 1 < len(bounds) else last + 1
        try:
            codes = await _send_batch(online, nodes[start:stop])
        except LinkLost as lost:
            return _result(WriteStatus.UNKNOWN, detail=str(lost), sent=sent[:stop])
        answers = list(zip(writes[start:stop], codes, strict=True))
        done += [write.tag for write, code in answers if not status.is_bad(code)]
        for write, code in answers:
            if status.is_bad(code):
                return _refused(write, code, done=done, sent=sent[:stop])
    return _result(WriteStatus.SENT, code, sent=sent)


async def _send_batch(online: Online, nodes: list[ua.WriteValue]) -> list[int]:
    request = ua.WriteRequest()
    request.Parameters.NodesToWrite = nodes
    try:
        response = await online.session.request(request, ua.WriteResponse)
    except Fault as fault:
        return [fault.code] * len(nodes)
    codes = [result.value for result in response.Results]
    if len(codes) != len(nodes):
        return [status.BAD_DECODING] * len(nodes)
    return codes


def _refused(
    write: Write, code: int, *, done: Sequence[str], sent: tuple[Value, ...]
) -> WriteResult:
    detail = tr("{tag}: {status}", tag=write.tag, status=status.words(code))
    if done:
        detail = tr("{detail}; written were: {names}", detail=detail, names=", ".join(done))
    outcome = WriteStatus.UNKNOWN if status.outcome_open(code) else WriteStatus.REJECTED
    return _result(outcome, code, detail=detail, sent=sent)


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
