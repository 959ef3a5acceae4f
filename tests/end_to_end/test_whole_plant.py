"""A bad lot through the whole house: line, planner, quality desk and clerk, real and together."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from millhand.contracts import Hold, Mode, Verdict
from millhand.engine.engine import Engine
from millhand.engine.simulation import Simulation
from millhand.journal.records import Intent, Outcome, OutcomeStatus, Published, Question

pytest.importorskip("millhand_admin.nonconformance.agent")
pytest.importorskip("millhand_logistics.schedule.agent")
pytest.importorskip("millhand_quality.inspect.agent")

from millhand_admin.reports.html import as_html
from millhand_admin.reports.story import story

WHOLE_PLANT = Path(__file__).parents[2] / "scenarios" / "whole_plant"
LOT, BILL = "H53396", "INV-482917"
OPTIONS = {"parts": 24, "runs": [{"product": "impeller", "parts": 24}], "defect_rate": 0.6}


@pytest.fixture
def plant_folder(tmp_path: Path) -> Path:
    """The scenario as it ships, but that the bill comes earlier and a busy machine is borne."""
    folder = tmp_path / "whole_plant"
    shutil.copytree(WHOLE_PLANT, folder, ignore=shutil.ignore_patterns("out", "journal"))
    file = folder / "scenario.yaml"
    text = file.read_text(encoding="utf-8")
    assert "30-bill.xml: 28 s" in text
    assert "deadline: 250 ms" in text
    text = text.replace("30-bill.xml: 28 s", "30-bill.xml: 14 s")
    file.write_text(text.replace("deadline: 250 ms", "deadline: 900 ms"), encoding="utf-8")
    return folder


async def bill_decided(engine: Engine) -> Intent:
    async with asyncio.timeout(100):
        async for entry in engine.journal.cursor(kinds=("intent",)):
            intent = entry.record
            assert isinstance(intent, Intent)
            if BILL in intent.decision.reason:
                return intent
    raise AssertionError("the journal's end is never reached")


async def settled(engine: Engine, count: int) -> None:
    """Wait for the outcomes of what was decided up to the bill."""
    async with asyncio.timeout(30):
        seen = 0
        async for _ in engine.journal.cursor(kinds=("outcome",)):
            seen += 1
            if seen >= count:
                return


@pytest.mark.parametrize("desk", [Mode.CONTROL, pytest.param(Mode.SHADOW, marks=pytest.mark.slow)])
async def test_a_bad_lot_is_stopped_reported_and_not_paid(
    plant_folder: Path, tmp_path: Path, desk: Mode
) -> None:
    modes = {"inspector": Mode.CONTROL, "quality_desk": desk, "planner": Mode.CONTROL,
             "clerk": Mode.CONTROL}  # fmt: skip
    async with Simulation(
        plant_folder, folder=tmp_path / "run", options=OPTIONS, modes=modes
    ) as running:
        line = asyncio.create_task(running.run_line())
        bill = await bill_decided(running.engine)
        await line
        journal = running.engine.journal
        await settled(running.engine, len(journal.read(kinds=("intent",), limit=None)))
        entries = journal.read(limit=None)
        cell = journal.cell
        assert journal.verify().ok
    holds = [one.record for one in entries if isinstance(one.record, Published)
             and isinstance(one.record.event.body, Hold)]  # fmt: skip
    reports = [json.loads(path.read_bytes())["body"]
               for path in (plant_folder / "out" / "reports").glob("*.json")]  # fmt: skip
    drafts = list((plant_folder / "out" / "books").glob("*.json"))
    assert len(holds) == 1
    assert holds[0].event.body.subject == LOT
    if desk is Mode.SHADOW:
        assert holds[0].event.mode is Mode.SHADOW
        assert reports == []  # nothing leaves where nobody let it
        return
    (report,) = reports
    found = {one.id for one in entries if isinstance(one.record, Published)}
    assert set(report["events"]) <= found
    assert len(report["parts"]) == 4
    assert bill.decision.verdict is Verdict.NOT_DECIDABLE
    assert report["number"] in bill.decision.reason
    assert drafts == []
    planned = [one.record for one in entries if isinstance(one.record, Intent)
               and one.record.observation.agent == "planner"]  # fmt: skip
    assert "not planned: WO-71" in planned[0].decision.reason
    questions = [one.record for one in entries if isinstance(one.record, Question)
                 and one.record.agent == "clerk"]  # fmt: skip
    assert [BILL in one.text for one in questions] == [True]
    confirmed = [one.record for one in entries if isinstance(one.record, Outcome)
                 and one.record.status is OutcomeStatus.CONFIRMED]  # fmt: skip
    assert confirmed
    told = story(entries, cell, LOT)
    known = {one.id for one in entries}
    assert all(sentence.ids and set(sentence.ids) <= known for sentence in told.sentences())
    page = as_html(told)
    for word in (report["number"], "WO-71", BILL, "quality_desk", "planner", "clerk"):
        assert word in page
