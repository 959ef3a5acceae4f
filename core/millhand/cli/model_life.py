"""``millhand models shadow | canary | promote | rollback | retire | stages``: which one decides."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.cli.places import JournalPlace, find_journal, where_argument
from millhand.cli.review import who
from millhand.console.words import word
from millhand.feedback.orders import OrderKind
from millhand.messages import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from millhand.feedback.orders import ModelOrder
    from millhand.feedback.promotion import Proof
    from millhand.journal.entries import Entry
    from millhand.journal.records import Drifted, ModelMoved

    Moved = ModelMoved | Drifted

_MOVES = ("model", "drift")
F = TypeVar("F", bound="Callable[..., Any]")
_WAIT_S = 20.0
_LOOK_S = 0.02


def _ordering(command: F) -> F:
    command = click.option(
        "--by", metavar="NAME", help=tr("Who orders it; your user name where left out.")
    )(command)
    command = where_argument(command)
    return click.argument("agent")(command)


@click.command(
    short_help=tr("Let a package decide beside the live model; nothing comes of it."),
    help=tr(
        "Open PACKAGE, a folder below the scenario's, beside the live model. It decides the same "
        "parts in a worker of its own, and only the journal learns what it says.\n"
        "\n"
        "\b\n"
        "  millhand models shadow inspector models/students/impeller --at my-cell/"
    ),
)
@_ordering
@click.argument("package")
def shadow(*, package: str, **said: Any) -> ExitCode:
    """Begin a shadow."""
    return _order(OrderKind.SHADOW, folder=package, **said)


@click.command(help=tr("Let the candidate decide a share of the parts, 0.1 for one in ten."))
@_ordering
@click.argument("share", type=float)
def canary(*, share: float, **said: Any) -> ExitCode:
    """Begin a canary."""
    return _order(OrderKind.CANARY, share=share, **said)


@click.command(
    short_help=tr("Make the candidate the live model, from the next trigger on."),
    help=tr(
        "Make the candidate the live model, from the next trigger on. It is refused until what "
        "people answered shows that the candidate is not worse; --despite takes the reason why it "
        "is done all the same, which is recorded. The model that was live stays warm."
    ),
)
@_ordering
@click.option("--despite", metavar="REASON", default="", help=tr("Promote without proof; why."))
def promote(*, despite: str, **said: Any) -> ExitCode:
    """Promote."""
    return _order(OrderKind.PROMOTE, despite=despite, **said)


@click.command(help=tr("Go back to the model that was live before, from the next trigger on."))
@_ordering
@click.option("--reason", default="", help=tr("Why; it is recorded."))
def rollback(*, reason: str, **said: Any) -> ExitCode:
    """Roll back."""
    return _order(OrderKind.ROLLBACK, despite=reason, **said)


@click.command(
    short_help=tr("Say that what the model sees is as it should be."),
    help=tr(
        "Say that what the model sees is as it should be, where drift was found: its certificate "
        "holds again, from the next trigger on. Your reason is recorded. Where it is not so, teach "
        "another model instead."
    ),
)
@_ordering
@click.option("--reason", required=True, help=tr("Why; it is recorded."))
def renew(*, reason: str, **said: Any) -> ExitCode:
    """Renew the certificate."""
    return _order(OrderKind.RENEW, despite=reason, **said)


@click.command(help=tr("Take the candidate away; the live model goes on alone."))
@_ordering
@click.option("--reason", default="", help=tr("Why; it is recorded."))
def retire(*, reason: str, **said: Any) -> ExitCode:
    """Retire the candidate."""
    return _order(OrderKind.RETIRE, despite=reason, **said)


_BECOMES = {
    OrderKind.SHADOW: "shadow",
    OrderKind.CANARY: "canary",
    OrderKind.PROMOTE: "live",
    OrderKind.ROLLBACK: "live",
    OrderKind.RETIRE: "retired",
    OrderKind.RENEW: "renewed",
}
"""The stage that an order brings a model to."""


def _order(
    kind: OrderKind, *, agent: str, where: str, cell: str | None, by: str | None, **said: Any
) -> ExitCode:
    from millhand.feedback.orders import order

    place = find_journal(where, cell)
    with place.open() as journal:
        after = journal.head
    given = order(place.inbox, agent, kind, by=who(by), **said)
    moved = _wait(place, given, after)
    if isinstance(moved, str):
        console().print(moved, style="bad", markup=False)
        return ExitCode.NEEDS_PERSON
    if moved is None:
        click.echo(tr("No engine has taken the order up yet; it waits in the inbox."))
        return ExitCode.FINE
    click.echo(
        tr("{agent}: {package}: {stage}", agent=agent, package=moved.package, stage=word(moved.now))
    )
    return ExitCode.FINE


def _wait(place: JournalPlace, given: ModelOrder, after: int) -> Moved | str | None:
    """Wait until the engine has carried the order out; return its refusal as text."""
    from millhand.feedback.inbox import REFUSED
    from millhand.feedback.orders import FOLDER
    from millhand.journal.records import Drifted, ModelMoved

    refused: Path = place.inbox / FOLDER / REFUSED
    end = time.monotonic() + _WAIT_S
    with place.open() as journal:
        while time.monotonic() < end:
            for entry in journal.read(after, kinds=_MOVES, subject=given.agent, limit=None):
                moved = entry.record
                if isinstance(moved, ModelMoved | Drifted) and moved.now == _BECOMES[given.kind]:
                    return moved
            for reason in refused.glob(f"{given.at_utc_ns:020d}-*.reason.txt"):
                return reason.read_text(encoding="utf-8").strip()
            time.sleep(_LOOK_S)
    return None


@click.command(help=tr("Show where each model stands, and what is known of the candidates."))
@where_argument
@json_option
def stages(*, where: str, cell: str | None, as_json: bool) -> None:
    """Show the stages of all models."""
    from millhand.feedback.pairs import PAIR_KINDS
    from millhand.feedback.stages import stages_of

    with find_journal(where, cell).open() as journal:
        entries = journal.read(kinds=PAIR_KINDS, limit=None)
    found = stages_of(entries)
    proofs = {(one.agent, one.package): _proof(entries, one) for one in found}
    if as_json:
        show_json([{"model": one, "proof": proofs[one.agent, one.package]} for one in found])
        return
    if not found:
        click.echo(tr("No model was ever moved: all agents use what the scenario names."))
        return
    rows = [
        (one.agent, one.package, word(one.now), one.by, _words(proofs[one.agent, one.package]))
        for one in found
    ]
    headings = (tr("Agent"), tr("Package"), tr("Stage"), tr("By"), tr("Against the live one"))
    console().print(table(*headings, rows=rows))


def _proof(entries: Iterable[Entry], moved: ModelMoved) -> Proof:
    from millhand.feedback.pairs import Pairs
    from millhand.feedback.promotion import not_worse

    pairs = Pairs(moved.agent, moved.package)
    pairs.take(entries)
    return not_worse(pairs)


def _words(proof: Proof) -> str:
    if not proof.pairs:
        return ""
    return tr(
        "{pairs} pairs, {differing} differ, {answered} answered: right {right} against {live}; "
        "evidence {evidence:.3g}",
        pairs=proof.pairs,
        differing=proof.differing,
        answered=proof.answered,
        right=proof.right,
        live=proof.live_right,
        evidence=min(proof.evidence.values()),
    )
