"""Questions that agents ask and the answers that people give.

One function, :func:`answer`, serves the command line and every console: it checks the answer
against the journal and records who gave it. A journal has one writer. Whoever is that writer
appends the answer; everybody else leaves it in the inbox beside the journal
(:mod:`millhand.feedback.inbox`), where the engine takes it up.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from millhand.errors import ConfigError, NotAllowed
from millhand.feedback import inbox as inbox_files
from millhand.feedback.inbox import Answer
from millhand.journal.entries import Entry, new_entry
from millhand.journal.records import AnswerKind, Intent, Outcome, Question, Review
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.journal.journal import Journal

PROPOSAL = "proposal"
LABEL = "label"
_FITTING = {
    PROPOSAL: frozenset({AnswerKind.APPROVE, AnswerKind.REFUSE, AnswerKind.DONT_KNOW}),
    LABEL: frozenset({AnswerKind.AGREE, AnswerKind.DISAGREE, AnswerKind.DONT_KNOW}),
}
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that nobody has answered yet."""

    id: str
    asked_utc_ns: int
    question: Question

    def expired(self, now_utc_ns: int | None = None) -> bool:
        """Whether an approval would come too late."""
        expires = self.question.expires_utc_ns
        now = time.time_ns() if now_utc_ns is None else now_utc_ns
        return expires is not None and now >= expires


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of a decision that a person looks at."""

    decision: str
    intent: Intent
    outcome: Outcome | None
    questions: tuple[OpenQuestion, ...]
    """Those still open."""
    reviews: tuple[Review, ...]


def questions(journal: Journal, inbox: Path | None = None) -> list[OpenQuestion]:
    """List the open questions, the oldest first, the expired ones included.

    Args:
        journal: the cell's journal, open for reading at least.
        inbox: where answers wait; what is answered there counts as answered.
    """
    answered = {given.question for given in inbox_files.waiting(inbox)} if inbox else set()
    asked: dict[str, OpenQuestion] = {}
    for entry in _all(journal, ("question", "review")):
        record = entry.record
        if isinstance(record, Question):
            asked[entry.id] = OpenQuestion(entry.id, entry.at_utc_ns, record)
        elif isinstance(record, Review):
            answered.add(record.question)
    return [question for id_, question in asked.items() if id_ not in answered]


def show(journal: Journal, about: str, inbox: Path | None = None) -> Case:
    """Gather what is known of a question's decision, or of a decision.

    Raises:
        ConfigError: the journal knows neither.
    """
    about = _meant(journal, about)
    decision = _decision_of(journal, about)
    intent = next(iter(journal.read(kinds=("intent",), id=decision)), None)
    if intent is None:
        raise _unknown(about)
    record = intent.record
    assert isinstance(record, Intent)
    outcomes = [entry.record for entry in journal.read(kinds=("outcome",), id=decision)]
    return Case(
        decision=decision,
        intent=record,
        outcome=next((one for one in reversed(outcomes) if isinstance(one, Outcome)), None),
        questions=tuple(
            one for one in questions(journal, inbox) if one.question.decision == decision
        ),
        reviews=tuple(
            entry.record
            for entry in _all(journal, ("review",))
            if isinstance(entry.record, Review) and entry.record.decision == decision
        ),
    )


def answer(
    journal: Journal,
    about: str,
    kind: AnswerKind,
    *,
    by: str,
    label: str = "",
    note: str = "",
    inbox: Path | None = None,
) -> Review:
    """Record what a person says of a question, or of a decision that nobody had asked about.

    Returns when the answer is on disk: in the journal where this process is its writer, else in
    the inbox.

    Args:
        journal: the cell's journal, open for reading at least.
        about: id of the question or of the decision, or the part's number.
        kind: what the person says.
        by: who it is.
        label: with ``DISAGREE``: what the part really was.
        note: anything else the person wants to say.
        inbox: folder for answers beside the journal; needed where this process does not write it.

    Raises:
        ConfigError: the id is unknown, a label is missing or too much, ``by`` is empty.
        NotAllowed: it was answered already, has expired, or the answer does not fit the question.
        Unavailable: it could not be written.
    """
    about = _meant(journal, about)
    given = Answer(
        question=_question_of(journal, about, kind),
        decision=_decision_of(journal, about),
        answer=kind,
        label=label.strip(),
        by=by.strip(),
        note=note.strip(),
        at_utc_ns=time.time_ns(),
    )
    _check(journal, given, time.time_ns())
    if inbox is not None and any(
        waiting.question == given.question for waiting in inbox_files.waiting(inbox)
    ):
        raise _answered_already(given.question)
    if journal.live:
        _append(journal, given)
    elif inbox is not None:
        inbox_files.put(inbox, given)
    else:
        raise NotAllowed(tr("The journal is open for reading only, and there is no inbox."))
    return given.review


def consume_inbox(journal: Journal, folder: Path, *, approvals: bool = True) -> list[Review]:
    """Move the answers that wait in ``folder`` into the journal; return those appended. Blocks.

    The engine calls this now and then. An answer that no longer fits (answered meanwhile, expired,
    damaged) is put aside under ``refused`` with the reason beside it.

    Args:
        journal: open for writing.
        folder: the inbox.
        approvals: whether approvals may be taken up; they wait where nobody would carry them out.
    """
    taken = []
    for file, given in inbox_files.read(folder):
        if isinstance(given, str):
            inbox_files.put_aside(file, given)
            continue
        if given.answer is AnswerKind.APPROVE and not approvals:
            continue
        try:
            if not _is_recorded(journal, given):
                _check(journal, given, time.time_ns())
                _append(journal, given)
                taken.append(given.review)
        except (ConfigError, NotAllowed) as error:
            inbox_files.put_aside(file, str(error))
            continue
        file.unlink(missing_ok=True)
    return taken


def _append(journal: Journal, given: Answer) -> None:
    intents = journal.read(kinds=("intent",), id=given.decision, limit=1)
    entry = new_entry(
        given.review,
        id=_review_id(given.question),
        subject=intents[0].subject if intents else "",
        part=intents[0].part if intents else None,
        at_utc_ns=given.at_utc_ns,
    )
    journal.append([entry]).result()


def _is_recorded(journal: Journal, given: Answer) -> bool:
    """Whether this very answer is in the journal: the engine died before it deleted the file."""
    return any(
        entry.at_utc_ns == given.at_utc_ns and entry.record == given.review
        for entry in journal.read(kinds=("review",), id=_review_id(given.question))
    )


def _review_id(question: str) -> str:
    return f"{question}.review"


# --- checks, the same when the answer is given and when it is taken up ---


def _check(journal: Journal, given: Answer, now_utc_ns: int) -> None:
    if not given.by:
        raise ConfigError(tr("Say who answers."), mend=tr("Give a name with --by."))
    if given.answer is AnswerKind.DISAGREE and not given.label:
        raise ConfigError(
            tr("Who disagrees says what it really was."),
            mend=tr("Give a label: ok, or the kind of defect."),
        )
    if given.label and given.answer is not AnswerKind.DISAGREE:
        raise ConfigError(tr("Only who disagrees gives a label."))
    if journal.read(kinds=("review",), id=_review_id(given.question), limit=1):
        raise _answered_already(given.question)
    asked = _question(journal, given.question)
    decision = asked.question.decision if asked is not None else given.question
    if decision != given.decision or not journal.read(kinds=("intent",), id=decision, limit=1):
        raise _unknown(given.question)
    kind = asked.question.kind if asked is not None else LABEL
    if given.answer not in _FITTING.get(kind, frozenset(AnswerKind)):
        raise NotAllowed(
            tr("“{answer}” does not fit a question of this kind.", answer=given.answer),
            mend=tr(
                "It may be: {answers}.", answers=", ".join(sorted(_FITTING.get(kind, AnswerKind)))
            ),
        )
    if asked is not None and given.answer is AnswerKind.APPROVE and asked.expired(now_utc_ns):
        raise NotAllowed(tr("It is too late to approve {question}.", question=given.question))


def _meant(journal: Journal, about: str) -> str:
    """Return the id that is meant: a part's number stands for the decision on its way."""
    if journal.read(kinds=("intent", "question"), id=about, limit=1):
        return about
    entries = journal.read(kinds=("intent",), part=about, newest_first=True)
    decided = (one.id for one in entries if getattr(one.record, "disposition", None) is not None)
    return next(decided, about)


def _question_of(journal: Journal, about: str, kind: AnswerKind) -> str:
    """The id that an answer is filed under: the question's, or the decision's if none was asked.

    Where a decision is named, its one question that the answer fits is meant.
    """
    if _question(journal, about) is not None:
        return about
    intents = journal.read(kinds=("intent",), id=about, limit=1)
    if not intents:
        raise _unknown(about)
    fitting = [
        entry.id
        for entry in journal.read(kinds=("question",), subject=intents[0].subject, limit=None)
        if isinstance(asked := entry.record, Question)
        and asked.decision == about
        and kind in _FITTING.get(asked.kind, frozenset(AnswerKind))
    ]
    if len(fitting) > 1:
        raise ConfigError(
            tr("{decision} has several questions.", decision=about),
            mend=tr("Name one of them: {questions}", questions=", ".join(fitting)),
        )
    return fitting[0] if fitting else about


def _decision_of(journal: Journal, about: str) -> str:
    asked = _question(journal, about)
    return asked.question.decision if asked is not None else about


def _question(journal: Journal, about: str) -> OpenQuestion | None:
    for entry in journal.read(kinds=("question",), id=about, limit=1):
        if isinstance(entry.record, Question):
            return OpenQuestion(entry.id, entry.at_utc_ns, entry.record)
    return None


def _all(journal: Journal, kinds: tuple[str, ...]) -> Iterable[Entry]:
    after = 0
    while page := journal.read(after, kinds=kinds, limit=_PAGE):
        yield from page
        after = page[-1].seq


def _unknown(about: str) -> ConfigError:
    return ConfigError(
        tr("The journal knows no question and no decision {id}.", id=about),
        mend=tr("See the open questions: millhand review list"),
    )


def _answered_already(question: str) -> NotAllowed:
    return NotAllowed(tr("{question} was answered already.", question=question))
