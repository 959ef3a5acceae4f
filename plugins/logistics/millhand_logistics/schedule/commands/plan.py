"""``millhand plan``: plan a shop from its file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.errors import ConfigError
from millhand.messages import tr, trn
from millhand_logistics.schedule.commands.student import student_option
from millhand_logistics.schedule.effort import effort_within
from millhand_logistics.schedule.explain import reason, words
from millhand_logistics.schedule.from_shop import Floor, floor_of
from millhand_logistics.schedule.gantt import gantt
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.propose import Effort, Proposal, propose
from millhand_logistics.shop.model import Shop
from millhand_logistics.shop.reading import load_shop

_PATIENCE_S = 1.0


@click.command(
    help=tr(
        "Plan a shop: when each operation runs on which machine, and why. Nothing is sent "
        "anywhere.\n"
        "\n"
        "Every rule, the student and the solver propose; one simulation prices them all, and the "
        "cheapest is shown. It is never worse than the best rule.\n"
        "\n"
        "\b\n"
        "  millhand plan shop.yaml\n"
        "  millhand plan shop.yaml --solver 0.5 --gantt plan.svg\n"
        "\n"
        "Ends with 1 when an order will be late or cannot be planned."
    )
)
@click.argument("shop", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--now", default=None, help=tr("Plan from this moment on, ISO 8601."))
@click.option(
    "--solver",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 100),
    help=tr("Effort of the solver, in its own deterministic time; needs OR-Tools."),
)
@click.option(
    "--gantt", "picture", type=click.Path(path_type=Path), help=tr("Write a picture (SVG) there.")
)
@student_option
@json_option
def plan(
    shop: Path,
    now: str | None,
    solver: float,
    picture: Path | None,
    student: Policy | None,
    as_json: bool,
) -> ExitCode:
    """Plan and show."""
    described = load_shop(shop)
    floor = floor_of(described, _moment(described, now))
    proposal = propose(floor.problem, _effort(floor, solver), student)
    if picture is not None:
        heading = tr("{name}, by {source}", name=described.name, source=proposal.plan.source)
        drawn = gantt(floor, [(heading, proposal.plan)], described.time_zone)
        picture.write_text(drawn, encoding="utf-8")
    if as_json:
        show_json(_record(floor, proposal))
    else:
        _show(described, floor, proposal)
    late = proposal.plan.tardiness > 0 or bool(floor.left_out)
    return ExitCode.PROBLEMS if late else ExitCode.FINE


def _effort(floor: Floor, solver: float) -> Effort:
    """Return what a person who waits for a second is worth, and the solver beside."""
    return effort_within(_PATIENCE_S, floor.problem.tables.operations, solver=solver)


def _moment(shop: Shop, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return shop.moment(datetime.fromisoformat(text))
    except ValueError as error:
        raise ConfigError(
            tr("“{text}” is no moment.", text=text), mend=tr("Write 2026-11-27T14:00.")
        ) from error


def _show(shop: Shop, floor: Floor, proposal: Proposal) -> None:
    screen, chosen, zone = console(), proposal.plan, shop.time_zone
    rows = []
    for i in sorted(range(len(floor.keys)), key=lambda i: (int(chosen.start[i]), i)):
        begin, end = (
            floor.moment(int(t)).astimezone(zone) for t in (chosen.start[i], chosen.end[i])
        )
        rows.append(
            (
                f"{begin:%a %d.%m. %H:%M}",
                f"{end:%a %d.%m. %H:%M}",
                floor.machines[chosen.machine[i]],
                *floor.keys[i],
                words(floor.problem, reason(floor.problem, chosen, i)),
            )
        )
    heads = (tr("begin"), tr("end"), tr("machine"), tr("order"), tr("operation"), tr("why then"))
    screen.print(table(*heads, rows=rows))
    screen.print()
    for name, late in _late(floor, proposal).items():
        text = tr("{order} is late by {hours:.1f} h.", order=name, hours=late)
        if name in floor.hopeless:
            text += " " + tr("It could not be met even in an empty shop.")
        screen.print(Text(text, style="bad"))
    for name, why in floor.left_out.items():
        screen.print(Text(tr("{order} is not planned. {why}", order=name, why=why), style="unsure"))
    _compared(floor, proposal)


def _late(floor: Floor, proposal: Proposal) -> dict[str, float]:
    """Return the hours that each late order is late."""
    t, found = floor.problem.tables, {}
    for j, order in enumerate(floor.problem.orders):
        done = int(proposal.plan.end[t.order == j].max())
        if order.due is not None and done > order.due:
            found[order.name] = (done - order.due) * floor.tick_s / 3600
    return found


def _compared(floor: Floor, proposal: Proposal) -> None:
    chosen, rule = proposal.plan, proposal.best_rule
    parts = [
        tr(
            "Proposed by {source} at a cost of {cost:,.1f}.",
            source=chosen.source,
            cost=floor.price(chosen.cost),
        )
    ]
    if rule.cost > chosen.cost > 0:
        more = 100 * (rule.cost / chosen.cost - 1)
        parts.append(
            tr("The best rule, {rule}, costs {more:.1f} % more.", rule=rule.source, more=more)
        )
    if proposal.bound and chosen.cost:
        gap = 100 * (1 - proposal.bound / chosen.cost)
        parts.append(tr("No plan can be cheaper by more than {gap:.1f} %.", gap=max(gap, 0.0)))
    count = len(proposal.tried)
    parts.append(trn("{count} way was tried.", "{count} ways were tried.", count))
    console().print(" ".join(parts))


def _record(floor: Floor, proposal: Proposal) -> dict[str, Any]:
    chosen = proposal.plan
    return {
        "source": chosen.source,
        "cost": floor.price(chosen.cost),
        "bound": floor.price(proposal.bound),
        "tried": {plan.source: floor.price(plan.cost) for plan in proposal.tried},
        "left_out": floor.left_out,
        "late_h": _late(floor, proposal),
        "operations": [
            {
                "order": order,
                "operation": operation,
                "machine": floor.machines[chosen.machine[i]],
                "begin": floor.moment(int(chosen.start[i])).isoformat(),
                "end": floor.moment(int(chosen.end[i])).isoformat(),
                "why": words(floor.problem, reason(floor.problem, chosen, i)),
            }
            for i, (order, operation) in enumerate(floor.keys)
        ],
    }
