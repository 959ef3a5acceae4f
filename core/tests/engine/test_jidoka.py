"""Jidoka: what else is known of a part is heard, and people are called and respond."""

from __future__ import annotations

import asyncio

import pytest

from millhand.contracts import Disposition, Mode
from millhand.errors import ConfigError, NotAllowed
from millhand.feedback.andon import answer, open_calls
from millhand.journal.records import AndonState, Cause

TWO = """
  inspector:
    use: test.passes
    max_mode: control
    when: plc.trigger
    may: {{disposition: plc.result}}
    deadline: 2 s
    light: true
    contradicted: {{part: {fate}, review: true, by: [{by}], call: shift lead, within: 50 ms}}
  weigher:
    use: test.{other}
    max_mode: control
    when: plc.trigger
    deadline: 2 s
    light: true
"""


def two(other: str, *, by: str = "weigher", fate: str = "divert") -> str:
    return TWO.format(other=other, by=by, fate=fate)


def control(engine, *agents: str) -> None:
    for agent in agents:
        engine.set_mode(agent, Mode.CONTROL, by="test")


async def intent_of(engine, agent: str):
    async for entry in engine.journal.cursor(kinds=("intent",)):
        if entry.subject == agent:
            return entry.record
    raise AssertionError("the journal was closed")


@pytest.mark.parametrize(
    ("other", "cause", "disposition"),
    [
        ("passes", Cause.DECIDED, Disposition.PASS),
        ("rejects", Cause.CONTRADICTED, Disposition.DIVERT),
        ("abstains", Cause.BLIND, Disposition.REJECT),
        ("raises", Cause.BLIND, Disposition.REJECT),
    ],
)
async def test_a_part_passes_only_with_the_word_of_whom_the_agent_heeds(
    run_cell, other, cause, disposition
) -> None:
    async with run_cell(two(other).replace("deadline: 2 s", "deadline: 600 ms")) as (engine, plc):
        control(engine, "inspector", "weigher")
        await plc.part(1)
        intent = await intent_of(engine, "inspector")
        await engine.settled()
    assert (intent.cause, intent.disposition) == (cause, disposition)
    passed = [command["result"] for command in plc.commands]
    assert (1 in passed) == (disposition is Disposition.PASS)


async def test_who_only_watches_is_neither_awaited_nor_heard(run_cell) -> None:
    async with run_cell(two("rejects")) as (engine, plc):
        control(engine, "inspector")
        await plc.part(1)
        intent = await intent_of(engine, "inspector")
    assert intent.cause is Cause.DECIDED


async def test_evidence_that_comes_too_late_asks_and_calls(run_cell, wait_for) -> None:
    """The inspector awaits nobody; the weigher speaks when the part has passed."""
    agents = two("rejects").replace(", by: [weigher]", "")
    async with run_cell(agents) as (engine, plc):
        control(engine, "inspector", "weigher")
        await plc.part(1)
        (call,) = await wait_for(engine, "andon")
        (question,) = await wait_for(engine, "question")
        intents = {entry.subject: entry for entry in engine.journal.read(kinds=("intent",))}
    about = {intents["inspector"].id, intents["weigher"].id}
    assert call.record.cause is Cause.CONTRADICTED
    assert call.record.decision in about
    assert question.record.decision in about


async def test_a_call_has_an_owner_a_response_time_and_a_cause(
    run_cell, wait_for, tmp_path
) -> None:
    inbox = tmp_path / "journal" / "inbox"
    async with run_cell(two("rejects")) as (engine, plc):
        control(engine, "inspector", "weigher")
        await plc.part(1)
        (called,) = await wait_for(engine, "andon")
        await plc.part(2)
        await wait_for(engine, "intent", 4)
        while "andon_unanswered" not in {
            entry.record.name for entry in engine.journal.read(kinds=("alarm",))
        }:
            await asyncio.sleep(0.02)
        assert engine.snapshot().calls
        journal = engine.journal
        with pytest.raises(ConfigError):
            answer(journal, "nobody", AndonState.RESPONDED, by="An", inbox=inbox)
        with pytest.raises(ConfigError):
            answer(journal, called.id, AndonState.RESPONDED, by=" ", inbox=inbox)
        answer(journal, called.id, AndonState.RESPONDED, by="An", inbox=inbox)
        await wait_for(engine, "andon", 2)
        with pytest.raises(NotAllowed):
            answer(journal, called.id, AndonState.RESPONDED, by="Bo", inbox=inbox)
        answer(journal, called.id, AndonState.CLOSED, by="An", note="scale cleaned", inbox=inbox)
        first, responded, closed = await wait_for(engine, "andon", 3)
        assert open_calls(journal) == []
        assert engine.snapshot().calls == ()
    call = first.record
    assert (call.owner, call.cause, call.respond_within_s) == (
        "shift lead", Cause.CONTRADICTED, 0.05,
    )  # fmt: skip
    assert first.id == responded.id == closed.id
    assert responded.record.by == "An"
    assert responded.record.response_ns > 50_000_000
    assert closed.record.response_ns == responded.record.response_ns
    assert (closed.record.note, closed.record.parts) == ("scale cleaned", 2)


async def test_a_call_stands_over_a_restart(run_cell, wait_for) -> None:
    agents = two("rejects")
    async with run_cell(agents) as (engine, plc):
        control(engine, "inspector", "weigher")
        await plc.part(1)
        (called,) = await wait_for(engine, "andon")
    async with run_cell(agents, plc=plc) as (engine, _):
        assert [one.id for one in open_calls(engine.journal)] == [called.id]
        assert engine.snapshot().calls == (called.record.text,)


async def test_stopping_the_machine_calls_whom_the_cell_names(run_cell, wait_for) -> None:
    agents = """
  inspector:
    use: test.abstains
    max_mode: control
    when: plc.trigger
    may: {disposition: plc.result}
    deadline: 1 s
    light: true
    unsure: {part: reject, machine: stop}
andon: {owner: line lead, within: 5 min}
"""
    async with run_cell(agents) as (engine, plc):
        control(engine, "inspector")
        await plc.part(1)
        (call,) = await wait_for(engine, "andon")
    assert (call.record.owner, call.record.machine) == ("line lead", "stop")
    assert call.record.respond_within_s == 300
