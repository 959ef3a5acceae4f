"""Drift in the engine: found, journalled, kept over a restart, renewed by a person alone."""

from __future__ import annotations

import pytest

from millhand.contracts import Disposition
from millhand.engine.asking import Asker
from millhand.engine.drift import DriftWatch
from millhand.errors import NotAllowed
from millhand.journal.records import Cause, Validity
from millhand.scenario.learning import Ask, Drift

RULES = Drift(watch=("score",), batch=1, warm_up=20)


@pytest.fixture
def watched(run_cell, inspector, wait_for):
    """Run the measuring agent under watch and let parts come."""

    def watch(engine, rules=RULES, ask=None) -> DriftWatch:
        cell, runner = engine._cell, engine._runners["inspector"]
        runner.drift = DriftWatch(cell, "inspector", rules)
        runner.asker = Asker(cell, "inspector", ask, runner.drift, asks_unsure=True)
        return runner.drift

    async def parts(engine, plc, first: int, last: int) -> list:
        for seq in range(first, last + 1):
            await plc.part(seq)
            await wait_for(engine, "intent", seq)
        return [one.record for one in engine.journal.read(kinds=("intent",), limit=None)]

    return run_cell, inspector("measures", light=False), watch, parts


async def test_what_is_found_voids_and_stays_void_until_renewed(watched) -> None:
    run_cell, agent, watch, parts = watched
    async with run_cell(agent) as (engine, plc):
        watch(engine)
        intents = await parts(engine, plc, 1, 95)
        (found,) = [one.record for one in engine.journal.read(kinds=("drift",))]
        alarms = [one.record.name for one in engine.journal.read(kinds=("alarm",))]
    at = [one.cause for one in intents].index(Cause.VOID)
    assert 60 <= at < 95
    assert {one.cause for one in intents[at:]} == {Cause.VOID}
    assert {one.disposition for one in intents[at:]} == {Disposition.DIVERT}
    assert (found.now, found.package, found.value) == (Validity.VOID, "p@1", "score")
    assert found.evidence >= 1 / RULES.alpha
    assert found.seen == at + 1
    assert "drift" in alarms

    async with run_cell(agent, plc=plc) as (engine, plc):
        drift = watch(engine)
        assert drift.void == set()
        await drift.restore()
        assert drift.void == {"p@1"}
        intents = await parts(engine, plc, 96, 97)
        assert intents[-1].cause is Cause.VOID
        await drift.renew("ann", "new lamp")
        intents = await parts(engine, plc, 98, 100)
        assert [one.cause for one in intents[-3:]] == [Cause.DECIDED] * 3
        with pytest.raises(NotAllowed, match="void"):
            await drift.renew("ann", "again")
        last = engine.journal.read(kinds=("drift",))[-1].record
        assert (last.now, last.by, last.reason) == (Validity.RENEWED, "ann", "new lamp")


async def test_an_alarm_alone_goes_on_deciding(watched) -> None:
    run_cell, agent, watch, parts = watched
    async with run_cell(agent) as (engine, plc):
        watch(engine, RULES.model_copy(update={"then": "alarm"}))
        intents = await parts(engine, plc, 1, 95)
        assert engine.journal.read(kinds=("drift",))
    assert {one.cause for one in intents} == {Cause.DECIDED}


async def test_an_audit_asks_about_its_share_and_says_its_chance(watched) -> None:
    run_cell, agent, watch, parts = watched
    async with run_cell(agent) as (engine, plc):
        quiet = Drift(watch=("score",), warm_up=10_000)
        watch(engine, quiet, Ask(audit="50 %", margin="50 %"))
        await parts(engine, plc, 1, 40)
        asked = [one.record for one in engine.journal.read(kinds=("question",), limit=None)]
        watch(engine, quiet)
        await parts(engine, plc, 41, 60)
        later = engine.journal.read(kinds=("question",), limit=None)
    assert 8 <= len(asked) <= 32
    assert {one.chance for one in asked} == {0.5}
    assert len(later) == len(asked), "where the scenario asks for nothing, nothing is asked"
