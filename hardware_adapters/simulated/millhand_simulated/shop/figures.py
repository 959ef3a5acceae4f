"""What a planner's shop was worth."""

from __future__ import annotations

from msgspec import Struct

from millhand_simulated.shop.config import JobShopConfig
from millhand_simulated.shop.world import World


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of one shop, hours unless said otherwise."""

    planner: str
    finished: bool
    late_orders: int
    weighted_tardiness_h: float
    makespan_h: float
    utilisation: float
    """Share of the machines' time from opening to end in which they worked or were set up."""
    setup_h: float
    moves: int
    plans: int
    transports: int
    transport_min: float
    """Mean minutes from a transport's being asked for to its arrival."""
    money: float


def figures(config: JobShopConfig, planner: str, world: World) -> Figures:
    """Add up what a shop has done so far; orders that are not done count as late as they are."""
    opened = config.shop.now
    late, weighted, last = 0, 0.0, 0.0
    for order in world.orders.values():
        done = world.completion(order)
        end = world.now if done is None else done
        last = max(last, end)
        if order.due is not None:
            by = end - (order.due - opened).total_seconds()
            late += by > 0
            weighted += max(by, 0.0) * order.weight / 3600
    busy = sum((r.setup_begin < r.begin) * (r.begin - r.setup_begin) + r.work for r in world.runs)
    makespan = last / 3600
    prices = config.prices
    return Figures(
        planner=planner,
        finished=world.finished,
        late_orders=late,
        weighted_tardiness_h=round(weighted, 2),
        makespan_h=round(makespan, 2),
        utilisation=round(busy / 3600 / max(makespan * len(config.shop.machines), 1e-9), 4),
        setup_h=round(sum(r.begin - r.setup_begin for r in world.runs) / 3600, 2),
        moves=world.moves,
        plans=world.plans,
        transports=world.loads.done,
        transport_min=round(world.loads.waited_s / 60 / max(world.loads.done, 1), 1),
        money=round(
            makespan * prices.shop_hour + weighted * prices.late_hour + world.moves * prices.move, 2
        ),
    )
