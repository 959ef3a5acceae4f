"""What planning a day costs over plain PyVRP, on instances of CVRPLIB turned into days.

    python tests/benchmarks/routes.py [--data DIR] [--iterations N] [--seeds N]

DIR holds ``cvrp_x``, ``vrptw_solomon100`` and ``vrptw_gh1000``. A day has the instance's places (a
unit is a km), loads, service times and windows (stretched over a day, the speed with them, and a
minute longer, as whole seconds are rounded up), and as many vehicles. Plain PyVRP gets the matrices
ready made and solves the same problem with the same seed and as many iterations; ours begins with
the day already read and ends with checked routes. CPU time. The gap is of our cost over its.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import pyvrp

from millhand_logistics.routes.model import Day
from millhand_logistics.routes.solve import _Planner, plan_routes

DAY_S = 86_000
NAMES = (
    "vrptw_solomon100/R101.vrp", "vrptw_solomon100/RC208.vrp", "vrptw_solomon100/C101.vrp",
    "vrptw_solomon100/RC101.vrp", "vrptw_solomon100/R201.vrp",
    "cvrp_x/X-n101-k25.vrp", "cvrp_x/X-n200-k36.vrp", "cvrp_x/X-n401-k29.vrp",
    "vrptw_gh1000/R1_10_1.vrp",
)  # fmt: skip


def day_of(data: pyvrp.ProblemData) -> Day:
    """Turn an instance into a day."""
    depot = data.depots()[0]
    kind = data.vehicle_type(0)
    horizon = kind.tw_late if kind.tw_late < 10**9 else 0
    squeeze = DAY_S / horizon if horizon else 0.0
    places = data.locations()

    def at(place: Any) -> list[float]:
        spot = places[place.location]
        return [float(spot.x), float(spot.y)]

    def clock(value: float) -> str:
        seconds = min(int(value * squeeze), DAY_S)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    stops = []
    for number, client in enumerate(data.clients()):
        stop: dict[str, Any] = {
            "id": f"s{number}",
            "at": at(client),
            "delivery": {"kg": client.delivery[0]},
            "service": f"{max(client.service_duration * squeeze, 1):.3f} s",
        }
        if horizon:
            late = client.tw_late + 60 / squeeze
            stop["windows"] = [{"from": clock(client.tw_early), "to": clock(late)}]
        stops.append(stop)
    vehicle = {
        "start": "depot",
        "capacity": {"kg": kind.capacity[0]},
        "shift": {"from": "00:00", "to": "23:59:59"},
    }
    return Day.model_validate(
        {
            "millhand_routes": 1,
            "time_zone": "UTC",
            "day": "2026-11-26",
            "travel": {"speed": min(300.0, 3600 / squeeze) if horizon else 300, "detour": 1},
            "depots": {"depot": at(depot)},
            "vehicles": {f"v{i}": vehicle for i in range(min(200, data.num_vehicles))},
            "stops": stops,
        }
    )  # fmt: skip


def measure(day: Day, iterations: int, seed: int) -> tuple[float, float, float]:
    """Return CPU seconds within PyVRP, ours with them, and our cost over plain PyVRP's in percent.

    Both times are of one run, so that a busy computer does not come between them.
    """
    planner = _Planner(day, pyvrp)
    stop = pyvrp.stop.MaxIterations(iterations)
    solve, within = pyvrp.solve, 0.0
    plain = solve(planner._data, stop, seed=seed, collect_stats=False, params=planner.params())

    def timed(*given: Any, **named: Any) -> Any:
        nonlocal within
        begun = time.process_time()
        found = solve(*given, **named)
        within += time.process_time() - begun
        return found

    pyvrp.solve = timed
    try:
        begun = time.process_time()
        ours = plan_routes(day, iterations, seed)
        took = time.process_time() - begun
    finally:
        pyvrp.solve = solve
    return within, took, 100 * (ours.cost / plain.cost() - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/logistics"))
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    print(f"{'instance':28s} stops  plain s   ours s  overhead %   gap %")
    over = []
    for name in NAMES:
        file = given.data / name
        if not file.exists():
            continue
        rounding = "dimacs" if name.startswith("vrptw") else "round"
        day = day_of(pyvrp.read(file, rounding))
        runs = [measure(day, given.iterations, seed) for seed in range(given.seeds)]
        plain, ours, gap = (statistics.mean(column) for column in zip(*runs, strict=True))
        over.append(100 * (ours / plain - 1))
        print(
            f"{name:28s} {len(day.stops):5d} {plain:8.2f} {ours:8.2f} {over[-1]:10.1f} {gap:7.3f}"
        )
    print(f"mean overhead {statistics.mean(over):.2f} %, most {max(over):.2f} %")


if __name__ == "__main__":
    main()
