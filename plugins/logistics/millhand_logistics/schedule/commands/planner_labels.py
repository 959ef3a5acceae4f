"""``millhand planner-labels``: what planners said of plans, as shops to distil from."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from millhand.cli.exits import ExitCode
from millhand.cli.output import console
from millhand.cli.places import find_journal
from millhand.errors import ConfigError
from millhand.messages import tr, trn
from millhand.scenario.load import load
from millhand_logistics.schedule.agent import ScheduleAgent
from millhand_logistics.schedule.config import ScheduleConfig
from millhand_logistics.schedule.distil.planner_labels import KINDS
from millhand_logistics.schedule.distil.planner_labels import planner_labels as read_labels

_USE = "logistics.schedule"


@click.command(
    help=tr(
        "Write what planners said of an agent's plans into a folder of shops, to distil a student "
        "from. The journal is only read.\n"
        "\n"
        "A planner who moves an operation says so with `millhand review disagree DECISION "
        '"A-1/mill before B-1/mill"` (after, on MACHINE); `agree` says that the plan is right.\n'
        "\n"
        "\b\n"
        "  millhand planner-labels my-shop/ data/labels --at runs/my-shop"
    )
)
@click.argument("scenario", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--at",
    "where",
    metavar="WHERE",
    help=tr("Folder of a run, journal file, or database URL; the scenario's own where left out."),
)
@click.option("--cell", metavar="NAME", help=tr("The cell, where a database holds several."))
@click.option("--agent", metavar="NAME", help=tr("Which agent, where the scenario has several."))
def planner_labels(
    scenario: Path, folder: Path, where: str | None, cell: str | None, agent: str | None
) -> ExitCode:
    """Write shops with the order that people want; ends with 1 where an answer is of no use."""
    loaded = load(scenario)
    planners = {name: one for name, one in loaded.file.agents.items() if one.use == _USE}
    name = agent or (next(iter(planners)) if len(planners) == 1 else "")
    if name not in planners:
        raise ConfigError(
            tr("Which planner is meant?"),
            mend=tr("Name one with --agent: {names}.", names=", ".join(planners) or "–"),
        )
    planner = ScheduleAgent(ScheduleConfig.model_validate(planners[name].config))
    folder.mkdir(parents=True, exist_ok=True)
    with find_journal(where or str(scenario), cell).open() as journal:
        labels = list(read_labels(planner, name, journal.read(kinds=KINDS, limit=None)))
    written = 0
    for label in labels:
        if label.arrays is None:
            line = f"{label.decision}: {label.why_not}"
            console(stderr=True).print(line, style="unsure", markup=False)
            continue
        np.savez_compressed(folder / f"{label.decision}.npz", allow_pickle=False, **label.arrays)
        written += 1
    click.echo(
        trn(
            "{count} label lies in {folder}.", "{count} labels lie in {folder}.", written,
            folder=folder,
        )
    )  # fmt: skip
    return ExitCode.FINE if written == len(labels) else ExitCode.PROBLEMS
