"""The first cell, whole: every part settled, nothing bad shipped, everything journalled."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from structlog.testing import capture_logs

from millhand.contracts import AnswerCode, PartTrigger
from millhand.engine import build
from millhand.isolate.worker import open_agent
from millhand.journal.entries import Entry
from millhand.journal.records import Cause, Intent, OutcomeStatus
from millhand.plugins import Plugins
from millhand.replay import replay
from millhand_simulated.plc.gauge import Gauge
from millhand_simulated.plc.line import LinePlan

CASTING_CELL = Path(__file__).parents[2] / "scenarios" / "casting_cell"


def _inspected(simulation) -> list[Entry]:
    """Return the inspector's decisions; the cell has other agents that judge no part."""
    entries = simulation.engine.journal.read(kinds=("intent",))
    return [entry for entry in entries if entry.record.observation.agent == "inspector"]


async def test_every_part_gets_one_disposition_and_nothing_bad_is_shipped(simulation) -> None:
    with capture_logs() as log:
        plant = await simulation.run_line()
        run = await simulation.judge(plant)
    intents = [entry.record for entry in _inspected(simulation)]
    outcomes = [
        entry
        for entry in simulation.engine.journal.read(kinds=("outcome",))
        if entry.subject == "inspector"
    ]
    seqs = sorted(intent.observation.trigger.trigger_seq for intent in intents)
    assert seqs == list(range(1, plant.triggers + 1)), "one disposition for each trigger"
    assert len(outcomes) == plant.triggers
    assert run.summary.score.escapes.count == 0
    assert run.summary.score.challenges_caught == run.summary.score.challenges == 1
    assert {intent.observation.product for intent in intents} == {"impeller", "housing"}
    late = {Cause.LATE, Cause.BLIND}
    on_time = [intent for intent in intents if intent.cause not in late]
    assert len(on_time) >= 0.75 * len(intents)
    unexpected = [
        line
        for line in log
        if line["log_level"] in ("warning", "error", "critical")
        and line.get("alarm") not in ("action_refused", "outcome_unknown")
    ]
    assert unexpected == []


async def test_the_plc_and_the_journal_tell_the_same_story(finished, simulation) -> None:
    journal = simulation.engine.journal
    gates = [entry.record.answer for entry in journal.read(kinds=("gate",))]
    commands = {
        entry.record.command.id: entry.record
        for entry in journal.read(kinds=("intent",))
        if entry.record.command is not None
    }
    executed = [answer for answer in gates if answer.code is AnswerCode.EXECUTED]
    assert len(gates) == finished.summary.parts
    for answer in executed:
        assert commands[answer.command_id].observation.trigger.part_id == answer.part_id
    confirmed = [
        entry
        for entry in journal.read(kinds=("outcome",))
        if entry.record.status is OutcomeStatus.CONFIRMED
    ]
    assert len(executed) == len(confirmed)
    assert journal.verify().ok


async def test_a_second_agent_charts_what_the_gauge_measures(finished, simulation) -> None:
    entries = simulation.engine.journal.read(kinds=("intent",))
    decided = [e.record for e in entries if e.record.observation.agent == "bores"]
    parts = [one.observation.samples["part"].value for one in decided]
    assert len(parts) >= finished.summary.parts - 2, "values come with the parts"
    assert len(set(parts)) == len(parts), "no value is taken twice"
    plan = LinePlan(simulation.plant.config)
    gauge = Gauge(simulation.plant.config.gauge)
    for one in decided:
        part = plan.by_id(one.observation.samples["part"].value)
        assert one.observation.samples["value"].value == gauge.bore(part)
        assert one.disposition is None
    products = decided[-1].memory_after["products"]
    assert products == ["impeller", "housing"]
    assert (
        decided[-1].memory_after["1.studied"][-1] == decided[-1].observation.samples["value"].value
    )


async def test_a_third_agent_names_kinds_and_books_no_part(finished, simulation) -> None:
    entries = simulation.engine.journal.read(kinds=("intent",), subject="kinds", limit=None)
    looked = [entry.record for entry in entries]
    assert len(looked) == finished.summary.parts, "it is shown every part"
    assert {one.disposition for one in looked} == {None}
    assert {part.intent.observation.agent for part in finished.run.parts} == {"inspector"}
    assert simulation.engine.snapshot().parts_triggered == finished.summary.parts
    named = [one for one in looked if one.decision.events]
    assert named, "the cell has defective parts"
    truths = {truth.part_id: truth.defect for truth in finished.truth}
    right = [
        truths[body.data["part"]] == body.data["kind"]
        for one in named
        for body in one.decision.events
        if body.data["kind"] is not None
    ]
    assert sum(right) >= len(right) / 2


async def test_replay_of_the_journal_gives_the_same_decisions_bit_for_bit(
    finished, simulation
) -> None:
    spec = build.agent_spec(simulation.scenario, "inspector", Plugins.discover())
    agent = open_agent(spec)
    entries = _inspected(simulation)
    replayed = list(replay(entries, agent, finished.pictures.load_frame))
    agent.close()
    assert len(replayed) >= 0.75 * finished.summary.parts
    assert [one.entry.part for one in replayed if not one.same] == []


async def test_a_candidate_is_compared_on_what_the_line_saw(finished, simulation, tmp_path) -> None:
    students = CASTING_CELL / "models" / "students"
    report = tmp_path / "replay.html"
    command = [sys.executable, "-m", "millhand.cli", "replay", str(CASTING_CELL)]
    command += ["--at", str(tmp_path / "run"), "--report", str(report), "--json"]
    command += ["--model", str(students / "impeller"), "--model", str(students / "housing")]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=True, timeout=100
    )
    said = json.loads(done.stdout)
    decided = [
        entry.record.observation.models["model"]
        for entry in _inspected(simulation)
        if entry.record.cause in (Cause.DECIDED, Cause.UNSURE)
    ]
    assert said["replayed"] == len(decided)
    assert not said["missing"]
    assert said["largest_change"] > 0, "another model gives other scores"
    assert set(said["packages"].values()).isdisjoint(decided)
    page = report.read_text(encoding="utf-8")
    assert page.count("<article") == len(said["turned"])
    assert "http" not in page.replace("http-equiv", "")


async def test_the_journal_holds_what_a_replay_needs(finished, simulation) -> None:
    entry = _inspected(simulation)[0]
    intent = entry.record
    assert isinstance(intent, Intent)
    assert intent.scenario_sha256 == simulation.scenario.sha256
    assert intent.observation.models["model"].startswith("casting-")
    trigger = intent.observation.trigger
    assert isinstance(trigger, PartTrigger)
    frame = intent.observation.frames["frame"]
    assert frame.ref.trigger_seq == trigger.trigger_seq
    assert finished.pictures.load_frame(frame.ref).shape == (256, 256, 3)


def test_the_core_starts_quickly_and_needs_neither_torch_nor_adapters() -> None:
    code = (
        "import sys, millhand.engine, millhand.journal.journal\n"
        "heavy = {'torch', 'asyncua', 'onnxruntime', 'openvino', 'cv2', 'PIL', 'alembic', 'lark'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
