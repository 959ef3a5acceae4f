"""From a decision to its end: judge, make the intent durable, act, journal the outcome."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic_ns, time_ns

import msgspec
import structlog

from millhand.contracts import (
    Decision,
    Event,
    EventArrived,
    MachineAction,
    Mode,
    Nonconformance,
    Observation,
    Propose,
    SendDisposition,
    Trigger,
    Verdict,
)
from millhand.engine.actuate import Actuator
from millhand.engine.bindings import AgentBinding, Reaction
from millhand.engine.cell import Cell
from millhand.engine.effects import Effect
from millhand.engine.evidence import Word
from millhand.engine.judging import Judge, Wanted
from millhand.engine.outbox import waiting_of
from millhand.engine.policy import Settlement, settle
from millhand.engine.snapshot import LastDecision
from millhand.engine.work import Work
from millhand.errors import Unavailable
from millhand.feedback.queue import URGENT, Ground
from millhand.journal.entries import Entry, NewEntry, new_entry
from millhand.journal.records import (
    Cause,
    Intent,
    Judged,
    Outcome,
    OutcomeStatus,
    Published,
    Question,
)
from millhand.messages import tr

log = structlog.get_logger(__name__)

_NEVER_SENT = frozenset({Cause.MISSED, Cause.DROPPED, Cause.SUPERSEDED})
"""Causes after which nothing is sent: the part is gone, or nobody knows which it was."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A decision whose intent is on its way to the disk."""

    work: Work
    intent: Intent
    wanted: Wanted
    durable: asyncio.Future[list[Entry]]


@dataclass(frozen=True, slots=True)
class Said:
    """What another agent said of a part, against what was just decided."""

    part: str
    word: Word


class Settler:
    """Settles one agent's decisions."""

    def __init__(self, cell: Cell, binding: AgentBinding) -> None:
        self._cell = cell
        self._binding = binding
        self._channel = str(binding.disposition)
        self._judge = Judge(cell, binding)
        self.actuator = Actuator(cell, binding, self._judge)

    def begin(
        self, work: Work, observation: Observation, decision: Decision, cause: Cause
    ) -> Begun:
        """Judge a decision and hand its intent to the journal; :meth:`end` does the rest."""
        mode = self._mode(work.trigger)
        contradicted = self._heard(work, decision, cause, mode)
        if cause is Cause.DECIDED and decision.verdict is Verdict.OK and contradicted:
            cause = Cause.CONTRADICTED
        books = work.part_trigger is not None and self._binding.books
        settlement = self._settlement(decision, cause) if books else None
        wanted = self._wanted(work, decision, cause, settlement, mode)
        work.stamp("judged")
        intent = self._intent(work, observation, decision, cause, mode, settlement, wanted)
        durable = self._cell.durable(
            [
                *self._entries(work, intent, settlement),
                *self._calls(work, intent, settlement),
                *self._too_late(work, intent, contradicted),
            ]
        )
        return Begun(work, intent, wanted, durable)

    async def end(self, begun: Begun) -> None:
        """Carry a decision to its end; without a durable intent nothing is done."""
        try:
            await self._to_the_end(begun)
        finally:
            begun.work.settled.set()

    async def _to_the_end(self, begun: Begun) -> None:
        work, intent, wanted = begun.work, begun.intent, begun.wanted
        try:
            if self._cell.monitors:
                await self._cell.refresh(self._binding.acts_on, work.left_s)
            await begun.durable
        except Unavailable as error:
            self._cell.alarms.raise_("journal_unavailable", self._cell.name, str(error))
            self._keep(work, intent)
            return
        work.durable = True
        self._cell.alarms.clear("journal_unavailable", self._cell.name)
        self._cell.statistics.count(intent.disposition)
        stages = {"durable": monotonic_ns() - work.started_ns}
        effect = await self._act(work, wanted, intent.mode, stages)
        if effect.status is OutcomeStatus.NOT_SENT and _asks_first(intent):
            effect.status = OutcomeStatus.AWAITING
        self._alarm(work.id, wanted.judged, effect)
        self._close(work, intent, effect, stages)

    def _keep(self, work: Work, intent: Intent) -> None:
        """Have it written later that nothing was done; the part has taken the PLC's default."""
        if intent.disposition is not None:
            late = settle(None, Cause.UNRECORDED, self._binding.jidoka)
            intent = msgspec.structs.replace(intent, disposition=late.disposition)
        undone = msgspec.structs.replace(
            intent, cause=Cause.UNRECORDED, command=None, judged=(), machine=MachineAction.NONE
        )
        outcome = Outcome(
            status=OutcomeStatus.NOT_SENT,
            detail=tr("The journal could not be written, so nothing was done."),
        )
        name = self._binding.name
        self._cell.unrecorded.keep(
            [
                new_entry(record, id=work.id, subject=name, part=work.part)
                for record in (undone, outcome)
            ]
        )

    async def _act(self, work: Work, wanted: Wanted, mode: Mode, stages: dict[str, int]) -> Effect:
        try:
            return await self.actuator.carry_out(
                wanted, mode, work.deadline_ns, stages, work.started_ns
            )
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise  # the engine ends: its next start closes the intent
            # Something that was awaited was cancelled, not this: it has an end all the same.
            log.warning("action_cancelled", decision=work.id, exc_info=error)
            return Effect(OutcomeStatus.UNKNOWN, tr("The driver gave the write up."))
        except Exception as error:
            log.warning("action_failed", decision=work.id, exc_info=error)
            return Effect(OutcomeStatus.UNKNOWN, f"{type(error).__name__}: {error}")

    def _wanted(
        self,
        work: Work,
        decision: Decision,
        cause: Cause,
        settlement: Settlement | None,
        mode: Mode,
    ) -> Wanted:
        reachable = cause not in _NEVER_SENT
        believed = cause is not Cause.VOID
        return self._judge.all(
            decision.actions if believed else (),
            settlement if reachable else None,
            work.part_trigger if reachable else None,
            decision.verdict if believed else None,
            mode,
            work.deadline_ns,
        )

    def _mode(self, trigger: Trigger) -> Mode:
        mode = self._cell.modes[self._binding.name]
        return mode.at_most(trigger.event.mode) if isinstance(trigger, EventArrived) else mode

    # --- other evidence ---

    def _heard(self, work: Work, decision: Decision, cause: Cause, mode: Mode) -> list[Said]:
        """Put what this decision says of parts beside what others said; return what is against."""
        if mode is not Mode.CONTROL or cause is not Cause.DECIDED:
            return []
        name, evidence = self._binding.name, self._cell.evidence
        against: list[Said] = []
        if work.part is not None and decision.verdict is not None:
            said = Word(name, decision.verdict, work.id)
            against += [Said(work.part, w) for w in evidence.note(work.part, said)]
        for body in decision.events:
            if isinstance(body, Nonconformance) and body.part_id != work.part:
                said = Word(name, Verdict.NOT_OK, work.id)
                against += [Said(body.part_id, w) for w in evidence.note(body.part_id, said)]
        return against

    def _too_late(self, work: Work, intent: Intent, against: list[Said]) -> list[NewEntry]:
        """Ask and call about parts that another agent has let pass before this came to light."""
        entries: list[NewEntry] = []
        for number, said in enumerate(against, start=1):
            part, word = said.part, said.word
            if word.verdict is not Verdict.OK or intent.cause is Cause.CONTRADICTED:
                continue
            text = tr(
                "{agent} says otherwise of a part that was let pass.", agent=self._binding.name
            )
            question = Question(
                decision=word.decision, agent=word.agent, text=text, kind="label", part_id=part
            )
            id_ = f"{work.id}.c{number}"
            entries.append(new_entry(question, id=id_, subject=word.agent, part=part))
            entries += self._cell.andon.call(
                word.agent, Cause.CONTRADICTED, self._binding.jidoka.contradicted,
                decision=word.decision, part=part,
            )  # fmt: skip
        return entries

    def _calls(self, work: Work, intent: Intent, settlement: Settlement | None) -> list[NewEntry]:
        """Call somebody where the agent's reaction, or a stop of the machine, wants it."""
        if settlement is None or intent.mode is not Mode.CONTROL:
            return []
        reaction = settlement.reaction or Reaction(settlement.disposition, settlement.machine)
        wanted = reaction.call or settlement.machine is not MachineAction.NONE
        if not wanted and intent.cause is not Cause.CONTRADICTED:
            return []
        return self._cell.andon.call(
            self._binding.name, intent.cause, reaction, decision=work.id, part=work.part
        )

    def _settlement(self, decision: Decision, cause: Cause) -> Settlement:
        settlement = settle(decision.verdict, cause, self._binding.jidoka)
        channel = self._channel
        counts = self._cell.rejects_in_a_row
        if cause is Cause.DECIDED:
            counts[channel] = counts[channel] + 1 if decision.verdict is Verdict.NOT_OK else 0
        limit = self._cell.reject_limits.get(channel)
        if limit is None or counts[channel] <= limit.more_than:
            self._cell.alarms.clear("rejects_in_a_row", channel)
            return settlement
        text = tr("{count} parts in a row were rejected.", count=counts[channel])
        self._cell.alarms.raise_("rejects_in_a_row", channel, text)
        reaction = Reaction(settlement.disposition, limit.machine, settlement.review)
        return Settlement(settlement.disposition, limit.machine, settlement.review, reaction)

    def _intent(
        self,
        work: Work,
        observation: Observation,
        decision: Decision,
        cause: Cause,
        mode: Mode,
        settlement: Settlement | None,
        wanted: Wanted,
    ) -> Intent:
        settled = (
            {}
            if settlement is None
            else {"disposition": settlement.disposition, "machine": settlement.machine}
        )
        return Intent(
            observation=observation,
            decision=decision,
            cause=cause,
            mode=mode,
            command=wanted.command,
            judged=wanted.judged,
            memory_before=observation.memory,
            memory_after=observation.memory if decision.memory is None else decision.memory,
            scenario_sha256=self._cell.scenario_sha256,
            deadline_ns=self._binding.deadline_ns,
            stages_ns=work.stages,
            **settled,  # type: ignore[arg-type]
        )

    # --- what is journalled together with the intent ---

    def _entries(self, work: Work, intent: Intent, settlement: Settlement | None) -> list[NewEntry]:
        name = self._binding.name
        return [
            new_entry(intent, id=work.id, subject=name, part=work.part),
            *self._events(work, intent),
            *self._questions(work, intent, settlement),
        ]

    def _events(self, work: Work, intent: Intent) -> list[NewEntry]:
        entries: list[NewEntry] = []
        if intent.cause is Cause.VOID:
            return entries  # nobody else is to act on what a void certificate says
        for number, body in enumerate(intent.decision.events, start=1):
            event = Event(
                id=f"{work.id}.e{number}",
                producer=self._binding.name,
                mode=intent.mode,
                at_utc_ns=time_ns(),
                cause=work.id,
                body=body,
            )
            name = str(type(body).__struct_config__.tag)
            published = Published(event=event)
            entries.append(new_entry(published, id=event.id, subject=name, part=work.part))
        return entries

    def _questions(
        self, work: Work, intent: Intent, settlement: Settlement | None
    ) -> list[NewEntry]:
        decision = intent.decision
        asked: list[tuple[str, str]] = []
        if settlement is not None and settlement.review:
            asked.append(("label", _to_ask(intent)))
        asked.extend(
            ("proposal", action.question)
            for action in decision.actions
            if isinstance(action, Propose)
        )
        if intent.mode is Mode.ADVISE and any(map(_waits_for_approval, intent.judged)):
            asked.append(("proposal", decision.reason or tr("Shall this be done?")))
        return [
            new_entry(
                Question(
                    decision=work.id,
                    agent=self._binding.name,
                    text=text,
                    kind=kind,
                    part_id=work.part,
                    ground=Ground.ABSTENTION if kind == "label" else "",
                    urgency=URGENT if kind == "label" else 0.0,
                ),
                id=f"{work.id}.q{number}",
                subject=self._binding.name,
                part=work.part,
            )
            for number, (kind, text) in enumerate(asked, start=1)
        ]

    # --- the end ---

    def _close(self, work: Work, intent: Intent, effect: Effect, stages: dict[str, int]) -> None:
        outcome = Outcome(
            status=effect.status,
            detail=effect.detail,
            result=effect.result,
            answer=effect.answer,
            rulings=effect.rulings,
            waiting=effect.waiting_keys,
            stages_ns=stages,
        )
        name = self._binding.name
        self._cell.append_outcome(new_entry(outcome, id=work.id, subject=name, part=work.part))
        self._cell.outbox.take(waiting_of(work.id, name, effect.waiting, approved=False))
        if intent.disposition is None or work.part is None:
            return
        for frame in intent.observation.frames.values():
            self._cell.blobs.put_frame(frame.ref, frame.pixels, intent.disposition)
        confirmed = effect.status is OutcomeStatus.CONFIRMED
        self._cell.statistics.finished(
            LastDecision(
                id=work.id,
                agent=name,
                part_id=work.part,
                product=intent.observation.product,
                verdict=intent.decision.verdict,
                disposition=intent.disposition,
                reason=intent.decision.reason,
                latency_ms=stages["answered"] / 1e6 if confirmed else None,
            )
        )

    def _alarm(self, decision: str, judged: tuple[Judged, ...], effect: Effect) -> None:
        name, alarms = self._binding.name, self._cell.alarms
        refused = [one.ruling for one in judged if not one.ruling.allowed]
        refused = [ruling for ruling in [*refused, *effect.rulings] if ruling.rule != "mode"]
        for ruling in refused:
            text = tr("Refused by {rule}: {reason}", rule=ruling.rule, reason=ruling.reason)
            alarms.raise_("action_refused", name, text, decision=decision)
        match effect.status:
            case OutcomeStatus.UNKNOWN:
                alarms.raise_("outcome_unknown", name, effect.detail, decision=decision)
            case OutcomeStatus.REFUSED | OutcomeStatus.EXPIRED if not refused:
                alarms.raise_("action_refused", name, effect.detail, decision=decision)
            case OutcomeStatus.CONFIRMED | OutcomeStatus.SENT:
                alarms.clear("outcome_unknown", name)
                if not refused:
                    alarms.clear("action_refused", name)


def _waits_for_approval(judged: Judged) -> bool:
    return judged.ruling.rule == "mode" and not isinstance(judged.action, SendDisposition)


def _asks_first(intent: Intent) -> bool:
    proposes = any(isinstance(action, Propose) for action in intent.decision.actions)
    waiting = intent.mode is Mode.ADVISE and any(map(_waits_for_approval, intent.judged))
    return proposes or waiting


def _to_ask(intent: Intent) -> str:
    """What a person is asked about a part that was not decided."""
    if intent.cause is Cause.VOID:
        return tr("What is this part really? The model's certificate is void.")
    return intent.decision.reason or tr("What is this part really?")
