"""``millhand review``: answering what agents ask, and telling them where they were wrong."""

from __future__ import annotations

import contextlib
import getpass
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.text import Text

from millhand.cli.entry_text import clock, entry_text
from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.cli.places import JournalPlace, find_journal, where_argument
from millhand.console.words import word
from millhand.contracts.triggers import PartTrigger
from millhand.errors import MillhandError, NotAllowed
from millhand.feedback.review import Case, OpenQuestion, consume_inbox, questions
from millhand.feedback.review import answer as record_answer
from millhand.feedback.review import show as case_of
from millhand.journal.records import AnswerKind
from millhand.messages import tr

F = TypeVar("F", bound=Callable[..., Any])


@click.group(
    help=tr(
        "Answer what agents ask, and tell them where they were wrong.\n"
        "\n"
        "Every answer is recorded with who gave it and when, and becomes a label to learn from. "
        "It may be given while the engine runs: the answer waits beside the journal until the "
        "engine takes it up, a fraction of a second later.\n"
        "\n"
        "\b\n"
        "  millhand review list --at my-cell/\n"
        "  millhand review show IMP-000042 --at my-cell/\n"
        "  millhand review disagree IMP-000042 scratch --at my-cell/"
    )
)
def review() -> None:
    """Group the words of review."""


def _answering(command: F) -> F:
    """Add what all answers have in common: what it is about, where, who, a note."""
    command = click.option("--note", default="", help=tr("Anything else you want to say."))(command)
    command = click.option(
        "--by", metavar="NAME", help=tr("Who answers; your user name where left out.")
    )(command)
    command = where_argument(command)
    return click.argument("about", metavar="QUESTION|DECISION|PART")(command)


@review.command("list", help=tr("List the open questions, the most urgent first."))
@where_argument
@json_option
def list_questions(*, where: str, cell: str | None, as_json: bool) -> None:
    """List open questions."""
    place = find_journal(where, cell)
    with place.open() as opened:
        found = sorted(questions(opened, place.inbox), key=_most_urgent_first)
    if as_json:
        show_json([_plain(one) for one in found])
        return
    if not found:
        click.echo(tr("No question is open."))
        return
    rows = [
        (
            Text(one.id, style="strong"),
            clock(one.asked_utc_ns),
            one.question.agent,
            one.question.part_id or "",
            tr("approve or refuse") if one.question.kind == "proposal" else tr("agree or disagree"),
            Text(tr("expired"), style="bad") if one.expired() else Text(one.question.text),
        )
        for one in found
    ]
    headings = (tr("Question"), tr("Asked"), tr("Agent"), tr("Part"), tr("Answer"), tr("Text"))
    console().print(table(*headings, rows=rows))


@review.command("show", help=tr("Show all that is known of a decision."))
@click.argument("about", metavar="QUESTION|DECISION|PART")
@where_argument
@click.option("--picture", is_flag=True, help=tr("Open the picture in the viewer, too."))
@json_option
def show(*, about: str, where: str, cell: str | None, picture: bool, as_json: bool) -> None:
    """Show one case."""
    place = find_journal(where, cell)
    with place.open() as opened:
        case = case_of(opened, about, place.inbox)
    if as_json:
        show_json(
            {
                "decision": case.decision,
                "intent": case.intent,
                "outcome": case.outcome,
                "questions": [_plain(one) for one in case.questions],
                "reviews": case.reviews,
            }
        )
        return
    _show(case, place)
    if picture:
        for path in _pictures(case, place):
            webbrowser.open(path.resolve().as_uri())


@review.command("approve", help=tr("Approve a proposal: the action is carried out, by the guard."))
@_answering
def approve(**said: Any) -> ExitCode:
    """Approve."""
    return _answer(AnswerKind.APPROVE, **said)


@review.command("refuse", help=tr("Refuse a proposal: nothing is done."))
@_answering
def refuse(**said: Any) -> ExitCode:
    """Refuse."""
    return _answer(AnswerKind.REFUSE, **said)


@review.command("agree", help=tr("The agent was right."))
@_answering
def agree(**said: Any) -> ExitCode:
    """Agree."""
    return _answer(AnswerKind.AGREE, **said)


@review.command(
    "disagree",
    short_help=tr("The agent was wrong: say what it really was."),
    help=tr(
        "The agent was wrong. LABEL says what it really was: ok, or the kind of defect.\n"
        "\n"
        "\b\n"
        "  millhand review disagree casting-cell.1.42 ok\n"
        '  millhand review disagree casting-cell.1.43 scratch --note "near the bore"'
    ),
)
@_answering
@click.argument("label")
def disagree(*, label: str, **said: Any) -> ExitCode:
    """Disagree."""
    return _answer(AnswerKind.DISAGREE, label=label, **said)


@review.command("dont-know", help=tr("You cannot tell either."))
@_answering
def dont_know(**said: Any) -> ExitCode:
    """Do not know."""
    return _answer(AnswerKind.DONT_KNOW, **said)


def _answer(
    kind: AnswerKind,
    *,
    about: str,
    where: str,
    cell: str | None,
    by: str | None,
    note: str,
    label: str = "",
) -> ExitCode:
    place = find_journal(where, cell)
    with place.open() as opened:
        name = opened.cell
        given = record_answer(
            opened, about, kind, by=who(by), label=label, note=note, inbox=place.inbox
        )
    taken_up = _take_up(place, name)
    click.echo(tr("Recorded: {answer}, by {by}.", answer=given.answer, by=given.by))
    if kind is AnswerKind.APPROVE and taken_up:
        click.echo(tr("No engine runs; the action is carried out when it does, if still in time."))
    return ExitCode.FINE


def _take_up(place: JournalPlace, cell: str) -> bool:
    """Move the answer into the journal where no engine runs that would; say whether none does.

    Approvals wait for the engine, which alone can carry them out.
    """
    from millhand.journal.journal import Journal

    try:
        with Journal(place.target, cell=cell) as opened:
            consume_inbox(opened, place.inbox, approvals=False)
    except NotAllowed:
        return False
    except MillhandError:
        return True
    return True


def who(by: str | None) -> str:
    """Name who answers; a name other than the user's own is recorded with the user's."""
    user = ""
    with contextlib.suppress(OSError, KeyError, ImportError):
        user = getpass.getuser()
    if not by or by == user:
        return user or by or ""
    return f"{by} ({user})" if user else by


def _show(case: Case, place: JournalPlace) -> None:
    out = console()
    intent = case.intent
    trigger = intent.observation.trigger
    decision = intent.decision
    part = trigger.part_id if isinstance(trigger, PartTrigger) else ""
    facts = {
        tr("decision"): case.decision,
        tr("agent"): f"{intent.observation.agent} ({word(intent.mode)})",
        tr("part"): " ".join(filter(None, (part, intent.observation.product or ""))),
        tr("verdict"): word(decision.verdict) if decision.verdict else word(intent.cause),
        tr("part was"): word(intent.disposition) if intent.disposition else "",
        tr("reason"): decision.reason,
        tr("scores"): ", ".join(f"{name} {value:.4g}" for name, value in decision.scores.items()),
        tr("models"): ", ".join(decision.models.values()),
        tr("ended"): entry_text(case.outcome) if case.outcome else tr("still open"),
        tr("pictures"): ", ".join(map(str, _pictures(case, place))),
    }
    width = max(map(len, facts))
    for name, value in facts.items():
        if value:
            out.print(f"{name:<{width}}  ", style="quiet", end="", markup=False)
            out.print(value, markup=False)
    for one in case.questions:
        out.print(
            tr("open question {id}: {text}", id=one.id, text=one.question.text),
            style="unsure",
            markup=False,
        )
    for given in case.reviews:
        out.print(tr("answered: {text}", text=entry_text(given)), style="good", markup=False)


def _pictures(case: Case, place: JournalPlace) -> list[Path]:
    from millhand.journal.blobs import BlobReader

    reader = BlobReader(place.blobs)
    paths = [
        reader.frame_path(frame.ref.sha256) for frame in case.intent.observation.frames.values()
    ]
    return [path for path in paths if path.exists()]


def _most_urgent_first(one: OpenQuestion) -> tuple[bool, float, int]:
    """Order questions: proposals wait for an approval, then labels by their urgency, then age."""
    asked = one.question
    return asked.kind != "proposal", -asked.urgency, one.asked_utc_ns


def _plain(one: OpenQuestion) -> dict[str, object]:
    return {
        "id": one.id,
        "asked_utc_ns": one.asked_utc_ns,
        "expired": one.expired(),
        "question": one.question,
    }
