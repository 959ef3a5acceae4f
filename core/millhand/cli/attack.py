"""``millhand attack``: a person's own cell, attacked on its simulated plant."""

from __future__ import annotations

import asyncio
import datetime as dt
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.errors import ConfigError
from millhand.messages import tr, trn

if TYPE_CHECKING:
    from millhand.attack.attack import Attack
    from millhand.attack.run import AttackRun, Result
    from millhand.journal.signing import SigningKey
    from millhand.scenario.load import Scenario

_STYLES = {"held": "good", "broken": "bad", "not_applicable": "quiet"}


@click.command(
    help=tr(
        "Attack a copy of your cell on its simulated plant; tell what was held, by which rule.\n"
        "\n"
        "PLC, engine, workers, journal, models, pictures and values are killed, frozen, faked and "
        "damaged; after each attack the books of engine and PLC are held against each other. Ends "
        "with 0 where all held, with 1 where a promise was broken. The report is signed with the "
        "key of the scenario's journal, or with --key.\n"
        "\n"
        "\b\n"
        "  millhand attack my-cell/\n"
        "  millhand attack my-cell/ --only journal. --only plc.\n"
        "  millhand attack --list\n"
        "  millhand attack --verify report.html --key plant.pub"
    )
)
@click.argument("scenario", type=click.Path(exists=True, path_type=Path), required=False)
@click.option(
    "--only", multiple=True, metavar="NAME", help=tr("Only attacks whose names begin so.")
)
@click.option("--list", "only_list", is_flag=True, help=tr("List the attacks and run none."))
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help=tr("Where the run is kept; runs/attack-NAME-TIME where left out."),
)
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=tr("Private key that signs the report; with --verify, the public one."),
)
@click.option(
    "--verify",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=tr("Check a report against its signature."),
)
@json_option
def attack(
    *,
    scenario: Path | None,
    only: tuple[str, ...],
    only_list: bool,
    folder: Path | None,
    key: Path | None,
    verify: Path | None,
    as_json: bool,
) -> ExitCode:
    """Attack a cell."""
    from millhand.attack.catalogue import attacks
    from millhand.plugins import Plugins

    if verify is not None:
        return _verify(verify, key)
    plugins = Plugins.discover()
    chosen = [
        (name, one) for name, one in attacks(plugins) if not only or name.startswith(tuple(only))
    ]
    if only_list:
        return _list(chosen, as_json=as_json)
    if scenario is None:
        raise click.UsageError(tr("Name the scenario to attack, or --list."))
    from millhand.attack.report import headline, write_report
    from millhand.attack.run import run_attacks
    from millhand.attack.signature import sign_report
    from millhand.scenario.check import require
    from millhand.scenario.load import load

    loaded = load(scenario)
    _require_simulation(loaded)
    require(loaded, plugins)
    signing = _signing_key(loaded, key)
    now = dt.datetime.now().astimezone()
    place = folder or Path("runs") / f"attack-{loaded.name}-{now:%Y%m%d-%H%M%S}"
    show = _Progress(len(chosen), quiet=as_json)
    run = asyncio.run(
        run_attacks(loaded, chosen, folder=place, plugins=plugins, progress=show.tell)
    )
    report = place / "report.html"
    write_report(report, run, command=shlex.join(["millhand", *sys.argv[1:]]))
    if signing is not None:
        sign_report(report, signing)
    if as_json:
        show_json(run)
    else:
        _say(run, headline(run), report, signed=signing is not None)
    return ExitCode.FINE if run.all_held else ExitCode.PROBLEMS


def _require_simulation(scenario: Scenario) -> None:
    if scenario.file.simulation is None:
        raise ConfigError(
            tr("The scenario {name} has no simulated plant.", name=scenario.name),
            mend=tr(
                "Add simulation: {plant: simulated.conveyor_cell, …}: real devices are never "
                "attacked."
            ),
        )


def _signing_key(scenario: Scenario, key: Path | None) -> SigningKey | None:
    """Return the key given, or the one that signs the scenario's checkpoints."""
    from millhand.journal.places import signing_key
    from millhand.journal.signing import SigningKey

    if key is not None:
        return SigningKey(key.read_text(encoding="utf-8"))
    return signing_key(scenario)


class _Progress:
    """One line for each attack, as it ends."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._total = total
        self._done = 0
        self._out = console(stderr=quiet)

    def tell(self, name: str, one: Attack, result: Result | None) -> None:
        if result is None:
            if self._out.is_terminal:
                self._out.print(
                    f"[{self._done + 1}/{self._total}] {name}: {one.title} …",
                    style="quiet", markup=False, end="\r",
                )  # fmt: skip
            return
        from millhand.attack.report import words

        self._done += 1
        verdict = result.finding.verdict
        self._out.print(f"[{self._done:>2}/{self._total}]", style="quiet", end=" ", markup=False)
        self._out.print(f"{words()[verdict]:<15}", style=_STYLES[verdict], end=" ", markup=False)
        self._out.print(f"{name:<26} {result.took_s:>5.1f} s  ", end="", markup=False)
        said = result.finding.rule if verdict == "held" else result.finding.evidence
        self._out.print(said, style="quiet", markup=False)


def _say(run: AttackRun, headline: str, report: Path, *, signed: bool) -> None:
    from millhand.attack.attack import Verdict

    out = console()
    out.print()
    out.print(headline, style="good" if run.all_held else "bad")
    aside = run.count(Verdict.NOT_APPLICABLE)
    if aside:
        text = trn(
            "{count} attack does not apply to this cell.",
            "{count} attacks do not apply to this cell.",
            aside,
        )
        out.print(text, style="quiet")
    out.print(
        tr("{seconds:.0f} s, {parts} parts", seconds=run.took_s, parts=run.parts), style="quiet"
    )
    out.print(tr("Report: {file}", file=report.resolve()), markup=False)
    if signed:
        out.print(
            tr("Signature: {file}", file=f"{report.resolve()}.sig"), style="quiet", markup=False
        )
    else:
        out.print(
            tr("Not signed. Make a key: millhand journal keygen; then --key, or journal: sign."),
            style="unsure",
        )


def _list(chosen: list[tuple[str, Attack]], *, as_json: bool) -> ExitCode:
    if as_json:
        show_json([{"name": n, "title": one.title, "promise": one.promise} for n, one in chosen])
    else:
        rows = [(name, str(one.promise), one.title) for name, one in chosen]
        console().print(table(tr("Name"), tr("Promise"), tr("Attack"), rows=rows, right=(1,)))
    return ExitCode.FINE


def _verify(report: Path, key: Path | None) -> ExitCode:
    from millhand.attack.signature import report_fits
    from millhand.journal.signing import PublicKey

    if key is None:
        raise click.UsageError(tr("Give the public key with --key."))
    fits = report_fits(report, PublicKey.read(key))
    said = tr("The report is as it was signed.") if fits else tr("The report was changed.")
    console().print(said, style="good" if fits else "bad")
    return ExitCode.FINE if fits else ExitCode.PROBLEMS
