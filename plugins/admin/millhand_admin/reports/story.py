"""The story of one lot or part, from all agents of a cell: found, stopped, done, waiting.

Every sentence carries the ids of the entries that it was made from; what agents said of their own
decisions is quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from millhand.contracts import EventArrived, Hold, Nonconformance, Release
from millhand.journal.records import Intent, Outcome, Question
from millhand.messages import tr
from millhand_admin.reports.nonconformance import contained, found_of
from millhand_admin.reports.report import JournalEntry, Report, Section, Sentence, moment


def story(entries: Sequence[JournalEntry], cell: str, subject: str) -> Report:
    """Tell what became of a lot or part.

    Raises:
        ConfigError: the entries tell of no nonconformance of it.
    """
    acted = [entry for entry in entries if _concerns(entry, subject)]
    sections = (
        Section(title=tr("What was found"), sentences=found_of(entries, subject)),
        Section(title=tr("What was stopped"), sentences=contained(entries, subject)),
        Section(title=tr("What each did, and by whose leave"), sentences=tuple(_done(acted))),
        Section(title=tr("What became of it outside"), sentences=tuple(_outside(entries, acted))),
        Section(title=tr("What waits for a person"), sentences=tuple(_waiting(entries, acted))),
    )
    return Report(
        kind="story", title=tr("The story of {subject}", subject=subject), cell=cell,
        sections=sections,
    )  # fmt: skip


def _concerns(entry: JournalEntry, subject: str) -> bool:
    """Whether an agent heard of the subject's hold, or speaks of it, as it decided."""
    intent = entry.record
    if not isinstance(intent, Intent):
        return False
    trigger = intent.observation.trigger
    if isinstance(trigger, EventArrived):
        body = trigger.event.body
        if isinstance(body, Hold | Release):
            return body.subject == subject
        if isinstance(body, Nonconformance):
            return bool(intent.decision.events) and subject in intent.decision.reason
    return subject in intent.decision.reason


def _done(acted: Sequence[JournalEntry]) -> Iterator[Sentence]:
    for entry in acted:
        intent = entry.record
        assert isinstance(intent, Intent)
        text = tr("{time}, {agent} ({mode}): {said}", time=moment(entry.at_utc_ns),
                  agent=intent.observation.agent, mode=intent.mode.value,
                  said=intent.decision.reason)  # fmt: skip
        for one in intent.judged:
            text += " " + (
                tr("The guard allowed {target}.", target=one.target)
                if one.ruling.allowed
                else tr("The guard refused {target}: {rule}.", target=one.target,
                        rule=one.ruling.rule)
            )  # fmt: skip
        yield Sentence(text=text, ids=(entry.id,))


def _outside(entries: Sequence[JournalEntry], acted: Sequence[JournalEntry]) -> Iterator[Sentence]:
    ids = {entry.id for entry in acted}
    for entry in entries:
        outcome = entry.record
        if isinstance(outcome, Outcome) and entry.id in ids and outcome.result is not None:
            text = tr("{time}: what {id} asked for ended as {status}.", id=entry.id,
                      time=moment(entry.at_utc_ns), status=outcome.status.value)  # fmt: skip
            yield Sentence(text=text, ids=(entry.id,))


def _waiting(entries: Sequence[JournalEntry], acted: Sequence[JournalEntry]) -> Iterator[Sentence]:
    ids = {entry.id for entry in acted}
    for entry in entries:
        question = entry.record
        if isinstance(question, Question) and question.decision in ids:
            text = tr("{id}, {agent} asks: {question}", id=entry.id, agent=question.agent,
                      question=question.text)  # fmt: skip
            yield Sentence(text=text, ids=(entry.id, question.decision))
