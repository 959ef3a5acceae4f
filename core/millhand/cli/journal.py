"""``millhand journal``: reading, verifying and exporting the record of decisions."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from millhand.cli.exits import ExitCode
from millhand.cli.journal_key import evidence
from millhand.cli.lazy import LazyGroup, Word
from millhand.cli.output import console, json_option, show_json
from millhand.cli.places import find_journal, where_argument
from millhand.errors import ConfigError
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.journal.entries import Entry
    from millhand.journal.journal import Journal
    from millhand.journal.verifying import VerifyReport

journal = LazyGroup(
    name="journal",
    words={
        "tail": Word("millhand.cli.journal:tail", tr("Print the newest entries; -f follows.")),
        "show": Word("millhand.cli.journal:show", tr("Print all that is known of a decision.")),
        "verify": Word("millhand.cli.journal:verify", tr("Prove that nothing was changed.")),
        "keygen": Word("millhand.cli.journal_key:keygen", tr("Make a key that signs checkpoints.")),
        "export": Word("millhand.cli.journal:export", tr("Write entries as JSON lines.")),
    },
    help=tr(
        "Read, verify and export the record of decisions. It may be done while the engine runs.\n"
        "\n"
        "\b\n"
        "  millhand journal tail --at my-cell/ -f\n"
        "  millhand journal show casting-cell.1.42 --at my-cell/\n"
        "  millhand journal verify --at my-cell/ --against head.json"
    ),
)


@click.command(
    help=tr(
        "Print the newest entries of a journal, the newest last.\n"
        "\n"
        "\b\n"
        "  millhand journal tail                      of the scenario in this folder\n"
        "  millhand journal tail -n 50 --kind alarm\n"
        "  millhand journal tail -f --part P000042"
    )
)
@where_argument
@click.option("--count", "-n", default=20, show_default=True, help=tr("How many entries."))
@click.option("--follow", "-f", is_flag=True, help=tr("Go on as entries are written."))
@click.option("--kind", multiple=True, metavar="KIND", help=tr("Only this kind: intent, alarm …"))
@click.option("--part", metavar="PART", help=tr("Only this part."))
@json_option
def tail(
    *,
    where: str,
    cell: str | None,
    count: int,
    follow: bool,
    kind: tuple[str, ...],
    part: str | None,
    as_json: bool,
) -> None:
    """Print the newest entries."""
    kinds = kind or None
    with find_journal(where, cell).open() as opened:
        found = opened.read(kinds=kinds, part=part, limit=count, newest_first=True)
        for entry in reversed(found):
            _print(entry, as_json=as_json)
        if follow:
            position = found[0].seq if found else opened.head
            asyncio.run(_follow(opened, position, kinds, part, as_json=as_json))


async def _follow(
    opened: Journal, after: int, kinds: tuple[str, ...] | None, part: str | None, *, as_json: bool
) -> None:
    async for entry in opened.cursor(after, kinds):
        if part is None or entry.part == part:
            _print(entry, as_json=as_json)
            sys.stdout.flush()


def _print(entry: Entry, *, as_json: bool) -> None:
    from millhand.cli.entry_text import clock, entry_text

    if as_json:
        show_json(_plain(entry))
        return
    part = f" {entry.part}" if entry.part else ""
    line = f"{entry.seq:>7}  {clock(entry.at_utc_ns)}  {entry.kind:<10} {entry.subject}{part}  "
    out = console()
    out.print(line, style="quiet", end="", markup=False)
    out.print(entry_text(entry.record), style=_style(entry), markup=False)


def _style(entry: Entry) -> str:
    return {"alarm": "unsure", "intent": "strong"}.get(entry.kind, "")


def _plain(entry: Entry) -> dict[str, object]:
    return {
        "cell": entry.cell,
        "boot": entry.boot,
        "seq": entry.seq,
        "id": entry.id,
        "kind": entry.kind,
        "subject": entry.subject,
        "part": entry.part,
        "at": entry.at_utc_ns,
        "body": msgspec.Raw(entry.body),
        "hash": entry.hash,
    }


@click.command(
    help=tr(
        "Print all that the journal holds of a decision, a part or one entry.\n"
        "\n"
        "\b\n"
        "  millhand journal show casting-cell.1.42    a decision\n"
        "  millhand journal show P000042              a part\n"
        "  millhand journal show 1234                 an entry by its number"
    )
)
@click.argument("what", metavar="DECISION|PART|NUMBER")
@where_argument
@json_option
def show(*, what: str, where: str, cell: str | None, as_json: bool) -> None:
    """Print what is known of one thing."""
    with find_journal(where, cell).open() as opened:
        entries = _entries_of(opened, what)
        if not entries:
            raise ConfigError(
                tr("The journal knows nothing called {what}.", what=what),
                mend=tr("See what there is: millhand journal tail"),
            )
        for entry in entries:
            if as_json:
                show_json(_plain(entry))
            else:
                _print(entry, as_json=False)
                _print_body(entry)


def _entries_of(opened: Journal, what: str) -> list[Entry]:
    if what.isdecimal() and (found := opened.read(int(what) - 1, before=int(what) + 1)):
        return found
    about = {entry.seq: entry for entry in opened.read(id=what)}
    about |= {entry.seq: entry for entry in opened.read(part=what)}
    # Questions and answers have ids of their own, but the part is the decision's.
    for part in {entry.part for entry in about.values() if entry.part}:
        about |= {entry.seq: entry for entry in opened.read(part=part)}
    for decision in {entry.id for entry in about.values() if entry.kind == "intent"}:
        about |= {entry.seq: entry for entry in opened.read(id=decision)}
    return [about[seq] for seq in sorted(about)]


def _print_body(entry: Entry) -> None:
    from rich.json import JSON

    out = console()
    if out.is_terminal:
        out.print(JSON(entry.body.decode(), indent=2))
    else:
        click.echo(msgspec.json.format(entry.body, indent=2).decode())


@click.command(
    help=tr(
        "Walk the hash chain and report every edit, deletion and reordering.\n"
        "\n"
        "A tail that was cut off, or a chain that was written anew, is found only by comparing "
        "with what was kept elsewhere: a head (--head writes one), or the checkpoints that the "
        "engine signs and exports, checked with the public key.\n"
        "\n"
        "\b\n"
        "  millhand journal verify --at my-cell/ --key journal.pub --against /mnt/cell.jsonl\n"
        "  millhand journal verify --at my-cell/ --head /media/usb/head.json\n"
        "  millhand journal verify --at my-cell/ --against /media/usb/head.json"
    )
)
@where_argument
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=tr("A head that was kept earlier, or exported checkpoints."),
)
@click.option(
    "--key",
    "key_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=tr("A public key that checkpoints are signed with; may be given several times."),
)
@click.option(
    "--head",
    "head_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=tr("Write the chain's head to this file, to be kept elsewhere."),
)
@json_option
def verify(
    *,
    where: str,
    cell: str | None,
    against: Path | None,
    key_files: tuple[Path, ...],
    head_file: Path | None,
    as_json: bool,
) -> ExitCode:
    """Verify the chain; exit 1 if anything is wrong."""
    place = find_journal(where, cell)
    head, proof = evidence(against, key_files, place)
    with place.open() as opened:
        report = opened.verify(head, proof=proof)
    if head_file is not None and report.ok:
        head_file.write_bytes(msgspec.json.encode(report.head) + b"\n")
    if as_json:
        show_json(report)
        return ExitCode.FINE if report.ok else ExitCode.PROBLEMS
    out = console()
    for fault in report.faults:
        out.print(f"{fault.kind}: {fault.text}", style="bad", markup=False)
    if report.ok:
        out.print(
            tr(
                "{count} entries, {checkpoints} checkpoints: the chain is whole.",
                count=report.entries,
                checkpoints=report.checkpoints,
            ),
            style="good",
        )
        _print_reach(report)
    else:
        out.print(tr("{count} faults found.", count=report.faults_total), style="bad")
    out.print(
        tr("head: entry {seq}, {hash}", seq=report.head.seq, hash=report.head.hash), style="quiet"
    )
    return ExitCode.FINE if report.ok else ExitCode.PROBLEMS


def _print_reach(report: VerifyReport) -> None:
    out = console()
    witnessed = report.witnessed
    if witnessed is not None:
        out.print(
            tr(
                "{count} signatures are right and vouch for all up to entry {seq}.",
                count=witnessed.signatures,
                seq=witnessed.last_seq,
            ),
            style="good",
        )
    elif report.compared is None:
        out.print(tr("Not compared with a head kept elsewhere: a tail may have been cut off."))


@click.command(
    help=tr(
        "Write the journal as JSON lines, each entry with its hash, so that it stays provable.\n"
        "\n"
        "\b\n"
        "  millhand journal export --at my-cell/ -o decisions.jsonl\n"
        "  millhand journal export --after 12000 | jq .body.decision.verdict"
    )
)
@where_argument
@click.option("--after", default=0, show_default=True, help=tr("Only entries after this number."))
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help=tr("File to write.")
)
def export(*, where: str, cell: str | None, after: int, output: Path | None) -> None:
    """Export entries to a file or to standard output."""
    with find_journal(where, cell).open() as opened:
        head = opened.export(output or sys.stdout.buffer, after)
    click.echo(tr("Up to entry {seq}, {hash}", seq=head.seq, hash=head.hash), err=True)
