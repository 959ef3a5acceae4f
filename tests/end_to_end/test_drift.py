"""Drift on the running line: the certificate is void, nothing passes, and how it goes on."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from millhand.contracts import Disposition
from millhand.engine.simulation import Simulation
from millhand.feedback import orders
from millhand.feedback.orders import OrderKind
from millhand.feedback.review import questions
from millhand.journal.places import INBOX
from millhand.journal.records import Cause, Stage, Validity

WORN_FROM = 45
PARTS = 78
OPTIONS = {
    "parts": PARTS,
    "seed": 5,
    "takt_ticks": 20,
    "camera_to_gate_ticks": 60,
    "defect_rate": 0.1,
    "challenges": [],
    "runs": [{"product": "impeller", "parts": PARTS}],
    "station": {
        "families": [500000, 501000],
        "wear": {"from_part": WORN_FROM, "until_part": WORN_FROM + 20, "light": 0.6, "haze": 0.2},
    },
}
RULES = """
    deadline: 500 ms
    drift: {batch: 5, warm_up: 40%s}
    ask: {audit: 10 %%}
"""


def scenario(folder: Path, more: str = "") -> Path:
    """The casting cell with a short memory of what is usual."""
    source = Path(__file__).parents[2] / "scenarios" / "casting_cell"
    ignored = shutil.ignore_patterns("journal", "data", "*.png")
    shutil.copytree(source, folder, ignore=ignored)
    file = folder / "scenario.yaml"
    text = file.read_text(encoding="utf-8")
    anchor = "    deadline: 120 ms\n"
    assert anchor in text
    file.write_text(text.replace(anchor, (RULES % more).lstrip("\n")), encoding="utf-8")
    return folder


async def first(journal, kind: str, wanted=lambda _: True, after: int = 0):
    async with asyncio.timeout(60):
        async for entry in journal.cursor(after, kinds=(kind,)):
            if entry.subject == "inspector" and wanted(entry.record):
                return entry
    raise AssertionError("the journal was closed")


def settled(journal, before: int, after: int) -> list:
    found = journal.read(after, before=before, kinds=("intent",), subject="inspector", limit=None)
    return [entry.record for entry in found]


async def test_a_void_certificate_lets_nothing_pass_until_a_person_renews_it(tmp_path) -> None:
    cell = scenario(tmp_path / "cell")
    async with Simulation(cell, folder=tmp_path / "run", options=OPTIONS) as simulation:
        journal = simulation.engine.journal
        line = asyncio.create_task(simulation.run_line())
        drift = await first(journal, "drift")
        alarm = await first(journal, "alarm", lambda one: one.name == "drift")
        assert alarm.record.decision == drift.record.decision
        await first(journal, "intent", lambda one: one.cause is Cause.VOID, after=drift.seq)
        orders.order(tmp_path / "run" / INBOX, "inspector", OrderKind.RENEW, by="test", despite="x")
        renewed = await first(journal, "drift", lambda one: one.now is Validity.RENEWED)
        plant = await line
        run = await simulation.judge(plant)
        head = journal.head + 1
        at = journal.read(kinds=("intent",), id=drift.record.decision)[0].record
        assert at.observation.trigger.trigger_seq > WORN_FROM, "no alarm before anything changed"
        assert at.cause is Cause.VOID, "the part that shows it is the first that does not pass"
        before = {one.cause for one in settled(journal, drift.seq - 1, 0)}
        assert Cause.VOID not in before
        void = [one for one in settled(journal, head, 0) if one.cause is Cause.VOID]
        assert {one.disposition for one in void} == {Disposition.DIVERT}
        assert all(one.decision.verdict for one in void), "what the model said is on record"
        after = settled(journal, head, renewed.seq)
        assert [one.cause for one in after if one.cause is not Cause.VOID][1:], "it decides again"
        assert run.summary.balanced
        asked = {
            one.question.decision: one.question
            for one in questions(journal)
            if one.question.agent == "inspector"
        }
        assert asked[drift.record.decision].ground == "abstention"
        audits = [one for one in asked.values() if one.ground == "audit"]
        assert audits
        assert {one.chance for one in audits} <= {0.1, 0.25}, "with the chance of the draw"


@pytest.mark.slow
async def test_the_next_rung_takes_over(tmp_path) -> None:
    cell = scenario(tmp_path / "cell", ", fall_back: models/students/impeller")
    async with Simulation(cell, folder=tmp_path / "run", options=OPTIONS) as simulation:
        journal = simulation.engine.journal
        line = asyncio.create_task(simulation.run_line())
        drift = await first(journal, "drift")
        moved = await first(journal, "model", lambda one: one.now is Stage.LIVE)
        assert (moved.record.by, moved.record.reason) == ("millhand", drift.record.reason)
        assert moved.record.replaces == drift.record.package
        rung = await first(
            journal, "intent", lambda one: moved.record.package in one.decision.models.values()
        )
        assert rung.record.cause in (Cause.DECIDED, Cause.UNSURE)
        await line


@pytest.mark.slow
async def test_an_alarm_alone_changes_no_decision(tmp_path) -> None:
    cell = scenario(tmp_path / "cell", ", then: alarm")
    async with Simulation(cell, folder=tmp_path / "run", options=OPTIONS) as simulation:
        await simulation.run_line()
        journal = simulation.engine.journal
        assert journal.read(kinds=("drift",))
        assert Cause.VOID not in {one.cause for one in settled(journal, journal.head + 1, 0)}
