"""What comes down the line, and the mechanics that move it: no sockets, no clock."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from millhand.errors import ConfigError
from millhand_simulated.parts.kinds import DEFECTS
from millhand_simulated.plc.cell import Cell, Wishes
from millhand_simulated.plc.config import CellConfig
from millhand_simulated.plc.faults import FaultTag
from millhand_simulated.plc.line import LineConfig, LinePlan
from millhand_simulated.plc.logic import Outputs
from millhand_simulated.plc.packml import Fault, State, Way


@given(seed=st.integers(0, 2**63 - 1), number=st.integers(1, 500))
def test_a_part_is_known_by_its_id_alone(seed: int, number: int) -> None:
    config = LineConfig(seed=seed, parts=500)
    part = LinePlan(config).part(number)
    assert LinePlan(config).by_id(part.part_id) == part
    assert part.number == number
    assert 0 <= part.render_seed < 2**31


def test_runs_take_turns() -> None:
    runs = [{"product": "impeller", "parts": 2}, {"product": "housing", "parts": 3, "prefix": "H"}]
    plan = LinePlan(LineConfig.model_validate({"parts": 8, "runs": runs}))
    ids = [plan.part(number).part_id for number in range(1, 9)]
    assert ids == [
        *("IMP-000001", "IMP-000002", "H-000003", "H-000004", "H-000005"),
        *("IMP-000006", "IMP-000007", "H-000008"),
    ]


def test_defects_come_at_their_rate_and_in_all_kinds() -> None:
    config = LineConfig(parts=6000, defect_rate=0.2, challenges=(7,), challenge_defect="chip")
    plan = LinePlan(config)
    kinds = Counter(plan.part(number).defect for number in range(1, 6001))
    assert set(kinds) == {None, *DEFECTS}
    assert 0.18 < 1 - kinds[None] / 6000 < 0.22
    assert max(kinds[kind] for kind in DEFECTS) < 1.4 * min(kinds[kind] for kind in DEFECTS)
    assert plan.part(7).challenge
    assert plan.part(7).defect == "chip"
    assert sum(plan.part(number).challenge for number in range(1, 6001)) == 1


GOLDEN = [(None, 363952153), ("stain", 1930493498), (None, 282916059)]


def test_parts_are_the_same_for_ever() -> None:
    """Golden values: a change here makes every recorded run a different one."""
    plan = LinePlan(LineConfig(seed=1, defect_rate=0.5))
    assert [(p.defect, p.render_seed) for p in map(plan.part, (1, 2, 3))] == GOLDEN


def test_weights_choose_the_kinds() -> None:
    config = LineConfig(parts=200, defect_rate=1, defects={"pit": 1, "crack": 0})
    assert {LinePlan(config).part(number).defect for number in range(1, 201)} == {"pit"}


@pytest.mark.parametrize("part_id", ["", "IMP-000000", "IMP-000121", "HOU-000001", "IMP-1", "x-²"])
def test_a_strange_id_says_so(part_id: str) -> None:
    with pytest.raises(ConfigError, match="No part of the simulated line"):
        LinePlan(LineConfig()).by_id(part_id)


@pytest.mark.parametrize(
    "values",
    [
        {"runs": []},
        {"runs": [{"product": "gear", "parts": 1}]},
        {"defects": {"dent": 1}},
        {"defects": {"pit": 0}},
        {"defects": {"pit": -1, "crack": 2}},
        {"defect_rate": 1.1},
        {"camera_to_gate_ticks": 600, "takt_ticks": 50},
        {"gate_sensor_ticks": 49, "takt_ticks": 50},
        {"user": "operator"},
        {"speed": 0},
        {"colour": "blue"},
        {"faults": [{"fault": "Meteor", "at_part": 1}]},
    ],
)
def test_a_cell_that_cannot_be_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CellConfig.model_validate(values)


def run(config: CellConfig, limit: int = 20_000) -> tuple[Cell, list[Outputs]]:
    """Run a cell without any client to its end."""
    cell, shown = Cell(config), []
    while not cell.finished:
        shown.append(cell.step(Wishes(run=True)).outputs)
        assert len(shown) < limit, "the line does not end"
    return cell, shown


def config(**values: object) -> CellConfig:
    base = {"parts": 8, "takt_ticks": 10, "camera_to_gate_ticks": 35, "operator_ticks": 15}
    return CellConfig.model_validate(base | values)


def test_parts_come_at_the_takt_and_reach_the_gate_in_time() -> None:
    _, shown = run(config())
    ticks = sorted({outputs.trigger_tick for outputs in shown if outputs.trigger_seq})
    assert {later - sooner for sooner, later in pairwise(ticks)} == {10}
    gate = [answer.plc_tick for answer in shown[-1].answers if answer.part_id]
    assert [at - tick for at, tick in zip(gate, ticks, strict=True)] == [35] * 8
    assert max(outputs.in_flight for outputs in shown) == 4


@settings(max_examples=40, deadline=None)
@given(
    faults=st.lists(
        st.fixed_dictionaries(
            {
                "fault": st.sampled_from(FaultTag),
                "at_part": st.integers(1, 8),
                "ticks": st.integers(1, 60),
            }
        ),
        max_size=5,
    ),
    takt=st.integers(6, 30),
    distance=st.integers(1, 60),
)
def test_whatever_fails_the_line_ends_and_the_books_balance(
    faults: list[dict[str, object]], takt: int, distance: int
) -> None:
    cell, shown = run(config(faults=faults, takt_ticks=takt, camera_to_gate_ticks=distance))
    counters = cell.program.counters
    duplicates = counters.triggers - 8
    assert 0 <= duplicates <= sum(f["fault"] is FaultTag.DUPLICATE_TRIGGER for f in faults)
    assert sum(counters.gate.values()) == counters.triggers
    assert counters.gate[Way.PASS] == 0, "nobody decided, so nothing may pass"
    assert shown[-1].in_flight == 0


def test_the_same_wishes_give_the_same_run() -> None:
    faults = [{"fault": "EStop", "at_part": 3, "ticks": 20}]
    assert run(config(faults=faults))[1] == run(config(faults=faults))[1]


def test_a_stuck_sensor_aborts_until_it_is_mended() -> None:
    faults = [{"fault": "SensorStuck", "at_part": 1, "ticks": 120}]
    cell, shown = run(config(faults=faults, gate_timeout_ticks=6))
    assert Fault.NOT_CONFIRMED in {outputs.fault for outputs in shown}
    assert cell.program.counters.triggers == 8


def test_without_an_operator_a_stopped_cell_stays_stopped() -> None:
    faults = [{"fault": "EStop", "at_part": 2, "ticks": 5}]
    cell = Cell(config(faults=faults, operator_ticks=None))
    for _ in range(2000):
        outputs = cell.step(Wishes(run=True)).outputs
    assert outputs.state is State.ABORTED
    assert not cell.finished


def test_pausing_the_line_keeps_the_belt_moving() -> None:
    cell = Cell(config())
    for _ in range(20):
        cell.step(Wishes(run=True))
    fed = cell.conveyor.fed
    for _ in range(100):
        outputs = cell.step(Wishes(run=False)).outputs
    assert cell.conveyor.fed == fed
    assert outputs.in_flight == 0
    assert outputs.state is State.EXECUTE
