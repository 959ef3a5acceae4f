"""A planner moves an operation: the journal keeps it, a shop holds it, a student learns it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import millhand_logistics
from millhand.contracts import Gantt
from millhand.engine import Engine
from millhand.errors import ConfigError
from millhand.feedback.review import answer
from millhand.journal.records import AnswerKind, Intent
from millhand.plugins import Plugins
from millhand.scenario.load import load_text
from millhand.testing import MemoryTags
from millhand_logistics.schedule.commands.planner_labels import planner_labels
from millhand_logistics.schedule.correction import corrected, read_correction
from millhand_logistics.schedule.distil.files import TAUGHT, arrays_of, problem_of
from millhand_logistics.schedule.distil.random_shops import everyday
from millhand_logistics.schedule.distil.self_labelling import Course, Lesson, Training
from millhand_logistics.schedule.distil.teacher import (
    COST,
    SEQUENCE,
    SolverTeacher,
    SolverTeacherConfig,
    taught,
)
from millhand_logistics.schedule.from_shop import Floor
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Fixed
from millhand_logistics.schedule.propose import Effort, propose
from millhand_logistics.schedule.simulate import simulate
from millhand_logistics.shop.reading import load_shop

SHOP = """
        millhand_shop: 1
        time_zone: UTC
        machines: {lathe: {}, lathe_2: {}, mill: {}}
        orders:
          - id: A
            operations:
              - {id: turn, machines: {lathe: 1 h, lathe_2: 2 h}}
              - {id: mill, machine: mill, time: 1 h}
          - id: B
            operations:
              - {id: turn, machine: lathe, time: 1 h}
              - {id: mill, machine: mill, time: 3 h}
"""
SCENARIO = f"""
millhand: 1
name: pumps
devices:
  plc:
    adapter: opcua
    url: opc.tcp://127.0.0.1:4840
    namespace: urn:acme:plc
    tags: {{state: {{node: s=Mill.State, type: int32}}}}
agents:
  planner:
    use: logistics.schedule
    when: [every 1 h, plc.state changes]
    deadline: 60 s
    config:
      tags: {{plc.state: mill}}
      shop: {SHOP}
"""


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    from millhand_logistics.schedule.from_shop import floor_of

    file = tmp_path / "shop.yaml"
    file.write_text("now: 2026-11-25T06:00:00Z\n" + "\n".join(x[8:] for x in SHOP.splitlines()))
    return floor_of(load_shop(file))


async def test_a_planners_move_becomes_a_shop_to_learn_from(tmp_path: Path) -> None:
    plc = MemoryTags("plc", values={"state": 6})
    plugins = Plugins.discover([millhand_logistics], entry_points=False)
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    scenario = load_text(SCENARIO, tmp_path / "scenario.yaml")
    async with Engine(scenario, plugins=plugins, devices={"plc": plc}) as engine:
        decisions: list[tuple[str, str]] = []
        for state in (9, 6):
            await plc.set(state=state)
            async for entry in engine.journal.cursor(kinds=("intent",)):
                assert isinstance(entry.record, Intent)
                shown = [e for e in entry.record.decision.explanations if isinstance(e, Gantt)]
                if shown and entry.id not in dict(decisions):
                    first = min(
                        (bar for bar in shown[-1].bars if bar[0] == "mill"), key=lambda bar: bar[2]
                    )
                    decisions.append((entry.id, first[1]))
                    break
        (moved, came), (liked, _) = decisions
        other = "B/mill" if came == "A/mill" else "A/mill"
        label = f"{other} before {came}"
        answer(engine.journal, moved, AnswerKind.DISAGREE, by="Kim", label=label)
        answer(engine.journal, liked, AnswerKind.AGREE, by="Kim")
    out = tmp_path / "labels"
    arguments = [str(tmp_path), str(out)]
    told = CliRunner().invoke(planner_labels, arguments, standalone_mode=False)
    assert told.exception is None, told.output
    assert "2 labels lie in" in told.output
    with np.load(out / f"{moved}.npz", allow_pickle=False) as arrays:
        kept = dict(arrays)
    plan = taught(kept)
    assert plan is not None
    mills = {"A/mill": 1, "B/mill": 3}
    assert plan.start[mills[other]] < plan.start[mills[came]]
    (given,) = SolverTeacher(SolverTeacherConfig()).label([kept])
    assert given[COST][0] == plan.cost
    problem = problem_of(kept)
    wanted = Lesson(problem, wanted=plan)
    training = Training(Policy.untrained(1), Course(steps=80, samples=1, batch=1, rate=5e-3))
    training.run((wanted for _ in range(1000)), lambda _: False)
    learnt = simulate(problem, training.policy.choose(problem))
    assert learnt.start[mills[other]] < learnt.start[mills[came]]
    assert np.array_equal(given[SEQUENCE], plan.sequence)


def test_a_move_is_carried_out_with_what_it_draws_along(floor: Floor) -> None:
    plan = propose(floor.problem, Effort(samples=0)).plan
    for label in ("A/mill before B/mill", "B/mill before A/mill", "A/mill after B/mill"):
        change = read_correction(label)
        found = corrected(floor, plan, change)
        a, b = (found.start[floor.keys.index(key)] for key in (("A", "mill"), ("B", "mill")))
        assert (a < b) == (label == "A/mill before B/mill")
    moved = corrected(floor, plan, read_correction("A/turn on lathe_2"))
    assert floor.machines[moved.machine[0]] == "lathe_2"


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ("ok", "moves no operation"),
        ("A/mill", "moves no operation"),
        ("A/mil before B/mill", "has no operation A/mil"),
        ("A/mill before B/turn", "run on different machines"),
        ("A/mill on saw", "There is no machine “saw”"),
        ("A/mill on lathe", "A/mill cannot run on lathe"),
        ("A/turn on lathe_2 before B/turn", "run on different machines"),
        ("A/mill before A/mill", "stands against it"),
    ],
)
def test_a_move_that_cannot_be_says_why(floor: Floor, label: str, says: str) -> None:
    plan = propose(floor.problem, Effort(samples=0)).plan
    with pytest.raises(ConfigError, match=says):
        corrected(floor, plan, read_correction(label))


def test_a_shop_with_given_places_and_a_wanted_order_survives_its_file() -> None:
    problem = everyday(4)
    machine, time = problem.operations[0].alternatives[0]
    fixed = problem.with_fixed({0: Fixed(machine, 5000, 5000 + time)})
    again = problem_of(arrays_of(fixed))
    assert again.operations[0].fixed == fixed.operations[0].fixed
    with pytest.raises(ConfigError, match="does not name each operation once"):
        taught({**arrays_of(problem), TAUGHT: np.zeros(3, np.int64)})
