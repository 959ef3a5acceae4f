"""The agent ``admin.ncr``.

Bad parts of one lot are counted as their events come in. One too many in a time, and the lot is put
on hold (``hold/1``, which planners and clerks hear) and a nonconformance report is drafted with the
ids of all events that it rests on. Causes and the disposition are left to people. A lot is reported
once; when it is released, counting begins anew.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import ClassVar

from msgspec import Struct

from millhand.contracts import (
    ActionKind,
    Decision,
    DeliverRecord,
    EventArrived,
    Highlight,
    Hold,
    Memory,
    Models,
    Needs,
    Nonconformance,
    Observation,
    Release,
    TriggerKind,
)
from millhand.messages import tr
from millhand_admin.nonconformance.config import NcrConfig

RECORD = "record"
_KEY = "lots"
_MOST_LOTS, _MOST_PARTS = 40, 60


class _Bad(Struct, frozen=True, array_like=True):
    """One bad part, as it is remembered."""

    part: str
    at_utc_ns: int
    event: str


class NcrAgent:
    """Counts bad parts and stops their lot (:class:`millhand.contracts.Agent`)."""

    Config: ClassVar[type[NcrConfig]] = NcrConfig

    def __init__(self, config: NcrConfig) -> None:
        self._config = config

    def needs(self) -> Needs:
        """What inspectors find, releases of lots, and a place for the report."""
        return Needs(
            triggers=frozenset({TriggerKind.EVENT}),
            events=frozenset({"nonconformance/1", "release/1"}),
            actions={RECORD: ActionKind.DELIVER_RECORD},
            light=True,
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Count one bad part, or forget what was counted of a released lot."""
        del models
        trigger = observation.trigger
        if not isinstance(trigger, EventArrived):
            return Decision()
        body = trigger.event.body
        book = _unpacked(observation.memory)
        if isinstance(body, Release):
            if body.subject not in book:
                return Decision()
            del book[body.subject]
            reason = tr("{lot} is released; counting begins anew.", lot=body.subject)
            return Decision(reason=reason, memory=_packed(book))
        if not isinstance(body, Nonconformance):
            return Decision()
        lot = body.lot or self._config.lots.get(body.product or "")
        if not lot:
            return Decision(reason=tr("Nobody says which lot {part} is of.", part=body.part_id))
        return self._counted(book, lot, body, trigger)

    def _counted(
        self, book: dict[str, list[_Bad] | None], lot: str, body: Nonconformance,
        trigger: EventArrived,
    ) -> Decision:  # fmt: skip
        event = trigger.event
        before = book.get(lot, [])
        if before is None:
            return Decision(
                reason=tr("{part}: {lot} is on hold already.", part=body.part_id, lot=lot)
            )
        since = event.at_utc_ns - int(self._config.within * 1e9)
        recent = [one for one in before if one.at_utc_ns >= since]
        bad = [*recent, _Bad(body.part_id, event.at_utc_ns, event.id)][-_MOST_PARTS:]
        stopped = len(bad) > self._config.more_than
        book[lot] = None if stopped else bad
        while len(book) > _MOST_LOTS:
            book.pop(next(iter(book)))
        reason = tr("{count} bad parts of {lot}.", count=len(bad), lot=lot)
        if not stopped:
            return Decision(reason=reason, memory=_packed(book))
        return self._stopping(book, lot, bad, body, reason)

    def _stopping(
        self, book: dict[str, list[_Bad] | None], lot: str, bad: list[_Bad], body: Nonconformance,
        reason: str,
    ) -> Decision:  # fmt: skip
        first = f"{bad[0].event} {bad[0].at_utc_ns}"
        number = f"NCR-{lot}-{sha256(first.encode()).hexdigest()[:6].upper()}"
        parts = tuple(dict.fromkeys(one.part for one in bad))
        why = tr("{number}: {count} bad parts ({characteristic})", number=number, count=len(parts),
                 characteristic=body.characteristic)  # fmt: skip
        report = DeliverRecord(
            to=RECORD,
            kind="ncr",
            body={
                "number": number,
                "lot": lot,
                "product": body.product,
                "characteristic": body.characteristic,
                "measured": body.measured,
                "limit": body.limit,
                "parts": list(parts),
                "events": [one.event for one in bad],
                "evidence": list(body.evidence),
                "disposition": None,
                "cause": None,
            },
            idempotency_key=f"millhand-{number}",
        )
        return Decision(
            reason=tr("{reason} It is put on hold, and {number} is drafted.", reason=reason,
                      number=number),
            actions=(report,),
            events=(Hold(subject=lot, reason=why, part_ids=parts),),
            explanations=(Highlight(fields={"lot": lot, "parts": list(parts)}),),
            memory=_packed(book),
        )  # fmt: skip


def _unpacked(memory: Memory) -> dict[str, list[_Bad] | None]:
    text = memory.get(_KEY)
    kept = json.loads(text) if isinstance(text, str) else {}
    return {
        lot: None if parts is None else [_Bad(*one) for one in parts] for lot, parts in kept.items()
    }


def _packed(book: dict[str, list[_Bad] | None]) -> Memory:
    plain = {
        lot: None if parts is None else [[one.part, one.at_utc_ns, one.event] for one in parts]
        for lot, parts in book.items()
    }
    return {_KEY: json.dumps(plain, separators=(",", ":"))}
