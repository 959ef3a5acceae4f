"""``millhand what-if``: what a breakdown or a hold would do to a plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.errors import ConfigError
from millhand.messages import did_you_mean, tr
from millhand.scenario.units import UnitError, parse_duration
from millhand_logistics.schedule.commands.student import student_option
from millhand_logistics.schedule.from_shop import Floor, OperationKey, floor_of
from millhand_logistics.schedule.gantt import before_and_after
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.propose import Effort, propose
from millhand_logistics.schedule.replan import Calm, Place, Replan, places_of, replan
from millhand_logistics.schedule.report import scores, summary
from millhand_logistics.schedule.simulate import Plan
from millhand_logistics.shop.model import Lot, Shop, Span
from millhand_logistics.shop.reading import load_shop


@click.command(
    help=tr(
        "Show what would become of a shop's plan if a machine stopped now, or a lot or an order "
        "were held: what moves, why, and what that costs. Nothing is sent anywhere.\n"
        "\n"
        "\b\n"
        "  millhand what-if shop.yaml --down mill=2h\n"
        "  millhand what-if shop.yaml --hold L1 --most-moves 3 --promised 8h --gantt both.svg"
    )
)
@click.argument("shop", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--down", multiple=True, metavar="MACHINE=TIME", help=tr("A machine that stops."))
@click.option("--hold", multiple=True, metavar="NAME", help=tr("A lot or order that is held."))
@click.option("--frozen", default=None, help=tr("Time in which nothing moves that need not."))
@click.option("--promised", default=None, help=tr("Time in which moves are counted."))
@click.option(
    "--most-moves", default=None, type=click.IntRange(0), help=tr("Most promises that may move.")
)
@click.option(
    "--gantt", "picture", type=click.Path(path_type=Path), help=tr("Write a picture (SVG) there.")
)
@student_option
@json_option
def what_if(
    shop: Path,
    down: tuple[str, ...],
    hold: tuple[str, ...],
    frozen: str | None,
    promised: str | None,
    most_moves: int | None,
    picture: Path | None,
    student: Policy | None,
    as_json: bool,
) -> ExitCode:
    """Plan, disturb, plan anew, and compare."""
    described = load_shop(shop)
    floor = floor_of(described)
    plan = propose(floor.problem, Effort(), student).plan
    disturbed = described
    for text in down:
        disturbed = _stopped(disturbed, floor, text)
    for name in hold:
        disturbed = _held(disturbed, name)
    after = floor_of(disturbed, floor.moment(floor.now))
    calm = Calm(
        frozen=_ticks(frozen, floor), promised=_ticks(promised, floor), most_moves=most_moves
    )
    found = replan(after, _places(floor, after, plan), calm, Effort(), student)
    if picture is not None:
        drawn = before_and_after(after, _drawn(after, found), found.plan, described.time_zone)
        picture.write_text(drawn, encoding="utf-8")
    if as_json:
        show_json({"scores": scores(after, found), "moves": found.moves})
    else:
        _show(after, found, described)
    return ExitCode.FINE


def _stopped(shop: Shop, floor: Floor, text: str) -> Shop:
    name, _, time = text.partition("=")
    if name not in shop.machines:
        raise ConfigError(
            tr("There is no machine “{name}”.", name=name), mend=did_you_mean(name, shop.machines)
        )
    try:
        length = timedelta(seconds=parse_duration(time))
    except UnitError as error:
        raise ConfigError(str(error), mend=error.mend or tr("Write --down mill=2h.")) from error
    now = floor.moment(floor.now)
    span = Span.model_validate({"from": now, "to": now + length, "why": tr("what if")})
    machine = shop.machines[name]
    stopped = machine.model_copy(update={"down": (*machine.down, span)})
    return shop.model_copy(update={"machines": {**shop.machines, name: stopped}})


def _held(shop: Shop, name: str) -> Shop:
    why = tr("what if")
    orders = {order.id for order in shop.orders}
    lots = {order.lot for order in shop.orders if order.lot is not None}
    if name in orders:
        held = tuple(o.model_copy(update={"hold": why}) if o.id == name else o for o in shop.orders)
        return shop.model_copy(update={"orders": held})
    if name in lots:
        return shop.model_copy(update={"lots": {**shop.lots, name: Lot(hold=why)}})
    raise ConfigError(
        tr("There is no lot and no order “{name}”.", name=name),
        mend=did_you_mean(name, orders | lots),
    )


def _ticks(text: str | None, floor: Floor) -> int:
    if text is None:
        return 0
    try:
        return round(parse_duration(text) / floor.tick_s)
    except UnitError as error:
        raise ConfigError(str(error), mend=error.mend) from error


def _places(before: Floor, after: Floor, plan: Plan) -> dict[OperationKey, Place]:
    """Return a plan's places in the ticks of another floor of the same shop."""
    shift = round((before.origin - after.origin).total_seconds() / after.tick_s)
    return {
        key: Place(machine=place.machine, begin=place.begin + shift, end=place.end + shift)
        for key, place in places_of(before, plan).items()
    }


def _drawn(floor: Floor, found: Replan) -> Plan:
    """Return the plan so far as one that can be drawn; what it did not hold is drawn as planned."""
    start, end, machine = (
        column.copy() for column in (found.plan.start, found.plan.end, found.plan.machine)
    )
    for i, key in enumerate(floor.keys):
        place = found.before.get(key)
        if place is not None:
            start[i], end[i], machine[i] = place.begin, place.end, place.machine
    return replace(
        found.plan, start=start, end=end, machine=machine, setup_start=start, setup_end=start
    )


def _show(floor: Floor, found: Replan, shop: Shop) -> None:
    rows = []
    for move in found.moves:
        before, after = (
            f"{floor.moment(tick).astimezone(shop.time_zone):%a %d.%m. %H:%M}"
            for tick in (move.from_begin, move.to_begin)
        )
        rows.append(
            (
                move.order,
                move.operation,
                move.from_machine,
                before,
                move.to_machine,
                after,
                move.why,
            )
        )
    heads = (
        tr("order"),
        tr("operation"),
        tr("machine"),
        tr("begin"),
        tr("now on"),
        tr("now at"),
        tr("why"),
    )
    screen = console()
    if rows:
        screen.print(table(*heads, rows=rows))
        screen.print()
    screen.print(summary(floor, found))
