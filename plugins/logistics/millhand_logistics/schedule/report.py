"""A re-plan for others: a line, figures, pictures, events and a record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

import numpy as np

from millhand.contracts import CustomEvent, Gantt, Highlight
from millhand.contracts.decision import Explanation
from millhand.contracts.samples import Value
from millhand.messages import tr, trn
from millhand_logistics.schedule.from_shop import Floor
from millhand_logistics.schedule.replan import Move, Places, Replan, places_of

SCHEDULE, DISPATCH = "logistics.schedule", "logistics.dispatch"
_MOVES_SHOWN = 20


def summary(floor: Floor, found: Replan) -> str:
    """Say in a line what the plan costs, what it was chosen over, and what moved."""
    plan, rule = found.plan, found.proposal.best_rule
    parts = [
        trn("{count} operation moves", "{count} operations move", len(found.moves)),
        tr(
            "cost {cost:,.1f} by {source} (best rule {rule:,.1f}, right-shift {shift:,.1f})",
            cost=floor.price(plan.cost),
            source=plan.source,
            rule=floor.price(rule.cost),
            shift=floor.price(found.right_shift.cost),
        ),
    ]
    if floor.left_out:
        parts.append(tr("not planned: {orders}", orders=", ".join(sorted(floor.left_out))))
    if found.too_nervous:
        parts.append(tr("cheaper, but moves too much: {names}", names=", ".join(found.too_nervous)))
    return "; ".join(parts)


def scores(floor: Floor, found: Replan) -> dict[str, float]:
    """Return the figures of a plan; costs in the goal's prices, times in hours.

    ``right_shift_cost``, what going on as planned would cost, is there where there was a plan.
    """
    hours = floor.tick_s / 3600
    shifted = {"right_shift_cost": floor.price(found.right_shift.cost)} if found.before else {}
    return {
        "cost": floor.price(found.plan.cost),
        "best_rule_cost": floor.price(found.proposal.best_rule.cost),
        **shifted,
        "makespan_h": (found.plan.makespan - floor.now) * hours,
        "weighted_tardiness_h": found.plan.tardiness / 1000 * hours,
        "moved": float(len(found.moves)),
        "turned": float(found.turned),
        "frozen": float(len(found.frozen)),
        "not_planned": float(len(floor.left_out)),
    }


def explanations(floor: Floor, found: Replan, zone: tzinfo) -> tuple[Explanation, ...]:
    """Return the plan before (where there was one) and after as bars, and the moves in words."""
    shown: list[Explanation] = []
    if found.before:
        shown.append(_bars(floor, found.before))
    shown.append(_bars(floor, places_of(floor, found.plan)))
    if found.moves:
        shown.append(Highlight(fields=dict(_told(floor, found.moves, zone))))
    return tuple(shown)


def _bars(floor: Floor, places: Places) -> Gantt:
    return Gantt(
        origin_utc_ns=int(floor.origin.timestamp()) * 1_000_000_000,
        bars=tuple(
            (
                floor.machines[place.machine],
                f"{order}/{operation}",
                place.begin * floor.tick_s,
                place.end * floor.tick_s,
            )
            for (order, operation), place in places.items()
        ),
    )


def _told(floor: Floor, moves: tuple[Move, ...], zone: tzinfo) -> Iterator[tuple[str, str]]:
    for move in moves[:_MOVES_SHOWN]:
        before, after = (
            floor.moment(tick).astimezone(zone).strftime("%a %H:%M")
            for tick in (move.from_begin, move.to_begin)
        )
        yield (
            f"{move.order}/{move.operation}",
            f"{move.from_machine} {before} → {move.to_machine} {after}: {move.why}",
        )
    if len(moves) > _MOVES_SHOWN:
        yield "…", tr("and {n} more", n=len(moves) - _MOVES_SHOWN)


def events(floor: Floor, found: Replan) -> tuple[CustomEvent, ...]:
    """Tell others of the plan, and of the next operation of each machine."""
    late = sum(
        1
        for j, order in enumerate(floor.problem.orders)
        if order.due is not None
        and int(found.plan.end[floor.problem.tables.order == j].max()) > order.due
    )
    told = CustomEvent(
        name=SCHEDULE,
        data={
            "cost": floor.price(found.plan.cost),
            "source": found.plan.source,
            "moved": len(found.moves),
            "late_orders": late,
            "done": floor.moment(found.plan.makespan).isoformat(),
        },
    )
    return (told, *_next(floor, found))


def _next(floor: Floor, found: Replan) -> Iterator[CustomEvent]:
    plan = found.plan
    for m, machine in enumerate(floor.machines):
        waiting = np.flatnonzero((plan.machine == m) & (plan.start >= floor.now))
        if waiting.size == 0:
            continue
        i = int(waiting[np.argmin(plan.start[waiting])])
        order, operation = floor.keys[i]
        yield CustomEvent(
            name=DISPATCH,
            data={
                "machine": machine,
                "order": order,
                "operation": operation,
                "begin": floor.moment(int(plan.start[i])).isoformat(),
                "end": floor.moment(int(plan.end[i])).isoformat(),
            },
        )


def record(floor: Floor, found: Replan) -> dict[str, Value]:
    """Return the plan as columns, for another system."""
    rows = sorted(
        (int(found.plan.start[i]), int(found.plan.end[i]), i) for i in range(len(floor.keys))
    )
    return {
        "order": [floor.keys[i][0] for _, _, i in rows],
        "operation": [floor.keys[i][1] for _, _, i in rows],
        "machine": [floor.machines[found.plan.machine[i]] for _, _, i in rows],
        "begin": [floor.moment(begin).isoformat() for begin, _, _ in rows],
        "end": [floor.moment(end).isoformat() for _, end, _ in rows],
    }
