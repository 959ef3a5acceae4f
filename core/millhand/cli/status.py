"""``millhand status``: how a cell is, read from its journal."""

from __future__ import annotations

import time

import click
from msgspec import Struct

from millhand.cli.entry_text import clock
from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json
from millhand.cli.places import find_journal, where_argument
from millhand.console.words import word
from millhand.journal.journal import Journal
from millhand.journal.records import Alarm, AlarmState, ModeChange, Started, Stopped
from millhand.messages import tr, trn


class CellStatus(Struct, frozen=True, kw_only=True):
    """What the journal says of a cell's last run."""

    cell: str
    running: bool
    """Started and not stopped; whether the process still lives the journal cannot know."""
    scenario: str
    millhand: str
    since_utc_ns: int
    last_entry_utc_ns: int
    last_decision_utc_ns: int | None
    modes: dict[str, str]
    alarms: tuple[str, ...]
    """Texts of the alarms active now."""
    open_questions: int


@click.command(
    help=tr(
        "Say how a cell is: running or not, the modes of its agents, its alarms, its questions.\n"
        "\n"
        "Read from the journal alone, so it works beside the engine and without it.\n"
        "\n"
        "\b\n"
        "  millhand status --at my-cell/\n"
        "  millhand status --at my-cell/ --json"
    )
)
@where_argument
@json_option
def status(*, where: str, cell: str | None, as_json: bool) -> ExitCode:
    """Print the status."""
    from millhand.feedback.review import questions

    place = find_journal(where, cell)
    with place.open() as opened:
        found = cell_status(opened, len(questions(opened, place.inbox)))
    if as_json:
        show_json(found)
        return ExitCode.FINE
    out = console()
    state = tr("running") if found.running else tr("stopped")
    out.print(f"{found.cell}: {state}", style="good" if found.running else "unsure", markup=False)
    out.print(
        tr(
            "scenario {scenario}, Millhand {version}, started {since}",
            scenario=found.scenario,
            version=found.millhand,
            since=clock(found.since_utc_ns),
        )
    )
    if found.last_decision_utc_ns is not None:
        ago = (time.time_ns() - found.last_decision_utc_ns) / 1e9
        out.print(tr("last decision {seconds} s ago", seconds=f"{ago:.0f}"))
    for agent, mode in found.modes.items():
        out.print(f"{agent}: {word(mode)}", markup=False)
    for text in found.alarms:
        out.print(tr("alarm: {text}", text=text), style="bad", markup=False)
    if found.open_questions:
        out.print(
            trn(
                "{count} open question: millhand review list",
                "{count} open questions: millhand review list",
                found.open_questions,
            ),
            style="unsure",
        )
    return ExitCode.FINE


def cell_status(journal: Journal, open_questions: int) -> CellStatus:
    """Read a cell's status out of its journal."""
    started = journal.last("started")
    begun = started.record if started else None
    assert begun is None or isinstance(begun, Started)
    after = started.seq - 1 if started else 0
    newest = journal.read(limit=1, newest_first=True)
    intent = journal.last("intent")
    return CellStatus(
        cell=journal.cell,
        running=started is not None and not _stopped(journal, after),
        scenario=begun.scenario if begun else "",
        millhand=begun.millhand if begun else "",
        since_utc_ns=started.at_utc_ns if started else 0,
        last_entry_utc_ns=newest[0].at_utc_ns if newest else 0,
        last_decision_utc_ns=intent.at_utc_ns if intent else None,
        modes=_modes(journal),
        alarms=_alarms(journal, after),
        open_questions=open_questions,
    )


def _stopped(journal: Journal, after: int) -> bool:
    found = journal.read(after, kinds=("stopped",), limit=1)
    return bool(found) and isinstance(found[0].record, Stopped)


def _modes(journal: Journal) -> dict[str, str]:
    modes: dict[str, str] = {}
    for entry in journal.read(kinds=("mode",), limit=None):
        if isinstance(entry.record, ModeChange):
            modes[entry.record.agent] = str(entry.record.now)
    return modes


def _alarms(journal: Journal, after: int) -> tuple[str, ...]:
    active: dict[tuple[str, str], str] = {}
    for entry in journal.read(after, kinds=("alarm",), limit=None):
        record = entry.record
        if not isinstance(record, Alarm):
            continue
        if record.state is AlarmState.CLEARED:
            active.pop((record.name, record.source), None)
        else:
            active[record.name, record.source] = record.text
    return tuple(active.values())
