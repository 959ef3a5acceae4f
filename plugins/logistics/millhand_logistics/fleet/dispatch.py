"""One look at the fleet: what has been done, who does what next, which nodes are released. Pure.

Only nodes that are reserved for a vehicle are ever released to it, and a node is reserved for one
vehicle at a time; so vehicles that keep to their orders do not meet. A vehicle whose next node is
taken waits, then looks for a way around what others hold, then steps aside; one that stands idle
in another's way is sent aside.
"""

from __future__ import annotations

import numpy as np

from millhand_logistics.fleet.assignment import assign
from millhand_logistics.fleet.roads import Roads
from millhand_logistics.fleet.state import (
    Book,
    Job,
    Plan,
    Request,
    Round,
    Rules,
    Stage,
    Vehicle,
    Vehicles,
)

_ACTIONS = {Stage.PICK: "pick", Stage.DROP: "drop", Stage.CHARGE: "startCharging"}
_UNLIKE = 5
_SIDESTEP_AFTER = 3
"""Times the patience, before a vehicle without a way around goes anywhere at all."""


def dispatch(book: Book, vehicles: Vehicles, roads: Roads, rules: Rules) -> Round:
    """Look once; ``book`` is changed to what is then asked.

    The same book, vehicles, roads and rules give the same round. Work is bounded by the numbers of
    vehicles, open jobs and nodes.
    """
    found = Round()
    _learn(book, roads, rules)
    for name in vehicles:
        book.plans.setdefault(name, Plan())
    for name in [name for name in book.plans if name not in vehicles]:
        del book.plans[name]
    for name, vehicle in vehicles.items():
        _follow(book, book.plans[name], vehicle, found)
    _give_jobs(book, vehicles, roads, rules, found)
    _send_to_charge(book, vehicles, roads, rules)
    _release(book, vehicles, roads, rules, found)
    return found


def _learn(book: Book, roads: Roads, rules: Rules) -> None:
    """Compute all distances that this round and the next will ask for, in one go."""
    goals = [plan.goal for plan in book.plans.values() if plan.busy]
    goals += [node for job in book.jobs.values() for node in (job.pick, job.drop)]
    roads.prepare([*goals, *sorted(rules.chargers)], rules.blocked)


# --- what has happened ---


def _follow(book: Book, plan: Plan, vehicle: Vehicle, found: Round) -> None:
    if not vehicle.known:
        return
    if not plan.busy:
        plan.ahead, plan.first = [vehicle.node], 0
        return
    if vehicle.order != plan.order:
        return
    passed = (vehicle.sequence - plan.first) // 2
    if 0 < passed < len(plan.ahead) and plan.ahead[passed] == vehicle.node:
        del plan.ahead[:passed]
        plan.first += 2 * passed
        plan.asked_from = max(0, plan.asked_from - passed)
        plan.waits = 0
    if vehicle.update >= plan.update:
        plan.tries = 0
        if plan.complete and vehicle.idle and vehicle.node == plan.goal and len(plan.ahead) == 1:
            _arrived(book, plan, found)


def _arrived(book: Book, plan: Plan, found: Round) -> None:
    """Turn to what comes after a leg that is done."""
    job = book.jobs.get(plan.job)
    if plan.stage is Stage.PICK and job is not None:
        job.loaded = True
        _set_out(book, plan, job.drop, Stage.DROP, job.id)
        return
    if plan.stage is Stage.DROP and job is not None:
        found.done.append(book.jobs.pop(job.id))
    _rest(plan)


def _rest(plan: Plan) -> None:
    plan.ahead = plan.ahead[:1]
    plan.order, plan.update, plan.first = "", 0, 0
    plan.goal, plan.stage, plan.job = "", Stage.NONE, ""
    plan.asked_from = plan.waits = plan.tries = 0


def _set_out(book: Book, plan: Plan, goal: str, stage: Stage, job: str = "") -> None:
    """Begin a leg with an order of its own, which is not sent before its first step is free."""
    plan.order, plan.update, plan.first = book.next_order(), -1, 0
    plan.goal, plan.stage, plan.job = goal, stage, job
    plan.ahead = plan.ahead[:1]
    plan.asked_from = plan.waits = plan.tries = 0


# --- who does what ---


def _give_jobs(book: Book, vehicles: Vehicles, roads: Roads, rules: Rules, found: Round) -> None:
    _take_back(book, vehicles, rules, found)
    free = [
        name
        for name, vehicle in vehicles.items()
        if vehicle.usable and _may_work(book.plans[name], vehicle, rules)
    ]
    open_jobs = [job for job in book.jobs.values() if not job.vehicle]
    for job in open_jobs:
        job.waited += 1
    # No more than can be given; the eldest and most urgent first.
    open_jobs.sort(key=lambda job: (-job.priority, -job.waited, job.id))
    open_jobs = open_jobs[: 2 * len(free)]
    if not free or not open_jobs:
        return
    cost = np.full((len(open_jobs), len(free)), np.inf)
    for row, job in enumerate(open_jobs):
        to = roads.distances_to(job.pick, rules.blocked)
        worth = rules.metres_for_priority * job.priority + rules.metres_for_wait * job.waited
        for column, name in enumerate(free):
            distance = to.get(vehicles[name].node)
            if distance is not None:
                cost[row, column] = distance - worth
    for row, column in assign(cost):
        job, name = open_jobs[row], free[column]
        job.vehicle, job.waited = name, 0
        _set_out(book, book.plans[name], job.pick, Stage.PICK, job.id)
        found.given.append((job.id, name))


def _may_work(plan: Plan, vehicle: Vehicle, rules: Rules) -> bool:
    if plan.stage is Stage.ASIDE:
        return False
    if plan.busy or vehicle.charge < rules.charge_below:
        return False
    return not vehicle.charging or vehicle.charge >= rules.work_from


def _take_back(book: Book, vehicles: Vehicles, rules: Rules, found: Round) -> None:
    """Take jobs from vehicles that cannot do them, unless the load is on board already."""
    for name, plan in book.plans.items():
        vehicle = vehicles[name]
        job = book.jobs.get(plan.job)
        silent = plan.tries > rules.tries
        if plan.busy and (silent or not vehicle.usable):
            why = "does not show its order" if silent else "cannot drive on"
            found.stuck[name] = why
            if job is not None and not job.loaded:
                job.vehicle = ""
                found.returned.append((job.id, name, why))
                plan.job = ""
                plan.stage = Stage.ASIDE
        if plan.job and job is None:
            plan.job = ""


def _send_to_charge(book: Book, vehicles: Vehicles, roads: Roads, rules: Rules) -> None:
    taken = {plan.goal for plan in book.plans.values() if plan.stage is Stage.CHARGE}
    taken |= {
        one.node
        for one in vehicles.values()
        if one.known and one.charging and one.charge < rules.charge_until
    }
    for name, vehicle in sorted(vehicles.items(), key=lambda item: item[1].charge):
        plan = book.plans[name]
        low = vehicle.charge < rules.charge_below
        if plan.busy or not vehicle.usable or vehicle.charging or not low:
            continue
        if vehicle.node in rules.chargers:
            _set_out(book, plan, vehicle.node, Stage.CHARGE)
            continue
        reach = [
            (distance, charger)
            for charger in rules.chargers - taken
            if (distance := roads.distances_to(charger, rules.blocked).get(vehicle.node))
            is not None
        ]
        if reach:
            charger = min(reach)[1]
            taken.add(charger)
            _set_out(book, plan, charger, Stage.CHARGE)


# --- which nodes are released ---


def _release(book: Book, vehicles: Vehicles, roads: Roads, rules: Rules, found: Round) -> None:
    held = _held(book, vehicles)
    for name in sorted(book.plans, key=lambda one: _rank(book, one, rules)):
        plan, vehicle = book.plans[name], vehicles[name]
        if not plan.busy or not vehicle.usable or not vehicle.known:
            continue
        if plan.update >= 0 and not _shown(plan, vehicle):
            plan.tries += 1
            found.requests.append(_request(book, name, plan))
            continue
        if plan.complete and plan.update >= 0:
            continue
        steps = _steps(book, name, roads, rules, held)
        if not steps and not (plan.update < 0 and plan.ahead[0] == plan.goal):
            plan.waits += 1
            if plan.stage is Stage.ASIDE and not plan.job and plan.update < 0:
                plan.goal = _place_aside(book, vehicle.node, roads, rules, held) or plan.goal
            _make_room(book, name, vehicles, roads, rules, held)
            if plan.waits > rules.patience * _SIDESTEP_AFTER:
                found.stuck.setdefault(name, "waits for a way")
            continue
        for node in steps:
            held[node] = name
        plan.waits = 0
        plan.asked_from = len(plan.ahead) - 1
        plan.ahead += steps
        plan.update += 1
        found.requests.append(_request(book, name, plan))


def _shown(plan: Plan, vehicle: Vehicle) -> bool:
    return vehicle.order == plan.order and vehicle.update >= plan.update


def _held(book: Book, vehicles: Vehicles) -> dict[str, str]:
    """Return who holds which node: where vehicles are, and what was released to them."""
    held: dict[str, str] = {}
    for name, plan in book.plans.items():
        if vehicles[name].known:
            held[vehicles[name].node] = name
        for node in plan.ahead:
            held[node] = name
    return held


def _rank(book: Book, name: str, rules: Rules) -> tuple[int, int, int, int, str]:
    """Order of precedence: who has waited for very long, who carries something, and so on.

    Waiting comes first, so that nobody is kept in a corner by those who come and go before it.
    """
    plan = book.plans[name]
    job = book.jobs.get(plan.job)
    loaded = job is not None and job.loaded
    long = plan.waits // (rules.patience * _SIDESTEP_AFTER)
    return (-long, -int(loaded), -plan.waits, -(job.priority if job else 0), name)


def _steps(
    book: Book,
    name: str,
    roads: Roads,
    rules: Rules,
    held: dict[str, str],
) -> list[str]:
    """Return the nodes that can be released to a vehicle now."""
    plan = book.plans[name]
    room = rules.look_ahead - (len(plan.ahead) - 1)
    steps: list[str] = []
    at = plan.ahead[-1]
    while len(steps) < room and at != plan.goal:
        following = roads.next_nodes(at, plan.goal, rules.blocked)
        onward = next(
            (
                node
                for distance, node in following
                if held.get(node, name) == name
                and node not in plan.ahead
                and node not in steps
                and distance <= following[0][0] + 1e-6
            ),
            None,
        )
        if onward is None:
            break
        steps.append(onward)
        at = onward
    if steps or plan.waits < _patience(book, name, rules) or len(plan.ahead) > 1:
        return steps
    return _detour(book, name, roads, rules, held)[: max(room, 1)]


def _patience(book: Book, name: str, rules: Rules) -> int:
    """Return how many rounds a vehicle waits.

    Not as many as the next one, so that two who give way to each other do not do it in step.
    """
    return rules.patience + list(book.plans).index(name) % _UNLIKE


def _detour(book: Book, name: str, roads: Roads, rules: Rules, held: dict[str, str]) -> list[str]:
    """Return a way around what others hold, or after longer waiting any free node near by."""
    plan = book.plans[name]
    at = plan.ahead[-1]
    others = {node for node, holder in held.items() if holder != name}
    around = roads.way_around(at, plan.goal, others - {plan.goal}, rules.blocked)
    if around is not None and around[0] not in others:
        free: list[str] = []
        for node in around:
            if node in others:
                break
            free.append(node)
        return free
    if plan.waits < _patience(book, name, rules) * _SIDESTEP_AFTER:
        return []
    return _sidestep(book, name, roads, rules, held, others)


def _sidestep(
    book: Book, name: str, roads: Roads, rules: Rules, held: dict[str, str], others: set[str]
) -> list[str]:
    """Return a free node beside, rather one that the blocking vehicle does not want to pass."""
    plan = book.plans[name]
    at = plan.ahead[-1]
    free = [node for node, _ in roads.out[at] if node not in others and node not in rules.blocked]
    wanted = roads.next_nodes(at, plan.goal, rules.blocked)
    blocker = book.plans.get(held.get(wanted[0][1], "")) if wanted else None
    if blocker is not None and blocker.goal:
        to = roads.distances_to(blocker.goal, rules.blocked)
        here = to.get(at, 0.0)
        free.sort(key=lambda node: to.get(node, here) < here)
    return free[:1]


def _make_room(
    book: Book,
    name: str,
    vehicles: Vehicles,
    roads: Roads,
    rules: Rules,
    held: dict[str, str],
) -> None:
    """Send away a vehicle that stands idle where another one must pass."""
    plan = book.plans[name]
    if plan.waits < rules.patience:
        return
    for _, node in roads.next_nodes(plan.ahead[-1], plan.goal, rules.blocked):
        holder = held.get(node, name)
        if holder == name or book.plans[holder].busy or not vehicles[holder].usable:
            continue
        place = _place_aside(book, vehicles[holder].node, roads, rules, held)
        if place is not None:
            _set_out(book, book.plans[holder], place, Stage.ASIDE)
            return


def _place_aside(
    book: Book, start: str, roads: Roads, rules: Rules, held: dict[str, str]
) -> str | None:
    """Return where a vehicle can go that is in the way: best over free nodes, and nobody's goal."""
    free = {node for node in roads.out if node not in held and node not in rules.blocked}
    quiet = free - {plan.goal for plan in book.plans.values()} - rules.chargers
    return (
        roads.nearest(start, quiet.__contains__, free.__contains__)
        or roads.nearest(start, free.__contains__, free.__contains__)
        or roads.nearest(start, free.__contains__)
    )


def _request(book: Book, name: str, plan: Plan) -> Request:
    """Return the newest part of a vehicle's order, to be sent for the first time or again."""
    job = book.jobs.get(plan.job)
    path = tuple(plan.ahead[plan.asked_from :])
    return Request(
        vehicle=name,
        order=plan.order,
        update=plan.update,
        path=path,
        first=plan.first + 2 * plan.asked_from,
        action=_ACTIONS.get(plan.stage, "") if path[-1] == plan.goal else "",
        load=job.id if job is not None else "",
    )


def add_job(book: Book, job: Job) -> bool:
    """Take in a job; return False where one of its id is there already."""
    if job.id in book.jobs:
        return False
    book.jobs[job.id] = job
    return True
