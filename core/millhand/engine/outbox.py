"""Drafts that could not be delivered wait, and are sent again under the key that they had.

The journal is the store: the newest outcome of a decision names the keys that still wait, so a
draft survives whatever ends the engine. A record is not bound to a part and its key has one effect
at the receiver; that is why it may be sent again where a command may not. Each time the guard is
asked anew. The oldest goes first; while its receiver is away the others to it wait behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from time import time_ns
from typing import Protocol

import msgspec
import structlog

from millhand.contracts import Action, DeliverRecord, Propose, WriteStatus
from millhand.engine.alarms import Alarms
from millhand.engine.effects import Effect
from millhand.engine.supervision import back_off_s
from millhand.errors import MillhandError
from millhand.journal.entries import Entry, NewEntry, new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Intent, Outcome, OutcomeStatus
from millhand.messages import tr

log = structlog.get_logger(__name__)

KEPT_NS = 7 * 24 * 3600 * 1_000_000_000
"""How long a draft is tried: then somebody has to look, and its outcome says so."""
WAITS = frozenset({WriteStatus.NOT_SENT, WriteStatus.UNKNOWN})
"""Ends of a delivery after which the same key is tried again."""
_FIRST_S, _CAP_S = 0.5, 5.0
_NEVER = frozenset({"allow_list", "range"})
"""Rules whose refusal time does not mend."""
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """One record that waits."""

    decision: str
    agent: str
    action: DeliverRecord
    approved: bool
    """A person has let it out."""
    since_utc_ns: int


class Deliver(Protocol):
    """Delivers a record of one agent again, asking the guard first."""

    async def __call__(self, action: DeliverRecord, *, approved: bool) -> Effect:
        """Deliver; an effect without a result was not let out."""
        ...


class Outbox:
    """Sends again what could not be delivered. Lives on the engine's loop.

    Args:
        journal: where waiting records are found again.
        alarms: say for which agents some wait.
        append: journals how one ended.
    """

    def __init__(
        self, journal: Journal, alarms: Alarms, append: Callable[[NewEntry], None]
    ) -> None:
        self._journal = journal
        self._alarms = alarms
        self._append = append
        self._deliver: Mapping[str, Deliver] = {}
        self._waiting: list[Waiting] = []
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def load(self, deliver: Mapping[str, Deliver]) -> None:
        """Take up what the journal says still waits, agent by agent. Blocks."""
        self._deliver = deliver
        for agent in deliver:
            self.take(waiting_in(self._journal, agent))

    def take(self, waiting: Iterable[Waiting]) -> None:
        """Let records wait; one that waits already does not wait twice."""
        known = {(one.decision, one.action.idempotency_key) for one in self._waiting}
        new = [one for one in waiting if (one.decision, one.action.idempotency_key) not in known]
        if new:
            self._waiting += new
            self._tell()
            self._arrived.set()

    async def run(self) -> None:
        """Deliver what waits, for ever."""
        attempt = 0
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                attempt = 0
            await asyncio.sleep(back_off_s(attempt, first_s=_FIRST_S, cap_s=_CAP_S))
            before = len(self._waiting)
            away: set[str] = set()
            for one in tuple(self._waiting):
                await self._try(one, away)
            attempt = 0 if len(self._waiting) < before else attempt + 1

    async def _try(self, one: Waiting, away: set[str]) -> None:
        """Try one record, unless an older one has just found that its receiver is away."""
        if time_ns() - one.since_utc_ns > KEPT_NS:
            detail = tr("It could not be delivered for so long that a person must see to it.")
            self._end(one, Outcome(status=OutcomeStatus.EXPIRED, detail=detail))
            return
        if one.action.to in away:
            return
        try:
            effect = await self._deliver[one.agent](one.action, approved=one.approved)
        except MillhandError as error:
            log.info("delivery_failed", decision=one.decision, error=str(error))
            away.add(one.action.to)
            return
        if effect.result is None:
            if any(ruling.rule in _NEVER for ruling in effect.rulings):
                self._end(one, _outcome(effect))
        elif effect.result.status not in WAITS:
            self._end(one, _outcome(effect))
        elif effect.result.status is WriteStatus.NOT_SENT:
            away.add(one.action.to)

    def _end(self, ended: Waiting, outcome: Outcome) -> None:
        """Journal how a record ended, and what of its decision still waits."""
        self._waiting.remove(ended)
        left = tuple(
            one.action.idempotency_key for one in self._waiting if one.decision == ended.decision
        )
        if left and outcome.status is OutcomeStatus.CONFIRMED:
            outcome = msgspec.structs.replace(outcome, status=OutcomeStatus.WAITING)
        outcome = msgspec.structs.replace(outcome, waiting=left)
        self._append(new_entry(outcome, id=ended.decision, subject=ended.agent, part=None))
        if outcome.status in {OutcomeStatus.REFUSED, OutcomeStatus.EXPIRED}:
            self._alarms.raise_(
                "action_refused", ended.agent, outcome.detail, decision=ended.decision
            )
        self._tell()

    def _tell(self) -> None:
        """Keep one alarm for each agent whose drafts wait."""
        for agent in self._deliver:
            count = sum(one.agent == agent for one in self._waiting)
            if count:
                text = tr("Drafts that wait to be delivered: {count}.", count=count)
                self._alarms.raise_("delivery_waits", agent, text)
            else:
                self._alarms.clear("delivery_waits", agent)


def waiting_of(
    decision: str, agent: str, actions: Iterable[DeliverRecord], *, approved: bool
) -> list[Waiting]:
    """Let records of a decision wait from now on."""
    now = time_ns()
    return [Waiting(decision, agent, action, approved, now) for action in actions]


def waiting_in(journal: Journal, agent: str) -> list[Waiting]:
    """Read what waits out of an agent's outcomes, the oldest first."""
    since = time_ns() - KEPT_NS
    newest: dict[str, Entry] = {}
    first: dict[str, int] = {}
    for entry in _outcomes(journal, agent, since):
        newest.setdefault(entry.id, entry)
        if isinstance(entry.record, Outcome) and entry.record.waiting:
            first[entry.id] = entry.at_utc_ns
    found: list[Waiting] = []
    for entry in reversed(newest.values()):
        outcome = entry.record
        if isinstance(outcome, Outcome) and outcome.waiting:
            found += [
                replace(one, since_utc_ns=first[entry.id])
                for one in _of_decision(journal, entry.id, agent, outcome.waiting)
            ]
    return found


def _outcomes(journal: Journal, agent: str, since_utc_ns: int) -> Iterator[Entry]:
    """Yield an agent's outcomes, the newest first, as far back as a draft is kept."""
    before: int | None = None
    while True:
        page = journal.read(
            kinds=("outcome",), subject=agent, before=before, limit=_PAGE, newest_first=True
        )
        for entry in page:
            if entry.at_utc_ns < since_utc_ns:
                return
            yield entry
        if len(page) < _PAGE:
            return
        before = page[-1].seq


def _of_decision(
    journal: Journal, decision: str, agent: str, keys: Iterable[str]
) -> Iterator[Waiting]:
    entries = journal.read(kinds=("intent",), id=decision, limit=1)
    intent = entries[0].record if entries else None
    if not isinstance(intent, Intent):
        return
    let_out = {one.idempotency_key for one in let_out_records(intent)}
    records = {one.idempotency_key: one for one in _records(intent.decision.actions)}
    for key in keys:
        if key in records:
            yield Waiting(decision, agent, records[key], key not in let_out, 0)


def let_out_records(intent: Intent) -> list[DeliverRecord]:
    """Return the records that the guard let out when the intent was made."""
    return [
        one.action
        for one in intent.judged
        if one.ruling.allowed and isinstance(one.action, DeliverRecord)
    ]


def _records(actions: Iterable[Action]) -> Iterator[DeliverRecord]:
    for action in actions:
        wanted = action.action if isinstance(action, Propose) else action
        if isinstance(wanted, DeliverRecord):
            yield wanted


def _outcome(effect: Effect) -> Outcome:
    return Outcome(
        status=effect.status, detail=effect.detail, result=effect.result, rulings=effect.rulings
    )
