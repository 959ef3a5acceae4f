"""A part gets its disposition from who has the channel; what others say of it is only said."""

from __future__ import annotations

import pytest

from millhand.contracts import Disposition, Mode
from millhand.ledger.run import read_run

WATCHER = """
  watcher:
    use: test.{watcher}
    max_mode: control
    when: plc.trigger
    deadline: 2 s
    light: true
    unsure: {{part: divert, review: true}}
"""


def both(engine) -> None:
    for agent in ("inspector", "watcher"):
        engine.set_mode(agent, Mode.CONTROL, by="test")


@pytest.mark.parametrize("watcher", ["passes", "rejects", "abstains", "raises"])
async def test_who_has_no_channel_books_no_part(run_cell, inspector, wait_for, watcher) -> None:
    agents = inspector("passes", extra=WATCHER.format(watcher=watcher))
    async with run_cell(agents) as (engine, plc):
        both(engine)
        for part in (1, 2, 3):
            await plc.part(part)
            intents = await wait_for(engine, "intent", 2 * part)
        await engine.settled()
        snapshot = engine.snapshot()
        asked = engine.journal.read(kinds=("question",), subject="watcher")
        run = read_run(engine.journal.read(limit=None))
    by_agent = {
        agent: [one.record.disposition for one in intents if one.subject == agent]
        for agent in ("inspector", "watcher")
    }
    assert by_agent == {"inspector": [Disposition.PASS] * 3, "watcher": [None] * 3}
    assert (snapshot.parts_triggered, snapshot.dispositions) == (3, {"pass": 3})
    assert [part.intent.observation.agent for part in run.parts] == ["inspector"] * 3
    assert run.decisions == 6, "what it costs to watch is counted all the same"
    assert asked == []


async def test_missed_parts_are_booked_once(run_cell, inspector, wait_for) -> None:
    agents = inspector("passes", extra=WATCHER.format(watcher="passes"))
    async with run_cell(agents) as (engine, plc):
        both(engine)
        await plc.part(1)
        await wait_for(engine, "intent", 2)
        await plc.part(4)
        await wait_for(engine, "intent", 8)
        await engine.settled()
        assert engine.snapshot().parts_triggered == 4
        run = read_run(engine.journal.read(limit=None))
    assert sorted(part.trigger.trigger_seq for part in run.parts) == [1, 2, 3, 4]


async def test_where_nobody_has_a_channel_who_watches_books(run_cell, wait_for) -> None:
    """A cell that was connected for reading only still says what would become of each part."""
    async with run_cell(WATCHER.format(watcher="rejects")) as (engine, plc):
        await plc.part(1)
        (intent,) = await wait_for(engine, "intent")
        await engine.settled()
        assert engine.snapshot().parts_triggered == 1
    assert intent.record.disposition is Disposition.REJECT
