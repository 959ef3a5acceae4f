"""One line on what a journal entry says, for people."""

from __future__ import annotations

import datetime as dt

from millhand.console.words import word
from millhand.contracts.command import AnswerCode
from millhand.journal.records import (
    Alarm,
    Andon,
    Checkpoint,
    Drifted,
    Gate,
    Intent,
    ModeChange,
    ModelMoved,
    Outcome,
    Pruned,
    Published,
    Question,
    Record,
    Review,
    Shadowed,
    Started,
    Stopped,
)
from millhand.messages import tr


def clock(utc_ns: int) -> str:
    """Write a time of day in the reader's time zone, to the millisecond."""
    moment = dt.datetime.fromtimestamp(utc_ns / 1e9, dt.UTC).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def entry_text(record: Record) -> str:  # noqa: C901 - one short line for each kind of record
    """Say in a line what a record says."""
    match record:
        case Intent():
            return _intent(record)
        case Outcome():
            return _outcome(record)
        case Gate():
            return f"{record.channel}: {word(record.answer.code.name.lower())}"
        case Alarm():
            return f"{record.name} {record.source}: {record.text} ({record.state})"
        case Andon():
            return _andon(record)
        case ModeChange():
            before = word(record.before) if record.before else "–"
            return tr(
                "{agent}: {before} → {now}, by {by}",
                agent=record.agent,
                before=before,
                now=word(record.now),
                by=record.by,
            )
        case ModelMoved():
            return tr(
                "{agent}: {package} is {stage}, by {by}",
                agent=record.agent,
                package=record.package,
                stage=word(record.now),
                by=record.by,
            )
        case Drifted():
            return record.reason or f"{record.package}: {word(record.now)}"
        case Shadowed():
            said = word(record.verdict) if record.verdict else record.fault
            return tr("{package} would have said: {said}", package=record.package, said=said)
        case Question():
            return f"{record.kind}: {record.text}"
        case Review():
            label = f" {record.label}" if record.label else ""
            return f"{record.answer}{label}, {record.by}"
        case Published():
            event = record.event
            return f"{event.body.__struct_config__.tag} {event.producer}"
        case Started():
            return tr(
                "started: {scenario}, Millhand {version}",
                scenario=record.scenario,
                version=record.millhand,
            )
        case Stopped():
            return tr(
                "stopped: {reason}, {count} decisions", reason=record.reason, count=record.decisions
            )
        case Pruned():
            return tr(
                "pruned: entries {first} to {last}", first=record.first_seq, last=record.last_seq
            )
        case Checkpoint():
            return tr(
                "segment {segment} sealed: entries {first} to {last}",
                segment=record.segment,
                first=record.first_seq,
                last=record.last_seq,
            )


def _intent(intent: Intent) -> str:
    said = [word(intent.decision.verdict) if intent.decision.verdict else word(intent.cause)]
    if intent.disposition:
        said.append(word(intent.disposition))
    if intent.decision.reason:
        said.append(intent.decision.reason)
    return ", ".join(said)


def _outcome(outcome: Outcome) -> str:
    said = [word(outcome.status)]
    if outcome.answer is not None and outcome.answer.code is not AnswerCode.EMPTY:
        said.append(word(outcome.answer.code.name.lower()))
    if outcome.detail:
        said.append(outcome.detail)
    return ", ".join(said)


def _andon(record: Andon) -> str:
    said = [record.text, word(record.state)]
    if record.owner:
        said.append(tr("for {owner}", owner=record.owner))
    if record.by:
        said.append(tr("by {by}", by=record.by))
    if record.response_ns is not None:
        said.append(tr("response after {seconds:.1f} s", seconds=record.response_ns / 1e9))
    return ", ".join(said)
