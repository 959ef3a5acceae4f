"""Parts: exactly one disposition each, nothing sent that is late, unasked or not in control."""

from __future__ import annotations

import asyncio

import pytest

from millhand.contracts import AnswerCode, Disposition, Link, Mode
from millhand.engine.handshake import LONGEST_TEXT
from millhand.journal.records import Cause, OutcomeStatus
from millhand.testing import PlayedPlc


async def in_control(engine, *agents: str) -> None:
    for agent in agents or ("inspector",):
        engine.set_mode(agent, Mode.CONTROL, by="test")
    await engine.settled(0.2)


async def test_shadow_is_the_default_and_writes_no_command(run_cell, inspector, wait_for) -> None:
    async with run_cell(inspector("passes")) as (engine, plc):
        await plc.part(1)
        (outcome,) = await wait_for(engine, "outcome")
        (intent,) = engine.journal.read(kinds=("intent",))
    assert outcome.record.status is OutcomeStatus.NOT_SENT
    assert intent.record.mode is Mode.SHADOW
    assert intent.record.disposition is Disposition.PASS
    assert plc.commands == []
    assert plc.values["lease.in_control"] is False


async def test_in_control_a_part_gets_one_command_and_its_echo(
    run_cell, inspector, wait_for
) -> None:
    async with run_cell(inspector("rejects")) as (engine, plc):
        await in_control(engine)
        await plc.part(1)
        (outcome,) = await wait_for(engine, "outcome")
    assert outcome.record.status is OutcomeStatus.CONFIRMED
    assert outcome.record.answer.code is AnswerCode.ACCEPTED
    assert plc.commands == [{"part_id": "P1", "result": 2, "valid_until": 150, "id": 1}]


async def test_without_an_answer_the_outcome_is_unknown_and_nothing_is_repeated(
    run_cell, inspector, wait_for
) -> None:
    async with run_cell(inspector("passes"), plc=PlayedPlc(answer=None)) as (engine, plc):
        await in_control(engine)
        await plc.part(1)
        (outcome,) = await wait_for(engine, "outcome")
        alarms = [entry.record.name for entry in engine.journal.read(kinds=("alarm",))]
    assert outcome.record.status is OutcomeStatus.UNKNOWN
    assert len(plc.commands) == 1
    assert "outcome_unknown" in alarms


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (AnswerCode.REFUSED_LEASE, OutcomeStatus.REFUSED),
        (AnswerCode.REFUSED_STATE, OutcomeStatus.REFUSED),
        (AnswerCode.EXPIRED, OutcomeStatus.EXPIRED),
    ],
)
async def test_what_the_plc_refuses_is_the_outcome(
    run_cell, inspector, wait_for, code, status
) -> None:
    async with run_cell(inspector("passes"), plc=PlayedPlc(answer=code)) as (engine, plc):
        await in_control(engine)
        await plc.part(1)
        (outcome,) = await wait_for(engine, "outcome")
    assert outcome.record.status is status


@pytest.mark.parametrize(
    ("use", "cause", "disposition"),
    [
        ("abstains", Cause.UNSURE, Disposition.DIVERT),
        ("raises", Cause.FAILED, Disposition.REJECT),
        ("sleeps", Cause.LATE, Disposition.REJECT),
        ("dies", Cause.FAILED, Disposition.REJECT),
        ("infinite", Cause.FAILED, Disposition.REJECT),
    ],
)
async def test_nothing_fails_towards_shipping_a_part(
    run_cell, inspector, wait_for, use, cause, disposition
) -> None:
    deadline = "150 ms" if cause is Cause.LATE else "2 s"
    agents = inspector(use, light=False, deadline=deadline)
    async with run_cell(agents) as (engine, plc):
        await in_control(engine)
        await plc.part(1)
        await wait_for(engine, "outcome")
        (intent,) = engine.journal.read(kinds=("intent",))
    assert (intent.record.cause, intent.record.disposition) == (cause, disposition)
    assert all(command["result"] != 1 for command in plc.commands)


async def test_an_agent_whose_process_dies_comes_back_for_the_next_part(
    run_cell, inspector, wait_for
) -> None:
    async with run_cell(inspector("dies", light=False)) as (engine, plc):
        await plc.part(1)
        await wait_for(engine, "outcome", 1)
        await plc.part(2)
        await wait_for(engine, "outcome", 2)
        intents = engine.journal.read(kinds=("intent",))
        alarms = {entry.record.name for entry in engine.journal.read(kinds=("alarm",))}
    assert [intent.record.cause for intent in intents] == [Cause.FAILED, Cause.FAILED]
    assert "agent_failed" in alarms
    assert "agent_degraded" not in alarms


async def test_every_missed_trigger_gets_its_disposition(run_cell, inspector, wait_for) -> None:
    async with run_cell(inspector("passes")) as (engine, plc):
        await plc.part(1)
        await wait_for(engine, "intent", 1)
        await plc.part(5)
        await wait_for(engine, "intent", 5)
        intents = [entry.record for entry in engine.journal.read(kinds=("intent",))]
    by_seq = {intent.observation.trigger.trigger_seq: intent.cause for intent in intents}
    assert by_seq == {
        1: Cause.DECIDED,
        2: Cause.MISSED,
        3: Cause.MISSED,
        4: Cause.MISSED,
        5: Cause.DECIDED,
    }


async def test_missed_triggers_are_an_alarm_until_one_was_seen_in_time(
    run_cell, inspector, wait_for
) -> None:
    async with run_cell(inspector("passes")) as (engine, plc):
        await plc.part(1)
        await wait_for(engine, "intent", 1)
        await plc.part(3)
        await wait_for(engine, "intent", 3)
        await wait_for(engine, "alarm", 2)
        alarms = [entry.record for entry in engine.journal.read(kinds=("alarm",))]
        intents = [entry.record for entry in engine.journal.read(kinds=("intent",))]
    epochs = [one.observation.trigger.epoch for one in intents]
    assert epochs == [1, 1, 1], "a missed one belongs to the session that told of it"
    assert [(one.name, one.state.value) for one in alarms] == [
        ("trigger_missed", "active"),
        ("trigger_missed", "cleared"),
    ]


async def test_a_part_number_without_an_end_is_cut(run_cell, inspector, wait_for) -> None:
    async with run_cell(inspector("passes")) as (engine, plc):
        await plc.part(1, "A" * 100_000)
        (entry,) = await wait_for(engine, "intent", 1)
    assert entry.record.observation.trigger.part_id == "A" * (LONGEST_TEXT - 1) + "…"


async def test_an_interlock_that_does_not_hold_refuses_with_an_alarm(
    run_cell, inspector, wait_for
) -> None:
    guard = "guard: {plc.result: {only_if: plc.state == 6, max_age: 200 ms}}"
    async with run_cell(inspector("passes"), guard=guard) as (engine, plc):
        await in_control(engine)
        await plc.set(state=2)
        await plc.part(1)
        (outcome,) = await wait_for(engine, "outcome")
        alarms = [entry.record for entry in engine.journal.read(kinds=("alarm",))]
    assert outcome.record.status is OutcomeStatus.NOT_SENT
    assert plc.commands == []
    assert any(alarm.name == "action_refused" and "plc.state == 6" in alarm.text
               for alarm in alarms)  # fmt: skip


async def test_too_many_rejects_in_a_row_hold_the_machine(run_cell, inspector, wait_for) -> None:
    guard = "guard: {plc.result: {consecutive_rejects: {more_than: 2, machine: hold}}}"
    async with run_cell(inspector("rejects"), guard=guard) as (engine, plc):
        await in_control(engine)
        for seq in (1, 2, 3):
            await plc.part(seq)
            await wait_for(engine, "outcome", seq)
    requests = [write.value for write in plc.written if write.tag == "machine.request"]
    assert requests == [1]
    assert [command["result"] for command in plc.commands] == [2, 2, 2]


async def test_a_lapsed_lease_refuses(run_cell, inspector, wait_for) -> None:
    async with run_cell(inspector("passes")) as (engine, plc):
        await in_control(engine)
        engine._cell.leases["plc"]._renewed_ns = None
        engine._cell.leases["plc"].renew = _never
        await plc.part(1)
        (intent,) = await wait_for(engine, "intent")
    assert [judged.ruling.rule for judged in intent.record.judged] == ["lease"]
    assert plc.commands == []


async def _never() -> None:
    return None


async def test_more_triggers_than_the_queue_holds_are_dropped_and_counted(
    run_cell, inspector, wait_for
) -> None:
    agents = inspector("sleeps", light=False, deadline="150 ms", extra="    queue: 2")
    async with run_cell(agents) as (engine, plc):
        for seq in range(1, 7):
            await plc.part(seq)
            while engine.snapshot().parts_triggered < seq:
                await asyncio.sleep(0)
        await wait_for(engine, "intent", 6)
        intents = [entry.record for entry in engine.journal.read(kinds=("intent",))]
    seqs = sorted(intent.observation.trigger.trigger_seq for intent in intents)
    assert seqs == [1, 2, 3, 4, 5, 6]
    assert any(intent.cause is Cause.DROPPED for intent in intents)
    assert all(intent.disposition is not Disposition.PASS for intent in intents)


async def test_command_ids_go_on_after_a_restart(run_cell, inspector, wait_for) -> None:
    plc = PlayedPlc()
    for seq in (1, 2):
        async with run_cell(inspector("passes"), plc=plc) as (engine, _):
            plc.link = Link.UP
            await in_control(engine)
            await plc.part(seq)
            await wait_for(engine, "outcome", seq)
    assert [command["id"] for command in plc.commands] == [1, 2]


@pytest.mark.parametrize(
    ("confirm", "status"),
    [
        ("readback", OutcomeStatus.CONFIRMED),
        ("sensor", OutcomeStatus.SENT),
        ("none", OutcomeStatus.SENT),
    ],
)
async def test_no_more_is_claimed_than_the_channel_confirms(
    run_cell, inspector, wait_for, confirm, status
) -> None:
    async with run_cell(inspector("passes"), confirm=confirm) as (engine, plc):
        await in_control(engine)
        await plc.part(1)
        (outcome,) = await wait_for(engine, "outcome")
    assert outcome.record.status is status


async def test_a_record_that_reads_back_otherwise_is_unknown(run_cell, inspector, wait_for) -> None:
    class Forgetful(PlayedPlc):
        def _take(self, write):
            if write.tag == "result.id":
                self.values["result.result"] = 1

    async with run_cell(inspector("rejects"), plc=Forgetful(), confirm="readback") as (engine, plc):
        await in_control(engine)
        await plc.part(1)
        (outcome,) = await wait_for(engine, "outcome")
    assert outcome.record.status is OutcomeStatus.UNKNOWN
