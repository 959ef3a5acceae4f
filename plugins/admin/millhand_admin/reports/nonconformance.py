"""NCR and 8D from the nonconformance events of a lot or a part.

The headings of the 8D are those of the Global 8D (Ford, 1987; VDA volume "8D"). What the journal
knows is filled in; causes and actions are for people, and stay blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal

from millhand.contracts import Hold, Nonconformance, Release
from millhand.errors import ConfigError
from millhand.journal.records import Intent, Published
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

Told = tuple[JournalEntry, Nonconformance]


def ncr(entries: Sequence[JournalEntry], cell: str, subject: str) -> Report:
    """Draft a nonconformance report on a lot or part.

    Raises:
        ConfigError: the entries tell of no nonconformance of it.
    """
    told = _told(entries, subject, parts_held(entries, subject))
    sections = (
        Section(title=tr("What was found"), sentences=_found(told)),
        Section(title=tr("What became of the parts"), sentences=_became(entries, told)),
        Section(title=tr("Containment"), sentences=contained(entries, subject)),
        Section(
            title=tr("Disposition"),
            blanks=(
                Blank(label=tr("Use as is, rework, return, scrap")),
                Blank(label=tr("Decided by, date")),
            ),
        ),
    )
    title = tr("Nonconformance report on {subject}", subject=subject)
    return Report(kind="ncr", title=title, cell=cell, sections=sections)


def eight_d(entries: Sequence[JournalEntry], cell: str, subject: str) -> Report:
    """Draft an 8D report on a lot or part.

    Raises:
        ConfigError: the entries tell of no nonconformance of it.
    """
    told = _told(entries, subject, parts_held(entries, subject))
    steps: tuple[tuple[str, tuple[Sentence, ...]], ...] = (
        (tr("D1 Team"), ()),
        (tr("D2 Problem"), (*_found(told), *_became(entries, told))),
        (tr("D3 Containment"), contained(entries, subject)),
        (tr("D4 Root causes"), ()),
        (tr("D5 Corrective actions, chosen"), ()),
        (tr("D6 Corrective actions, carried out and proven"), ()),
        (tr("D7 Prevention"), ()),
        (tr("D8 Recognition, closing"), ()),
    )
    sections = tuple(
        Section(title=title, sentences=sentences, blanks=(Blank(label=tr("By, date")),))
        for title, sentences in steps
    )
    title = tr("8D report on {subject}", subject=subject)
    return Report(kind="8d", title=title, cell=cell, sections=sections)


def parts_held(entries: Sequence[JournalEntry], subject: str) -> frozenset[str]:
    """Return the parts for which a lot was put on hold: who found them need not know their lot."""
    return frozenset(
        part
        for entry in entries
        if isinstance(entry.record, Published)
        and isinstance(body := entry.record.event.body, Hold)
        and body.subject == subject
        for part in body.part_ids
    )


def _told(entries: Sequence[JournalEntry], subject: str, parts: AbstractSet[str]) -> list[Told]:
    told = [
        (entry, entry.record.event.body)
        for entry in entries
        if isinstance(entry.record, Published)
        and isinstance(entry.record.event.body, Nonconformance)
        and (
            subject in (entry.record.event.body.lot, entry.record.event.body.part_id)
            or entry.record.event.body.part_id in parts
        )
    ]
    if not told:
        raise ConfigError(
            tr("The journal tells of no nonconformance of {subject}.", subject=subject),
            mend=tr("Name a lot or a part; see: millhand journal show --kind event"),
        )
    return told


def found_of(entries: Sequence[JournalEntry], subject: str) -> tuple[Sentence, ...]:
    """Tell of the nonconformances of a subject, or of the parts for which it was stopped.

    Raises:
        ConfigError: the entries tell of none.
    """
    return _found(_told(entries, subject, parts_held(entries, subject)))


def _found(told: list[Told]) -> tuple[Sentence, ...]:
    by_characteristic: dict[tuple[str, str], list[Told]] = {}
    for one in told:
        body = one[1]
        by_characteristic.setdefault((body.product or "", body.characteristic), []).append(one)
    return tuple(
        sentence
        for (product, characteristic), found in by_characteristic.items()
        for sentence in _of_one(product, characteristic, found)
    )


def _of_one(product: str, characteristic: str, found: list[Told]) -> list[Sentence]:
    parts = list(dict.fromkeys(body.part_id for _, body in found))
    times = [entry.at_utc_ns for entry, _ in found]
    text = tr(
        "Parts ({product}) that do not meet {characteristic}: {count}, "
        "from {begin} to {end}: {parts}.",
        count=len(parts),
        product=product or tr("product unknown"),
        characteristic=characteristic,
        begin=moment(min(times)),
        end=moment(max(times)),
        parts=", ".join(parts[:30]) + (" …" if len(parts) > 30 else ""),
    )
    sentences = [Sentence(text=text, ids=ids_of(entry for entry, _ in found))]
    for entry, body in found[:30]:
        texts = []
        if body.measured is not None and body.limit is not None:
            measured, limit = _figure(body.measured), _figure(body.limit)
            texts.append(tr("{part}: {measured} measured, {limit} allowed.", part=body.part_id,
                            measured=measured, limit=limit))  # fmt: skip
        if body.evidence:
            texts.append(tr("{part}: evidence {evidence}.", part=body.part_id,
                            evidence=", ".join(one[:16] for one in body.evidence)))  # fmt: skip
        if texts:
            sentences.append(Sentence(text=" ".join(texts), ids=(entry.id,)))
    return sentences


def _figure(value: float) -> str:
    """Four digits, and never with an exponent."""
    return f"{Decimal(f'{value:.4g}'):f}"


def _became(entries: Sequence[JournalEntry], told: list[Told]) -> tuple[Sentence, ...]:
    parts = {body.part_id for _, body in told}
    ways: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        intent = entry.record
        if not isinstance(intent, Intent) or intent.disposition is None:
            continue
        if getattr(intent.observation.trigger, "part_id", None) in parts:
            ways.setdefault(intent.disposition.value, []).append(entry)
    return tuple(
        Sentence(
            text=tr("Disposition {way} was decided {count} times.", way=way, count=len(found)),
            ids=ids_of(found),
        )
        for way, found in ways.items()
    )


def contained(entries: Sequence[JournalEntry], subject: str) -> tuple[Sentence, ...]:
    """Tell of holds and releases."""
    found = []
    for entry in entries:
        body = entry.record.event.body if isinstance(entry.record, Published) else None
        if isinstance(body, Hold) and body.subject == subject:
            text = tr("{time}: {subject} was put on hold: {reason}", time=moment(entry.at_utc_ns),
                      subject=subject, reason=body.reason)  # fmt: skip
        elif isinstance(body, Release) and body.subject == subject:
            text = tr("{time}: {subject} was released: {reason}", time=moment(entry.at_utc_ns),
                      subject=subject, reason=body.reason)  # fmt: skip
        else:
            continue
        found.append(Sentence(text=text, ids=(entry.id,)))
    return tuple(found)
