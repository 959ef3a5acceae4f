"""``journal.keep``: old segments go while the cell runs, and nothing that it still needs."""

from __future__ import annotations

from time import time_ns

import pytest

from millhand.contracts import Link, Mode
from millhand.engine import retention
from millhand.engine.retention import Retention
from millhand.journal.records import Cause
from millhand.testing import PlayedPlc

HOUR_NS = 3600 * 1_000_000_000


async def test_mode_memory_and_place_outlive_the_entries_that_held_them(
    run_cell, inspector, wait_for
) -> None:
    plc = PlayedPlc()
    async with run_cell(inspector("counts"), plc=plc) as (engine, _):
        engine.set_mode("inspector", Mode.CONTROL, by="ann")
        await engine.settled(0.2)
        await plc.part(1)
        await wait_for(engine, "outcome")
    plc.link = Link.UP
    async with run_cell(inspector("counts"), plc=plc) as (engine, _):
        await plc.part(2)
        await wait_for(engine, "outcome", 2)
        pruned = Retention(engine._cell, ["inspector"], keep_s=0.0).prune()
        assert pruned is not None
        (intent,) = [entry.record for entry in engine.journal.read(kinds=("intent",))]
        assert intent.observation.trigger.trigger_seq == 2
        carried = engine.journal.last("mode", subject="inspector").record
        assert (carried.now, carried.by) == (Mode.CONTROL, "ann")
        assert engine.journal.verify().ok
    plc.link = Link.UP
    async with run_cell(inspector("counts"), plc=plc) as (engine, _):
        assert engine.snapshot().modes["inspector"] is Mode.CONTROL
        await plc.part(3)
        third = (await wait_for(engine, "intent", 2))[1].record
        assert engine.journal.verify().ok
    assert third.memory_after == {"count": 3}
    assert third.cause is Cause.DECIDED


async def test_the_engine_prunes_what_the_scenario_says(run_cell, inspector, wait_for) -> None:
    plc = PlayedPlc()
    for number in range(1, 4):
        plc.link = Link.UP
        keep = "journal: {keep: 1 ms}"
        async with run_cell(inspector("passes"), plc=plc, guard=keep) as (engine, _):
            await plc.part(number)
            await wait_for(engine, "intent", part=f"P{number}")
            if number == 3:
                (pruned, *_) = await wait_for(engine, "pruned")
                assert pruned.record.first_seq == 1
            assert engine.journal.verify().ok


@pytest.mark.parametrize("jump_h", [-48, 30 * 24])
async def test_nothing_is_removed_after_the_clock_has_jumped(
    run_cell, inspector, monkeypatch, jump_h
) -> None:
    async with run_cell(inspector("passes")) as (engine, _):
        keeper = Retention(engine._cell, ["inspector"], keep_s=0.0)
        assert keeper._clock_can_be_trusted()
        monkeypatch.setattr(retention, "time_ns", lambda: time_ns() + jump_h * HOUR_NS)
        assert not keeper._clock_can_be_trusted()
        assert any("jumped" in text for text in engine.snapshot().alarms)
        assert not keeper._clock_can_be_trusted(), "a day must pass"
        now_ns = retention.monotonic_ns()
        later = 25 * HOUR_NS
        monkeypatch.setattr(retention, "monotonic_ns", lambda: now_ns + later)
        monkeypatch.setattr(retention, "time_ns", lambda: time_ns() + jump_h * HOUR_NS + later)
        assert keeper._clock_can_be_trusted()
        assert engine.snapshot().alarms == ()
