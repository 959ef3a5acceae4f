"""Routes: by hand, against plain PyVRP, on the road, and when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand.errors import ConfigError
from millhand_logistics.routes.commands.routes import routes
from millhand_logistics.routes.model import Day
from millhand_logistics.routes.network import matrices
from millhand_logistics.routes.reading import day_text
from millhand_logistics.routes.solve import MICRO, plan_routes

pyvrp = pytest.importorskip("pyvrp")

DAY = """\
millhand_routes: 1
name: milk run
time_zone: Europe/Berlin
day: 2026-11-26
travel: {speed: 36 , detour: 1}
depots:
  works: [0, 0]
  south: [2, -30]
vehicles:
  van_1:
    start: works
    capacity: {pallets: 8}
    shift: {from: "06:00", to: "14:00"}
    per_km: 0.5
    per_hour: 36
  van_2:
    start: south
    capacity: {pallets: 8}
    shift: {from: "06:00", to: "14:00"}
    per_km: 0.5
    per_hour: 36
    fixed_cost: 20
stops:
  - {id: A, at: [10, 0], delivery: {pallets: 3}, windows: [{from: "08:00", to: "09:00"}]}
  - {id: B, at: [20, 0], delivery: {pallets: 4},
     windows: [{from: "06:30", to: "06:40"}, {from: "08:30", to: "12:00"}]}
  - {id: C, at: [0, 8], pickup: {pallets: 8}}
  - {id: D, at: [2, -25], delivery: {pallets: 5}}
  - {id: E, at: [40, 40], delivery: {pallets: 1}, skip_cost: 10}
"""


def visits(found) -> dict[str, list[str]]:
    return {route.vehicle: [v.stop for v in route.visits] for route in found.routes}


def test_a_day_by_hand() -> None:
    found = plan_routes(day_text(DAY), 300)
    assert visits(found) == {"van_1": ["A", "B", "C"], "van_2": ["D"]}
    assert found.left_out == ("E",)
    (first, _) = found.routes
    at = {visit.stop: visit for visit in first.visits}
    # Ten km at 36 km/h are 1000 s; A opens at 08:00, B, 1000 s on, opens anew at 08:30.
    assert at["A"].begin >= 8 * 3600
    assert at["B"].begin >= 8 * 3600 + 1800
    assert first.distance_m == 20_000 + round(np.hypot(20, 8) * 1000 + 0.5) + 8000
    hours = sum((r.back - r.leave) / 3600 for r in found.routes)
    km = sum(r.distance_m for r in found.routes) / 1000
    assert found.cost / MICRO == pytest.approx(0.5 * km + 36 * hours + 20 + 10, abs=0.01)


def test_the_same_effort_gives_the_same_routes() -> None:
    assert plan_routes(day_text(DAY), 100, seed=3) == plan_routes(day_text(DAY), 100, seed=3)


VAN_3 = '{start: works, carries: [A], shift: {from: "06:00", to: "14:00"}}'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("start: south", "start: north", "no depot “north”"),
        ("pickup: {pallets: 8}", "pickup: {pallets: 9}", "no vehicle carries more than 8"),
        ("pickup: {pallets: 8}", "pickup: {pallets: -1}", "C has -1 pallets"),
        ("id: B", "id: A", "A stands here twice"),
        ("at: [0, 8]", "at: {latitude: 50, longitude: 8}", "Some places are in km"),
        ("at: [0, 8]", "at: [0]", "is no place"),
        ("at: [0, 8]", "at: {latitude: 95, longitude: 8}", "is no place"),
        ("to: \"14:00\"", "to: \"05:00\"", "ends before it begins"),
        ("fixed_cost: 20", "carries: [Z]", "which is no stop"),
        ("fixed_cost: 20", f"carries: [A]\n  van_3: {VAN_3}", "van_3 and van_2 both carry"),
        ("skip_cost: 10", "skip_cost: 0", "greater than|above 0"),
        ("{pallets: 4},\n", "{pallets: 4}, skip_cost: 5,\n", "one window"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(old: str, new: str, words: str) -> None:
    assert old in DAY
    with pytest.raises(ConfigError, match=words):
        day_text(DAY.replace(old, new, 1))


def test_stops_that_cannot_be_served_are_an_error_with_the_reason() -> None:
    late = DAY.replace('from: "08:00", to: "09:00"', 'from: "05:00", to: "05:30"')
    with pytest.raises(ConfigError, match="windows and shifts are too short"):
        plan_routes(day_text(late), 100)


ON_ROAD = DAY.replace(
    "    fixed_cost: 20\n",
    "    position: [11, -3]\n    free_at: 2026-11-26T07:30\n    carries: [B]\n",
)


def test_goods_on_board_stay_with_their_vehicle() -> None:
    found = plan_routes(day_text(ON_ROAD), 300)
    assert "B" in visits(found)["van_2"]
    route = next(r for r in found.routes if r.vehicle == "van_2")
    assert route.leave >= 7 * 3600 + 1800


def random_day(seed: int, *, stops: int = 25, vehicles: int = 4) -> Day:
    draw = np.random.default_rng(seed)
    return Day.model_validate(
        {
            "millhand_routes": 1,
            "time_zone": "UTC",
            "day": "2026-11-26",
            "depots": {"a": [0, 0], "b": [30, 30]},
            "vehicles": {
                f"v{i}": {
                    "start": "ab"[i % 2],
                    "capacity": {"kg": 200},
                    "shift": {"from": "06:00", "to": "20:00"},
                    "per_hour": 20,
                }
                for i in range(vehicles)
            },
            "stops": [
                {
                    "id": f"s{i}",
                    "at": draw.uniform(-20, 50, 2).round(2).tolist(),
                    "delivery": {"kg": int(draw.integers(1, 20))},
                    "windows": [{"from": f"{8 + i % 6:02}:00", "to": f"{13 + i % 6:02}:00"}],
                }
                for i in range(stops)
            ],
        }
    )


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_a_warm_start_is_never_worse_and_new_stops_join(seed: int) -> None:
    day = random_day(seed)
    first = plan_routes(day, 60, seed=seed)
    again = plan_routes(day, 1, seed=seed + 1, before=first)
    assert again.cost <= first.cost
    fewer = day.model_copy(update={"stops": day.stops[5:]})
    part = plan_routes(fewer, 60)
    joined = plan_routes(day, 60, before=part)
    assert {v for r in joined.routes for v in visits(joined)[r.vehicle]} == {
        s.id for s in day.stops
    }


def test_costs_are_pyvrps_own() -> None:
    """A plain PyVRP model of the same day, written out by hand, costs the same."""
    day = random_day(1, stops=12, vehicles=2)
    found = plan_routes(day, 400, seed=1)
    model = pyvrp.Model()
    places = [*day.depots.values(), *(s.at for s in day.stops)]
    metres, seconds = matrices(places, day.travel)
    spots = [model.add_location(p[1], p[2]) for p in places]
    depots = [model.add_depot(spot) for spot in spots[:2]]
    for stop, spot in zip(day.stops, spots[2:], strict=True):
        window = stop.windows[0]
        model.add_client(
            spot,
            delivery=round(stop.delivery["kg"]),
            service_duration=300,
            tw_early=window.begins.hour * 3600,
            tw_late=window.ends.hour * 3600,
        )
    for vehicle in day.vehicles.values():
        depot = depots["ab".index(vehicle.start)]
        model.add_vehicle_type(
            capacity=200,
            start_depot=depot,
            end_depot=depot,
            tw_early=6 * 3600,
            tw_late=20 * 3600,
            unit_distance_cost=1000,
            unit_duration_cost=round(20 * MICRO / 3600),
        )
    for i, a in enumerate(spots):
        for k, b in enumerate(spots):
            model.add_edge(a, b, int(metres[i, k]), int(seconds[i, k]))
    result = model.solve(pyvrp.stop.MaxIterations(400), seed=1, display=False)
    assert found.cost == result.cost()


def test_haversine_distances() -> None:
    day = random_day(1)
    berlin, munich = ("globe", 52.52, 13.405), ("globe", 48.1374, 11.5755)
    metres, _ = matrices([berlin, munich], day.travel.model_copy(update={"detour": 1.0}))  # type: ignore[list-item]
    assert metres[0, 1] == pytest.approx(504_400, rel=2e-3)
    assert metres[0, 0] == 0


def test_the_command_shows_draws_and_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "day.yaml"
    file.write_text(DAY)
    picture = tmp_path / "day.svg"
    shown = CliRunner().invoke(routes, [str(file), "--map", str(picture)], standalone_mode=False)
    assert shown.return_value == 1
    assert "E is left out." in shown.output
    root = ET.fromstring(picture.read_text(encoding="utf-8"))
    titles = [e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 2 + 5
    told = CliRunner().invoke(routes, [str(file), "--json"], standalone_mode=False)
    earlier = tmp_path / "routes.json"
    earlier.write_text(told.output)
    again = CliRunner().invoke(
        routes, [str(file), "--json", "--iterations", "1", "--before", str(earlier)],
        standalone_mode=False,
    )  # fmt: skip
    assert json.loads(again.output)["cost"] <= json.loads(told.output)["cost"]
    earlier.write_text("{}")
    wrong = CliRunner().invoke(routes, [str(file), "--before", str(earlier)], standalone_mode=False)
    assert isinstance(wrong.exception, ConfigError)
