"""A restart: memory, modes and places are taken up, open intents are closed, nothing is resent."""

from __future__ import annotations

import msgspec
import pytest

from millhand.contracts import AnswerCode, Link, Mode, Quality
from millhand.errors import ConfigError
from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Cause, OutcomeStatus
from millhand.testing import PlayedPlc


async def one_part(run_cell, agents, wait_for, plc, seq=1, mode=Mode.CONTROL):
    async with run_cell(agents, plc=plc) as (engine, _):
        engine.set_mode("inspector", mode, by="test")
        await engine.settled(0.2)
        await plc.part(seq)
        await wait_for(engine, "outcome")
        return engine.scenario.folder / "journal" / "journal.sqlite"


def leave_open(path, command_id: int) -> str:
    """Journal an intent without an outcome, as a crash between the two would."""
    with Journal(path, cell="cell") as journal:
        entry = journal.read(kinds=("intent",))[-1]
        intent = entry.record
        command = msgspec.structs.replace(intent.command, id=command_id)
        again = msgspec.structs.replace(intent, command=command)
        journal.append([new_entry(again, id="cell.9.9", subject="inspector", part="P1")]).result()
    return "cell.9.9"


async def test_memory_and_mode_survive(run_cell, inspector, wait_for) -> None:
    plc = PlayedPlc()
    await one_part(run_cell, inspector("counts"), wait_for, plc)
    async with run_cell(inspector("counts"), plc=plc) as (engine, _):
        plc.link = Link.UP
        assert engine.snapshot().modes["inspector"] is Mode.CONTROL
        await plc.part(2)
        second = (await wait_for(engine, "intent", 2))[1].record
    assert second.memory_before == {"count": 1}
    assert second.memory_after == {"count": 2}


async def test_an_open_command_that_the_plc_answered_is_closed_from_its_ring(
    run_cell, inspector, wait_for
) -> None:
    plc = PlayedPlc()
    path = await one_part(run_cell, inspector("passes"), wait_for, plc)
    decision = leave_open(path, command_id=55)
    plc.put_answer(55, "P1", AnswerCode.ACCEPTED)
    sent_before = len(plc.commands)
    async with run_cell(inspector("passes"), plc=plc) as (engine, _):
        outcomes = engine.journal.read(kinds=("outcome",), id=decision)
    assert [outcome.record.status for outcome in outcomes] == [OutcomeStatus.CONFIRMED]
    assert len(plc.commands) == sent_before


async def test_an_open_command_that_is_not_in_the_ring_is_unknown_and_not_resent(
    run_cell, inspector, wait_for
) -> None:
    plc = PlayedPlc()
    path = await one_part(run_cell, inspector("passes"), wait_for, plc)
    decision = leave_open(path, command_id=56)
    sent_before = len(plc.commands)
    async with run_cell(inspector("passes"), plc=plc) as (engine, _):
        (outcome,) = engine.journal.read(kinds=("outcome",), id=decision)
        again = await wait_for(engine, "alarm")
    assert outcome.record.status is OutcomeStatus.UNKNOWN
    assert any(entry.record.name == "outcome_unknown" for entry in again)
    assert len(plc.commands) == sent_before


async def test_a_fresh_journal_does_not_use_an_id_that_the_plc_has_answered(
    run_cell, inspector, wait_for
) -> None:
    plc = PlayedPlc()
    plc.put_answer(41, "P0", AnswerCode.EXECUTED)
    await one_part(run_cell, inspector("passes"), wait_for, plc)
    assert [command["id"] for command in plc.commands] == [42]


async def test_a_wide_hole_is_settled_too_and_an_older_count_of_the_plc_is_left_alone(
    run_cell, inspector, wait_for
) -> None:
    plc = PlayedPlc()
    plc.values["trigger.seq"] = 399
    path = await one_part(run_cell, inspector("passes"), wait_for, plc, seq=400)
    for seq in (401, 1, 2, 300):  # the PLC began to count anew after 401
        later_was_dropped_and_settled_first(path, seq=seq)
    plc.values["trigger.seq"] = 300
    plc.link = Link.UP
    async with run_cell(inspector("passes"), plc=plc) as (engine, _):
        await wait_for(engine, "outcome", 298)
        await engine.settled()
        intents = [entry.record for entry in engine.journal.read(kinds=("intent",), limit=None)]
    missed = [i.observation.trigger.trigger_seq for i in intents if i.cause is Cause.MISSED]
    assert sorted(missed) == list(range(3, 300))


async def test_no_command_goes_out_before_the_plcs_answers_were_read(
    run_cell, inspector, wait_for, monkeypatch
) -> None:
    monkeypatch.setattr("millhand.engine.recover._CONNECT_S", 0.05)
    plc = PlayedPlc()
    plc.values["result.id"] = 70
    plc.quality["result.answers.count"] = Quality.BAD
    async with run_cell(inspector("passes"), plc=plc) as (engine, _):
        engine.set_mode("inspector", Mode.CONTROL, by="test")
        await engine.settled(0.2)
        await plc.part(1)
        (first,) = await wait_for(engine, "outcome")
        assert plc.commands == []
        del plc.quality["result.answers.count"]
        await engine._cell.channels["plc.result"].reconciled.wait()
        await plc.part(2)
        _, second = await wait_for(engine, "outcome", 2)
    assert first.record.status is OutcomeStatus.NOT_SENT
    assert "answers" in first.record.detail
    assert second.record.status is OutcomeStatus.CONFIRMED
    assert [command["id"] for command in plc.commands] == [71]


async def test_parts_that_passed_while_the_engine_was_away_are_missed_once(
    run_cell, inspector, wait_for
) -> None:
    plc = PlayedPlc()
    await one_part(run_cell, inspector("passes"), wait_for, plc)
    plc.link = Link.UP
    await plc.part(4)
    for _ in range(2):
        async with run_cell(inspector("passes"), plc=plc) as (engine, _):
            plc.link = Link.UP
            await wait_for(engine, "outcome", 4)
            await engine.settled()
            intents = [entry.record for entry in engine.journal.read(kinds=("intent",))]
    found = sorted((i.observation.trigger.trigger_seq, i.cause) for i in intents)
    assert found == [(1, Cause.DECIDED), (2, Cause.MISSED), (3, Cause.MISSED), (4, Cause.MISSED)]


async def test_a_part_that_was_queued_when_the_engine_died_gets_its_disposition(
    run_cell, inspector, wait_for
) -> None:
    plc = PlayedPlc()
    path = await one_part(run_cell, inspector("passes"), wait_for, plc)
    later_was_dropped_and_settled_first(path, seq=4)
    plc.values["trigger.seq"] = 4
    for _ in range(2):
        plc.link = Link.UP
        async with run_cell(inspector("passes"), plc=plc) as (engine, _):
            await wait_for(engine, "outcome", 4)
            await engine.settled()
            intents = [entry.record for entry in engine.journal.read(kinds=("intent",))]
    found = sorted((i.observation.trigger.trigger_seq, i.cause) for i in intents)
    assert found == [(1, Cause.DECIDED), (2, Cause.MISSED), (3, Cause.MISSED), (4, Cause.DROPPED)]


def later_was_dropped_and_settled_first(path, seq: int) -> None:
    """Journal what a full queue leaves before a crash: the newest part, not those before it."""
    with Journal(path, cell="cell") as journal:
        intent = journal.read(kinds=("intent",))[-1].record
        trigger = msgspec.structs.replace(intent.observation.trigger, trigger_seq=seq)
        observation = msgspec.structs.replace(intent.observation, trigger=trigger)
        dropped = msgspec.structs.replace(
            intent, observation=observation, cause=Cause.DROPPED, command=None, judged=()
        )
        journal.append([new_entry(dropped, id="cell.9.9", subject="inspector")]).result()


async def test_safe_mode_starts_without_the_journals_key_and_nothing_else_does(
    run_cell, inspector, wait_for
) -> None:
    lost = "journal: {sign: 'file:secrets/lost.key'}"
    with pytest.raises(ConfigError, match=r"lost\.key"):
        async with run_cell(inspector("passes"), guard=lost):
            raise AssertionError("it must not start unsigned")
    async with run_cell(inspector("passes"), guard=lost, safe=True) as (engine, _):
        await wait_for(engine, "started")


async def test_safe_mode_comes_up_with_the_journal_and_nothing_else(
    run_cell, inspector, wait_for
) -> None:
    async with run_cell(inspector("passes"), safe=True) as (engine, plc):
        await plc.part(1)
        (started,) = await wait_for(engine, "started")
        snapshot = engine.snapshot()
    assert started.record.safe_mode
    assert snapshot.safe_mode
    assert snapshot.devices == {}
    assert plc.written == []
