"""``millhand andon``: calls for people that stand, and answers to them."""

from __future__ import annotations

import getpass

import click

from millhand.cli.entry_text import clock
from millhand.cli.output import console, json_option, show_json, table
from millhand.cli.places import find_journal, where_argument
from millhand.console.words import word
from millhand.feedback.andon import answer, open_calls
from millhand.journal.records import AndonState
from millhand.messages import tr


@click.group(
    short_help=tr("See who was called, and answer the call."),
    help=tr(
        "See who was called, and answer the call.\n"
        "\n"
        "An agent that cannot settle a part alone calls somebody, as the scenario says. Who "
        "responds, how soon, and why they were called is journalled.\n"
        "\n"
        "\b\n"
        "  millhand andon list --at my-cell/\n"
        "  millhand andon respond casting-cell.1.42.andon --at my-cell/\n"
        "  millhand andon close casting-cell.1.42.andon --note 'lamp replaced' --at my-cell/"
    ),
)
def andon() -> None:
    """Group the words of andon."""


@andon.command("list", help=tr("List the calls that are not closed."))
@where_argument
@json_option
def list_calls(*, where: str, cell: str | None, as_json: bool) -> None:
    """List standing calls."""
    with find_journal(where, cell).open() as opened:
        found = open_calls(opened)
    if as_json:
        show_json([{"id": o.id, "called_utc_ns": o.called_utc_ns, "call": o.call} for o in found])
        return
    if not found:
        click.echo(tr("No call stands."))
        return
    rows = [
        (one.id, clock(one.called_utc_ns), one.call.owner or "–", word(one.call.cause),
         word(one.call.machine), one.call.by or "–", one.call.text)
        for one in found
    ]  # fmt: skip
    headings = (tr("Call"), tr("Called"), tr("Owner"), tr("Cause"), tr("Machine"),
                tr("Responded"), tr("Text"))  # fmt: skip
    console().print(table(*headings, rows=rows))


@andon.command("respond", help=tr("Say that you are on it."))
@click.argument("call")
@where_argument
@click.option("--by", metavar="NAME", help=tr("Who; your user name where left out."))
@click.option("--note", default="", help=tr("Anything else you want to say."))
def respond(*, call: str, where: str, cell: str | None, by: str | None, note: str) -> None:
    """Respond to a call."""
    _answer(AndonState.RESPONDED, call, where, cell, by, note)


@andon.command("close", help=tr("Say that it is mended."))
@click.argument("call")
@where_argument
@click.option("--by", metavar="NAME", help=tr("Who; your user name where left out."))
@click.option("--note", default="", help=tr("What it was, and what was done."))
def close(*, call: str, where: str, cell: str | None, by: str | None, note: str) -> None:
    """Close a call."""
    _answer(AndonState.CLOSED, call, where, cell, by, note)


def _answer(
    state: AndonState, call: str, where: str, cell: str | None, by: str | None, note: str
) -> None:
    place = find_journal(where, cell)
    with place.open() as opened:
        given = answer(
            opened, call, state, by=by or getpass.getuser(), note=note, inbox=place.inbox
        )
    click.echo(tr("Recorded: {answer}, by {by}.", answer=word(given.state), by=given.by))
