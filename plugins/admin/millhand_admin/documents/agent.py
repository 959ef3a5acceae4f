"""The agent ``admin.documents``.

A document is read, each paper in it is checked, bills are matched, and the house's rules decide:
a draft (OK), a question with the draft ready (not decidable), or a refusal (not OK). What a
document says is data: it fills fields of a closed schema, and only the guard lets a draft out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import ClassVar

from millhand.contracts import (
    Action,
    ActionKind,
    Decision,
    Document,
    EventArrived,
    Explanation,
    Highlight,
    Hold,
    Models,
    Needs,
    Observation,
    Propose,
    Release,
    TriggerKind,
    Value,
    Verdict,
)
from millhand.messages import tr
from millhand_admin.checking.check import check
from millhand_admin.checking.duplicates import Seen, check_duplicate
from millhand_admin.checking.finding import Finding, Severity, worst
from millhand_admin.documents.config import DocumentsConfig
from millhand_admin.documents.draft import RECORD, draft
from millhand_admin.documents.pages import papers_of
from millhand_admin.documents.state import State, pack, unpack
from millhand_admin.matching.match import Match, match
from millhand_admin.paper.fact import Fact
from millhand_admin.paper.paper import Kind, Paper
from millhand_admin.reading.crops import Crops
from millhand_admin.reading.limits import UnreadableDocument
from millhand_admin.reading.ocr.reader import Reader
from millhand_admin.reading.read import Reading, read

DOCUMENT = "document"
_MOST_NAMED = 6
_SHOWN_BELOW = 0.9
"""Values of lines are shown where they are less sure than this."""
_BILLS = frozenset({Kind.INVOICE, Kind.CREDIT_NOTE})
_RECEIPTS = frozenset({Kind.GOODS_RECEIPT, Kind.DELIVERY_NOTE})
_HEAVIEST = (Verdict.NOT_OK, Verdict.NOT_DECIDABLE, Verdict.OK)


class DocumentsAgent:
    """Reads, checks, matches and decides (:class:`millhand.contracts.Agent`)."""

    Config: ClassVar[type[DocumentsConfig]] = DocumentsConfig

    def __init__(self, config: DocumentsConfig) -> None:
        self._config = config
        self._reader = Reader(config.languages) if config.languages else None

    def needs(self) -> Needs:
        """Documents, holds and releases of lots; one place for drafts."""
        return Needs(
            triggers=frozenset({TriggerKind.DOCUMENT, TriggerKind.EVENT}),
            events=frozenset({"hold/1", "release/1"}),
            actions={RECORD: ActionKind.DELIVER_RECORD},
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Decide one document, or take note of a hold."""
        del models
        state = unpack(observation.memory)
        if isinstance(observation.trigger, EventArrived):
            return _noted(observation.trigger, state)
        document = observation.documents[DOCUMENT]
        config = self._config
        try:
            reading = read(document.content, config.limits, config.trusted, self._reader)
        except UnreadableDocument as error:
            return _unreadable(document, error)
        papers = reading.papers or self._from_pages(document, reading)
        if not papers:
            return _without_papers(document, reading)
        clerk = _Clerk(config, document, state)
        for paper in papers:
            clerk.handle(paper)
        return clerk.decision(papers)

    def _from_pages(self, document: Document, reading: Reading) -> tuple[Paper, ...]:
        crops = Crops(document.content, reading.content, reading.pages, self._config.limits)
        ours = self._config.check.our_tax_numbers
        return tuple(papers_of(reading.pages, crops, self._reader, ours))


class _Clerk:
    """One document under work."""

    def __init__(self, config: DocumentsConfig, document: Document, state: State) -> None:
        self._config = config
        self._document = document
        self._state = state
        self._today = _day(document)
        self._verdicts: list[Verdict] = []
        self._reasons: list[str] = []
        self._actions: list[Action] = []
        self._explanations: list[Explanation] = []

    def handle(self, paper: Paper) -> None:
        """Take one paper in."""
        seen = Seen.of(paper, self._document.ref.sha256)
        findings = check(paper, self._config.check, self._today)
        duplicate = check_duplicate(seen, self._state.seen)
        if duplicate is not None:
            findings = (duplicate, *findings)
        if worst(findings) is Severity.REJECT:
            self._refuse(paper, findings)
        elif paper.kind in _BILLS:
            self._bill(paper, seen, findings)
        else:
            self._file(paper, seen, findings)

    def _refuse(self, paper: Paper, findings: tuple[Finding, ...]) -> None:
        reason = _because(paper, [one.text for one in findings if one.severity is Severity.REJECT])
        self._say(Verdict.NOT_OK, reason, paper, findings, None)
        question = tr("{reason} Nothing is done. Is that right?", reason=reason)
        self._actions.append(Propose(question=question, tainted=True))

    def _file(self, paper: Paper, seen: Seen, findings: tuple[Finding, ...]) -> None:
        """Remember an order or a receipt; anything else is for a person."""
        items = self._state.items
        known = paper.kind is Kind.ORDER or paper.kind in _RECEIPTS
        if not known or worst(findings) is Severity.REVIEW:
            texts = [one.text for one in findings] or [tr("Nobody said what to do with it.")]
            self._ask(paper, findings, None, texts, None)
            return
        items = items.with_order(paper) if paper.kind is Kind.ORDER else items.with_receipt(paper)
        self._remember(seen, State(items=items))
        text = tr("{kind} {number} is filed.", kind=paper.kind.value, number=_number(paper))
        self._say(Verdict.OK, text, paper, findings, None)

    def _bill(self, paper: Paper, seen: Seen, findings: tuple[Finding, ...]) -> None:
        matched = match(paper, self._state.items, self._config.match)
        # Booked in either case: what a person still looks at must not be billed again meanwhile.
        self._remember(seen, State(items=matched.book(self._state.items)))
        texts = [one.text for one in findings if one.severity is Severity.REVIEW]
        texts += [one.text for one in matched.variances if not one.tolerated]
        if any(not one.exact for one in matched.allocations):
            texts.append(tr("Some numbers agree only when look-alikes are folded."))
        texts += self._beyond_automatic(paper)
        if texts:
            self._ask(paper, findings, matched, texts, seen)
            return
        self._actions.append(draft(paper, seen))
        text = tr("{number} fits order and receipt.", number=_number(paper))
        self._say(Verdict.OK, text, paper, findings, matched)

    def _beyond_automatic(self, paper: Paper) -> list[str]:
        rules = self._config.automatic
        amount = paper.totals.payable or paper.totals.gross
        currency = "" if paper.currency is None else paper.currency.value
        texts = []
        if paper.kind is Kind.CREDIT_NOTE:
            texts.append(tr("A credit note is for a person."))
        if amount is None or amount.value > rules.up_to:
            texts.append(tr("The amount is more than may be booked without asking."))
        if rules.currencies and currency not in rules.currencies:
            texts.append(tr("The currency {currency} is for a person.", currency=currency or "?"))
        unsure = [path for path, fact in paper.key_facts() if fact.confidence < rules.confidence]
        if unsure:
            named = ", ".join(unsure[:_MOST_NAMED])
            texts.append(tr("Not read surely enough: {fields}.", fields=named))
        return texts

    def _ask(
        self,
        paper: Paper,
        findings: tuple[Finding, ...],
        matched: Match | None,
        texts: list[str],
        seen: Seen | None,
    ) -> None:
        reason = _because(paper, texts)
        action = None if seen is None else draft(paper, seen)
        question = (
            tr("{reason} Shall the draft be made?", reason=_ended(reason)) if action else reason
        )
        self._actions.append(Propose(question=question, action=action, tainted=True))
        self._say(Verdict.NOT_DECIDABLE, reason, paper, findings, matched)

    def _remember(self, seen: Seen, state: State) -> None:
        self._state = State(
            items=state.items,
            seen=(*self._state.seen, seen),
            forgotten=self._state.forgotten,
        )

    def _say(
        self,
        verdict: Verdict,
        reason: str,
        paper: Paper,
        findings: tuple[Finding, ...],
        matched: Match | None,
    ) -> None:
        self._verdicts.append(verdict)
        self._reasons.append(reason)
        self._explanations.append(Highlight(fields=_shown(paper, findings, matched)))

    def decision(self, papers: Sequence[Paper]) -> Decision:
        """Return what all papers of the document come to: the heaviest verdict."""
        verdict = min(self._verdicts, key=_HEAVIEST.index)
        memory = pack(self._state)
        left = unpack(memory)
        reasons = list(self._reasons)
        if left.forgotten > self._state.forgotten:
            reasons.append(tr("The memory is full: the oldest open lines were forgotten."))
        confidence = min(paper.least_confidence for paper in papers)
        return Decision(
            verdict=verdict,
            reason=" ".join(reasons)[:1000],
            scores={
                "papers": float(len(papers)),
                "open_order_lines": float(len(left.items.orders)),
                "open_receipt_lines": float(len(left.items.receipts)),
                "least_confidence": confidence,
            },
            actions=tuple(self._actions),
            explanations=tuple(self._explanations),
            memory=memory,
        )


def _ended(text: str) -> str:
    """End a text that is no sentence yet."""
    return text if text.endswith((".", "?", "!", "。", "？")) else f"{text}."


def _noted(trigger: EventArrived, state: State) -> Decision:
    """Block the receipts of a lot on hold, or release them."""
    body = trigger.event.body
    items = state.items
    if isinstance(body, Hold):
        items = items.blocked(body.subject, body.reason or tr("on hold"))
    elif isinstance(body, Release):
        items = items.blocked(body.subject, "")
    changed = sum(one != other for one, other in zip(items.receipts, state.items.receipts,
                                                     strict=True))  # fmt: skip
    return Decision(
        reason=tr("Receipts of lot {lot} that changed: {count}.", count=changed,
                  lot=getattr(body, "subject", "")),
        memory=pack(state.model_copy(update={"items": items})),
    )  # fmt: skip


def _unreadable(document: Document, error: UnreadableDocument) -> Decision:
    reason = tr("{name} is not read: {why}", name=document.ref.name, why=str(error))
    return Decision(
        verdict=Verdict.NOT_DECIDABLE,
        reason=reason,
        actions=(Propose(question=reason, tainted=True),),
        explanations=(Highlight(fields={"fault": error.fault, "name": document.ref.name}),),
    )


def _without_papers(document: Document, reading: Reading) -> Decision:
    reason = tr(
        "{name} holds no paper that is known; a person must read it.", name=document.ref.name
    )
    text = "\n".join(page.text for page in reading.pages)
    return Decision(
        verdict=Verdict.NOT_DECIDABLE,
        reason=reason,
        actions=(Propose(question=reason, tainted=True),),
        explanations=(
            Highlight(
                fields={
                    "name": document.ref.name,
                    "content": reading.content.value,
                    "pages": len(reading.pages),
                    "read by": ", ".join(sorted({page.note for page in reading.pages})),
                    "text": text[:2000],
                }
            ),
        ),
    )


def _shown(paper: Paper, findings: tuple[Finding, ...], matched: Match | None) -> dict[str, Value]:
    """What a person looks at beside the question: key values with their places, and what is odd."""
    fields: dict[str, Value] = {"kind": paper.kind.value, "form": paper.form.value}
    for path, fact in paper.facts():
        if not path.startswith("lines.") or fact.confidence < _SHOWN_BELOW:
            fields[path] = str(fact.value)
            fields[f"{path}@"] = _place(fact)
    fields["lines"] = len(paper.lines)
    fields["findings"] = [f"{one.rule}: {one.text}" for one in findings]
    if matched is not None:
        fields["variances"] = [f"{one.kind.value}: {one.text}" for one in matched.variances]
        fields["allocations"] = [
            f"{one.line + 1} <- {one.order_line} {one.quantity}" for one in matched.allocations
        ]
    return fields


def _place(fact: Fact[object]) -> str:
    """Where a value stands, how it was read, and how sure that is."""
    if fact.path or fact.box is None:
        return fact.path or fact.method.value
    box = fact.box
    place = f"{box.left:.3f} {box.top:.3f} {box.right:.3f} {box.bottom:.3f}"
    return f"page {fact.page} [{place}] {fact.method.value} {fact.confidence:.3f}"


def _because(paper: Paper, texts: list[str]) -> str:
    return f"{_number(paper)}: {' '.join(texts)}"[:600]


def _number(paper: Paper) -> str:
    number = tr("without number") if paper.number is None else paper.number.value
    name = paper.seller.name
    return number if name is None else f"{number} ({name.value[:60]})"


def _day(document: Document) -> date:
    """The day that the document came in: a replay must find the same as the first time."""
    return datetime.fromtimestamp(document.ref.received_utc_ns / 1e9, tz=UTC).date()
