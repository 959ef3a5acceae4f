"""The life of a model on the running line: shadow, promotion, the way back, nothing lost."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from millhand.engine.engine import Engine
from millhand.engine.simulation import Simulation
from millhand.feedback import orders
from millhand.feedback.orders import OrderKind
from millhand.feedback.pairs import PAIR_KINDS, Pairs
from millhand.feedback.promotion import not_worse
from millhand.feedback.stages import stages_of
from millhand.journal.places import INBOX
from millhand.journal.records import Cause, ModelMoved, Stage
from millhand.plugins import Plugins

CANDIDATE = "models/students/impeller"


@pytest.fixture
async def simulation(tmp_path) -> AsyncIterator[Simulation]:
    """The casting cell with time enough for two models on a busy machine."""
    source = Path(__file__).parents[2] / "scenarios" / "casting_cell"
    ignored = shutil.ignore_patterns("journal", "data", "*.png")
    cell = Path(shutil.copytree(source, tmp_path / "cell", ignore=ignored))
    text = (cell / "scenario.yaml").read_text(encoding="utf-8")
    patient = text.replace("    deadline: 120 ms\n", "    deadline: 500 ms\n")
    assert patient != text
    (cell / "scenario.yaml").write_text(patient, encoding="utf-8")
    options = {
        "parts": 30,
        "seed": 11,
        "takt_ticks": 40,
        "defect_rate": 0.3,
        "challenges": [],
        "runs": [{"product": "impeller", "parts": 30}],
    }
    async with Simulation(cell, folder=tmp_path / "run", options=options) as running:
        yield running


@pytest.fixture
def inbox(tmp_path):
    return tmp_path / "run" / INBOX


def say(inbox, kind: OrderKind, **more) -> None:
    orders.order(inbox, "inspector", kind, by="test", **more)


async def moved(journal, now: Stage, count: int = 1) -> ModelMoved:
    """Wait until models came to a stage so many times; return the last move."""
    return (await entries(journal, "model", count, lambda one: one.now is now))[-1].record


async def entries(journal, kind: str, count: int, wanted, after: int = 0) -> list:
    found: list = []
    async with asyncio.timeout(60):
        async for entry in journal.cursor(after, kinds=(kind,)):
            if entry.subject in ("inspector", "casting-cell") and wanted(entry.record):
                found.append(entry)
            if len(found) == count:
                break
    return found


def by_package(journal, before: int, after: int) -> Counter:
    """Count the decisions on impellers between two places of the journal by what decided them."""
    found = journal.read(after, before=before, kinds=("intent",), subject="inspector", limit=None)
    return Counter(
        entry.record.decision.models.get("model", "late")
        for entry in found
        if entry.record.observation.product == "impeller"
    )


async def test_shadow_promotion_and_rollback_while_the_line_runs(
    simulation: Simulation, inbox
) -> None:
    journal = simulation.engine.journal
    line = asyncio.create_task(simulation.run_line())
    say(inbox, OrderKind.SHADOW, folder=CANDIDATE)
    candidate = (await moved(journal, Stage.SHADOW)).package
    await entries(journal, "shadowed", 1, lambda said: said.fault == "")

    say(inbox, OrderKind.PROMOTE, despite="shown elsewhere")
    (up,) = await entries(journal, "model", 1, lambda one: one.now is Stage.LIVE)
    original = up.record.replaces
    await entries(journal, "intent", 2, lambda one: candidate in one.decision.models.values())

    say(inbox, OrderKind.ROLLBACK)
    back = (await entries(journal, "model", 2, lambda one: one.now is Stage.LIVE))[-1]
    assert (back.record.package, back.record.replaces) == (original, candidate)
    assert back.record.folders == ()

    plant = await line
    run = await simulation.judge(plant)
    intents = [
        entry.record for entry in journal.read(kinds=("intent",), subject="inspector", limit=None)
    ]
    seqs = sorted(intent.observation.trigger.trigger_seq for intent in intents)
    assert seqs == list(range(1, plant.triggers + 1)), "one disposition for each trigger"
    assert not [one for one in intents if one.cause in (Cause.FAILED, Cause.UNKNOWN_PRODUCT)]
    assert run.summary.balanced
    # What was under way at an exchange ends where it began: one decision at most.
    assert by_package(journal, up.seq, 0)[candidate] == 0
    during = by_package(journal, back.seq, up.seq)
    assert during[candidate] >= 2
    assert during[original] <= 1
    after = by_package(journal, journal.head + 1, back.seq)
    assert after[original] >= 1
    assert after[candidate] <= 1
    stages = {one.package: one.now for one in stages_of(journal.read(kinds=("model",)))}
    assert stages == {candidate: Stage.RETIRED, original: Stage.LIVE}


async def test_without_proof_promotion_is_refused_and_nothing_changes(
    simulation: Simulation, inbox
) -> None:
    journal = simulation.engine.journal
    say(inbox, OrderKind.SHADOW, folder=CANDIDATE)
    candidate = (await moved(journal, Stage.SHADOW)).package
    say(inbox, OrderKind.PROMOTE)
    (alarm,) = await entries(journal, "alarm", 1, lambda one: one.name == "order_refused")
    assert "not worse" in alarm.record.text
    assert [entry.record.now for entry in journal.read(kinds=("model",))] == [
        Stage.CANDIDATE,
        Stage.SHADOW,
    ]
    pairs = Pairs("inspector", candidate)
    pairs.take(journal.read(kinds=PAIR_KINDS))
    proof = not_worse(pairs)
    assert (proof.pairs, proof.not_worse) == (0, False)


@pytest.mark.slow
async def test_a_canary_decides_its_share_and_the_rest_is_compared(
    simulation: Simulation, inbox
) -> None:
    journal = simulation.engine.journal
    say(inbox, OrderKind.SHADOW, folder=CANDIDATE)
    candidate = (await moved(journal, Stage.SHADOW)).package
    say(inbox, OrderKind.CANARY, share=0.5)
    await moved(journal, Stage.CANARY)
    await simulation.run_line()
    decided = by_package(journal, journal.head + 1, 0)
    assert 0 < decided[candidate] < decided.total()
    shadowed = journal.read(kinds=("shadowed",), limit=None)
    by_canary = {
        entry.id
        for entry in journal.read(kinds=("intent",), subject="inspector", limit=None)
        if candidate in entry.record.decision.models.values()
    }
    assert not by_canary & {entry.id for entry in shadowed}


@pytest.mark.slow
async def test_after_a_restart_the_promoted_model_is_live_and_the_one_before_is_warm(
    simulation: Simulation, inbox
) -> None:
    journal = simulation.engine.journal
    say(inbox, OrderKind.SHADOW, folder=CANDIDATE)
    candidate = (await moved(journal, Stage.SHADOW)).package
    say(inbox, OrderKind.PROMOTE, despite="shown elsewhere")
    original = (await moved(journal, Stage.LIVE)).replaces
    head = journal.head
    await simulation.stop_engine()
    async with AsyncExitStack() as stack:
        engine = await simulation._start_engine(stack, Plugins.discover(), simulation.plant)
        (started,) = await entries(engine.journal, "started", 1, lambda _: True, after=head)
        assert started.record.packages["inspector.model.impeller"] == candidate
        say(inbox, OrderKind.ROLLBACK)
        (back,) = await entries(
            engine.journal, "model", 1, lambda one: one.now is Stage.LIVE, after=head
        )
        assert (back.record.package, back.record.replaces) == (original, candidate)
        assert back.record.folders == ()
        plant = await asyncio.wait_for(simulation_line(simulation, engine), 60)
        assert plant.triggers == len(
            engine.journal.read(kinds=("intent",), subject="inspector", limit=None)
        )


async def simulation_line(simulation: Simulation, engine: Engine):
    """Let the parts come to an engine that was started after the first."""
    await engine.announced()
    await simulation.plant.start_line()
    plant = await simulation.plant.finished()
    await engine.settled()
    return plant
