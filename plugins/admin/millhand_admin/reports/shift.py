"""The shift report: parts, papers, alarms, modes and questions between two times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from millhand.contracts import Verdict
from millhand.journal.records import (
    Alarm,
    AlarmState,
    Intent,
    ModeChange,
    Outcome,
    OutcomeStatus,
    Question,
    Review,
)
from millhand.messages import tr
from millhand_admin.reports.report import (
    Blank,
    JournalEntry,
    Report,
    Section,
    Sentence,
    ids_of,
    moment,
)


def shift_report(entries: Sequence[JournalEntry], cell: str) -> Report:
    """Tell of the entries of a shift, oldest first."""
    sections = (
        Section(title=tr("Decisions"), sentences=_decisions(entries)),
        Section(title=tr("What was carried out"), sentences=_outcomes(entries)),
        Section(title=tr("Alarms"), sentences=_alarms(entries)),
        Section(title=tr("Modes"), sentences=_modes(entries)),
        Section(title=tr("Questions and answers"), sentences=_questions(entries)),
        Section(
            title=tr("Handover"),
            blanks=(Blank(label=tr("Remarks")), Blank(label=tr("Name and signature"))),
        ),
    )
    title = tr("Shift report of {cell}", cell=cell)
    if entries:
        title = tr("{title}, {begin} to {end}", title=title, begin=moment(entries[0].at_utc_ns),
                   end=moment(entries[-1].at_utc_ns))  # fmt: skip
    return Report(kind="shift", title=title, cell=cell, sections=sections)


def _decisions(entries: Sequence[JournalEntry]) -> tuple[Sentence, ...]:
    by_agent: dict[tuple[str, str], list[tuple[JournalEntry, Intent]]] = {}
    for entry in entries:
        if isinstance(entry.record, Intent):
            intent = entry.record
            key = (intent.observation.agent, intent.observation.product or "")
            by_agent.setdefault(key, []).append((entry, intent))
    return tuple(_decided(agent, product, pairs) for (agent, product), pairs in by_agent.items())


def _decided(agent: str, product: str, pairs: list[tuple[JournalEntry, Intent]]) -> Sentence:
    counts = Counter(intent.decision.verdict for _, intent in pairs)
    text = tr(
        "{agent} decided {count}: {ok} OK, {not_ok} not OK, {unsure} not decidable.",
        agent=f"{agent} ({product})" if product else agent,
        count=len(pairs),
        ok=counts[Verdict.OK],
        not_ok=counts[Verdict.NOT_OK],
        unsure=counts[Verdict.NOT_DECIDABLE],
    )
    silent = counts[None]
    if silent == len(pairs):
        who = f"{agent} ({product})" if product else agent
        text = tr("{agent} decided {count}, none of them about whether something is OK.", agent=who,
                  count=silent)  # fmt: skip
    elif silent:
        text += " " + tr("Not about whether something is OK: {count}.", count=silent)
    return Sentence(text=text, ids=ids_of(entry for entry, _ in pairs))


def _ended(status: OutcomeStatus) -> str:
    """Say how decisions ended."""
    return {
        OutcomeStatus.CONFIRMED: tr("Carried out and confirmed: {count}."),
        OutcomeStatus.SENT: tr("Sent, on a channel that confirms nothing: {count}."),
        OutcomeStatus.REFUSED: tr("Refused: {count}."),
        OutcomeStatus.EXPIRED: tr("Too late, so not carried out: {count}."),
        OutcomeStatus.NOT_SENT: tr("Nothing was to be sent, or let out: {count}."),
        OutcomeStatus.UNKNOWN: tr("Unknown whether carried out: {count}."),
        OutcomeStatus.AWAITING: tr("A person was asked: {count}."),
        OutcomeStatus.WAITING: tr("Waiting for a receiver that is away: {count}."),
    }[status]


def _outcomes(entries: Sequence[JournalEntry]) -> tuple[Sentence, ...]:
    by_status: dict[OutcomeStatus, list[JournalEntry]] = {}
    for entry in entries:
        if isinstance(entry.record, Outcome):
            by_status.setdefault(entry.record.status, []).append(entry)
    return tuple(
        Sentence(
            text=_ended(status).format(count=len(found)),
            ids=ids_of(found),
        )
        for status, found in sorted(by_status.items())
    )


def _alarms(entries: Sequence[JournalEntry]) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(
            text=tr("{time}: {source}: {text}", time=moment(entry.at_utc_ns),
                    source=entry.record.source, text=entry.record.text),
            ids=(entry.id,),
        )
        for entry in entries
        if isinstance(entry.record, Alarm) and entry.record.state is AlarmState.ACTIVE
    )  # fmt: skip


def _modes(entries: Sequence[JournalEntry]) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(
            text=tr("{time}: {agent} was put into {mode} by {who}.", time=moment(entry.at_utc_ns),
                    agent=entry.record.agent, mode=entry.record.now.value, who=entry.record.by),
            ids=(entry.id,),
        )
        for entry in entries
        if isinstance(entry.record, ModeChange)
    )  # fmt: skip


def _questions(entries: Sequence[JournalEntry]) -> tuple[Sentence, ...]:
    asked = [entry for entry in entries if isinstance(entry.record, Question)]
    answered = {
        entry.record.question: entry for entry in entries if isinstance(entry.record, Review)
    }
    open_ = [entry for entry in asked if entry.id not in answered]
    found = [
        Sentence(
            text=tr("Questions asked: {count}; still open: {open}.", count=len(asked),
                    open=len(open_)),
            ids=ids_of(asked),
        )
    ] if asked else []  # fmt: skip
    for entry in answered.values():
        review = entry.record
        assert isinstance(review, Review)
        answer = review.answer.value + (f" ({review.label})" if review.label else "")
        text = tr("{time}: {who} answered {answer} to {question}.", time=moment(entry.at_utc_ns),
                  who=review.by, answer=answer, question=review.question)  # fmt: skip
        found.append(Sentence(text=text, ids=(entry.id, review.question)))
    return tuple(found)
