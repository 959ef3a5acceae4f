"""``millhand replay``: recorded decisions made again, by the same model or by another."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import track

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.cli.places import find_journal
from millhand.console.pages import percent
from millhand.console.words import word
from millhand.errors import ConfigError, PackageError, Unavailable
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.isolate.worker import ResidentAgent
    from millhand.journal.blobs import BlobReader
    from millhand.journal.entries import Entry
    from millhand.journal.journal import Journal
    from millhand.plugins import Plugins
    from millhand.replay import Comparison
    from millhand.scenario.load import Scenario

_SHOWN = 20


@click.command(
    help=tr(
        "Decide again what was decided, from the pictures and values that the journal kept, and "
        "say what changed. No device is touched, and the journal is only read.\n"
        "\n"
        "With the models that decided then, every decision must come out the same, bit for bit "
        "(on the same processor and library); exit 1 where one does not. With --model, another "
        "package takes the place of the one that was made for the same product: what would it "
        "have said?\n"
        "\n"
        "\b\n"
        "  millhand replay my-cell/\n"
        "  millhand replay my-cell/ --at runs/my-cell-20261125-081500\n"
        "  millhand replay my-cell/ --model models/candidate --report replay.html"
    )
)
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--at",
    "where",
    metavar="WHERE",
    help=tr("Folder of a run, journal file, or database URL; the scenario's own where left out."),
)
@click.option("--cell", metavar="NAME", help=tr("The cell, where a database holds several."))
@click.option(
    "--model",
    "candidates",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=tr("A package that decides in place of the recorded one; may be given for each product."),
)
@click.option("--role", default="", metavar="ROLE", help=tr("Its role, where there are several."))
@click.option("--agent", metavar="NAME", help=tr("Which agent, where the scenario has several."))
@click.option(
    "--last", type=click.IntRange(1), metavar="N", help=tr("Only the newest N decisions.")
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help=tr("Write a page with the pictures of all that turned."),
)
@json_option
def replay(
    *,
    scenario: Path,
    where: str | None,
    cell: str | None,
    candidates: tuple[Path, ...],
    role: str,
    agent: str | None,
    last: int | None,
    report: Path | None,
    as_json: bool,
) -> ExitCode:
    """Replay a journal."""
    from millhand.console.pictures import kept_pictures
    from millhand.journal.blobs import BlobReader
    from millhand.plugins import Plugins
    from millhand.replay import Comparison, decided_by
    from millhand.scenario.load import load

    loaded = load(scenario)
    name = agent or _only_agent(loaded)
    place = find_journal(where or str(scenario), cell)
    blobs = BlobReader(place.blobs)
    with (
        place.open() as opened,
        _opened(loaded, name, Plugins.discover(), candidates, role) as resident,
    ):
        _warn_of_change(loaded, opened)
        entries, labels = _recorded(opened, name)
        wanted = list(decided_by(name, entries))[-last if last else 0 :]
        comparison = Comparison(labels=labels)
        _decide(wanted, resident, blobs, comparison, candidate=bool(candidates))
        packages = resident.opened.packages
    if report is not None:
        from millhand.console.replay_report import write_replay_report

        write_replay_report(
            report,
            comparison,
            packages,
            cell=loaded.name,
            agent=name,
            pictures=kept_pictures(blobs),
            command=shlex.join(["millhand", *sys.argv[1:]]),
        )
    if as_json:
        show_json(_plain(comparison, packages))
    else:
        _show(comparison, report)
    exact = bool(candidates) or comparison.same == comparison.replayed
    return ExitCode.FINE if exact else ExitCode.PROBLEMS


def _only_agent(scenario: Scenario) -> str:
    """Return the scenario's only agent, or the only one of them that may act."""
    names = list(scenario.file.agents)
    acting = [name for name, agent in scenario.file.agents.items() if agent.may]
    if len(acting) == 1:
        return acting[0]
    if len(names) != 1:
        raise ConfigError(
            tr("{scenario} has {count} agents.", scenario=scenario.name, count=len(names)),
            mend=tr("Name one with --agent: {names}.", names=", ".join(names) or "–"),
        )
    return names[0]


@contextlib.contextmanager
def _opened(
    scenario: Scenario, agent: str, plugins: Plugins, candidates: Sequence[Path], role: str
) -> Iterator[ResidentAgent]:
    from millhand.engine.build import agent_spec
    from millhand.isolate.worker import open_agent
    from millhand.models.package import open_package
    from millhand.replay import with_candidates

    if agent not in scenario.file.agents:
        raise ConfigError(
            tr("{scenario} has no agent {agent}.", scenario=scenario.name, agent=agent),
            mend=tr("It has: {names}.", names=", ".join(scenario.file.agents)),
        )
    spec = agent_spec(scenario, agent, plugins)
    spec = with_candidates(spec, [open_package(folder) for folder in candidates], role)
    resident = open_agent(spec)
    try:
        yield resident
    finally:
        resident.close()


def _warn_of_change(scenario: Scenario, journal: Journal) -> None:
    from millhand.journal.records import Started

    started = journal.last("started")
    record = None if started is None else started.record
    if isinstance(record, Started) and record.scenario_sha256 != scenario.sha256:
        console(stderr=True).print(
            tr("The scenario is not, to the letter, the one that was run."), style="unsure"
        )


def _recorded(journal: Journal, agent: str) -> tuple[list[Entry], dict[str, bool]]:
    from millhand.replay import judged_by_people

    entries = journal.read(kinds=("intent", "review"), limit=None)
    intents = [entry for entry in entries if entry.kind == "intent" and entry.subject == agent]
    return intents, judged_by_people(entries)


def _decide(
    wanted: Sequence[Entry],
    resident: ResidentAgent,
    blobs: BlobReader,
    comparison: Comparison,
    *,
    candidate: bool,
) -> None:
    from millhand.replay import decide_again

    screen = console(stderr=True)
    for entry in track(
        wanted, tr("Deciding again"), console=screen, disable=not screen.is_terminal
    ):
        try:
            again = decide_again(
                entry,
                resident,
                blobs.load_frame,
                load_document=blobs.load_document,
                candidate=candidate,
            )
            comparison.add(again)
        except (Unavailable, PackageError) as error:
            comparison.missing.append((entry, error.message))


def _show(comparison: Comparison, report: Path | None) -> None:
    from millhand.console.replay_report import headline

    out = console()
    out.print(headline(comparison), style="strong", markup=False)
    rows = [
        (_word(then), _word(now), str(count))
        for (then, now), count in sorted(comparison.verdicts.items())
    ]
    if rows:
        out.print(table(tr("then"), tr("now"), tr("decisions"), rows=rows, right=(2,)))
    for one in comparison.turned[:_SHOWN]:
        line = f"{one.entry.id}  {_word(one.then.verdict)} → {_word(one.now.verdict)}"
        out.print(f"{line}  {one.now.reason}", markup=False)
    if len(comparison.turned) > _SHOWN:
        out.print(tr("… and {count} more; --report shows them.",
                     count=len(comparison.turned) - _SHOWN))  # fmt: skip
    for entry, reason in comparison.missing[:3]:
        out.print(f"{entry.id}: {reason}", style="unsure", markup=False)
    if comparison.missing:
        out.print(tr("{count} could not be decided again.", count=len(comparison.missing)))
    judged = comparison.now
    if judged.right or judged.wrong or judged.undecided:
        out.print(
            tr(
                "Of the parts that people judged: then {then_right} right, {then_wrong} wrong; "
                "now {right} right, {wrong} wrong.",
                then_right=comparison.then.right,
                then_wrong=comparison.then.wrong,
                right=judged.right,
                wrong=judged.wrong,
            )
        )
        out.print(
            tr(
                "Evidence on these parts that it is not worse by more than {margin}: {evidence} "
                "({proof} is proof).",
                margin=percent(comparison.not_worse.margin),
                evidence=f"{comparison.not_worse.evidence:.3g}",
                proof=f"{1 / comparison.not_worse.alpha:.0f}",
            )
        )
    if report is not None:
        out.print(tr("Report: {file}", file=report), markup=False)


def _word(verdict: str | None) -> str:
    return word(verdict) if verdict else "–"


def _plain(comparison: Comparison, packages: dict[str, str]) -> dict[str, object]:
    return {
        "packages": packages,
        "replayed": comparison.replayed,
        "same": comparison.same,
        "largest_change": comparison.largest_change,
        "verdicts": [
            {"then": then, "now": now, "decisions": count}
            for (then, now), count in sorted(comparison.verdicts.items())
        ],
        "turned": [
            {"decision": one.entry.id, "then": one.then.verdict, "now": one.now.verdict}
            for one in comparison.turned
        ],
        "missing": [
            {"decision": entry.id, "reason": reason} for entry, reason in comparison.missing
        ],
        "not_worse": {
            "margin": comparison.not_worse.margin,
            "evidence": comparison.not_worse.evidence,
            "shown": comparison.not_worse.shown,
        },
        "judged": {
            when: {"right": one.right, "wrong": one.wrong, "undecided": one.undecided}
            for when, one in (("then", comparison.then), ("now", comparison.now))
        },
    }
