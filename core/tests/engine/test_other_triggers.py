"""Events, edges and timers: agents that are not bound to parts, and what they may do."""

from __future__ import annotations

import asyncio

from millhand.contracts import Link, Mode
from millhand.feedback.review import answer
from millhand.journal.records import AnswerKind, Cause, OutcomeStatus

HEEDS = """
  {name}:
    use: test.{name}
    max_mode: {mode}
    when: {when}
    see: {see}
    may: {{speed: plc.speed}}
    deadline: 1 s
    light: true
"""


def speed_agent(name: str, when: str, *, mode: str = "control", see: str = "{}") -> str:
    return HEEDS.format(name=name, when=when, mode=mode, see=see)


def speeds(plc) -> list[object]:
    return [write.value for write in plc.written if write.tag == "speed"]


async def test_an_event_reaches_the_other_agent_and_moves_the_plant(
    run_cell, inspector, wait_for
) -> None:
    agents = inspector("holds") + speed_agent("heeds", "event hold/1")
    async with run_cell(agents) as (engine, plc):
        for agent in ("inspector", "heeds"):
            engine.set_mode(agent, Mode.CONTROL, by="test")
        await plc.part(1)
        (outcome,) = await wait_for(engine, "outcome", subject="heeds")
    assert outcome.record.status is OutcomeStatus.SENT
    assert speeds(plc) == [80.0]


async def test_a_consumer_never_acts_above_its_producers_mode(
    run_cell, inspector, wait_for
) -> None:
    agents = inspector("holds") + speed_agent("heeds", "event hold/1")
    async with run_cell(agents) as (engine, plc):
        engine.set_mode("heeds", Mode.CONTROL, by="test")
        await plc.part(1)
        (intent,) = await wait_for(engine, "intent", subject="heeds")
        await wait_for(engine, "outcome", subject="heeds")
    assert intent.record.mode is Mode.SHADOW
    assert speeds(plc) == []


async def test_an_event_is_consumed_once_even_over_a_restart(run_cell, inspector, wait_for) -> None:
    agents = inspector("holds") + speed_agent("heeds", "event hold/1")
    async with run_cell(agents) as (engine, plc):
        await plc.part(1)
        await wait_for(engine, "outcome", subject="heeds")
    plc.link = Link.UP
    async with run_cell(agents, plc=plc) as (engine, _):
        await plc.part(2)
        await wait_for(engine, "outcome", 2, subject="heeds")
        await engine.settled()
        consumed = [
            entry.record.observation.trigger.event.id
            for entry in engine.journal.read(kinds=("intent",), subject="heeds")
        ]
    assert len(consumed) == len(set(consumed)) == 2


async def test_small_steps_do_not_walk_a_value_beyond_its_budget(run_cell, wait_for) -> None:
    agents = speed_agent("steers", "plc.state changes", see="{speed: plc.speed}")
    guard = "guard: {plc.speed: {range: [0, 200], budget: {change: 12, within: 1 h}}}"
    async with run_cell(agents, guard=guard) as (engine, plc):
        engine.set_mode("steers", Mode.CONTROL, by="test")
        for step in range(1, 6):
            await plc.set(state=10 + step)
            await wait_for(engine, "outcome", step)
        rules = [
            entry.record.judged[0].ruling.rule for entry in engine.journal.read(kinds=("intent",))
        ]
    assert speeds(plc) == [105.0, 110.0]
    assert rules == ["ok", "ok", "budget", "budget", "budget"]


async def test_the_first_value_after_connecting_is_no_edge(run_cell) -> None:
    agents = speed_agent("steers", "plc.state changes", see="{speed: plc.speed}")
    async with run_cell(agents) as (engine, _):
        await engine.settled()
        assert engine.journal.read(kinds=("intent",)) == []


async def test_a_timer_goes_on(run_cell, wait_for) -> None:
    agents = "  beats: {use: test.beats, when: every 50 ms, deadline: 50 ms, light: true}\n"
    async with run_cell(agents) as (engine, _):
        events = await wait_for(engine, "event", 3)
        intents = await wait_for(engine, "intent", 3)
    counts = [entry.record.observation.trigger.count for entry in intents]
    assert counts == sorted(set(counts))
    assert events[0].record.event.producer == "beats"


async def test_advise_asks_and_a_persons_approval_carries_it_out(
    run_cell, inspector, wait_for
) -> None:
    agents = inspector("holds") + speed_agent("heeds", "event hold/1", mode="advise")
    async with run_cell(agents) as (engine, plc):
        engine.set_mode("inspector", Mode.CONTROL, by="test")
        engine.set_mode("heeds", Mode.ADVISE, by="test")
        await plc.part(1)
        (question,) = await wait_for(engine, "question", subject="heeds")
        (first,) = await wait_for(engine, "outcome", subject="heeds")
        assert first.record.status is OutcomeStatus.AWAITING
        assert speeds(plc) == []
        answer(engine.journal, question.id, AnswerKind.APPROVE, by="anna")
        outcomes = await wait_for(engine, "outcome", 2, subject="heeds")
    assert outcomes[1].record.status is OutcomeStatus.SENT
    assert speeds(plc) == [80.0]


async def test_latest_hears_the_last_word_of_every_tag_and_calls_it_no_loss(
    run_cell, wait_for
) -> None:
    agents = """  naps: {use: test.dozes, when: [plc.state changes, plc.speed changes],
    deadline: 5 s, queue: latest}
"""
    async with run_cell(agents) as (engine, plc):
        for change in ({"state": 1}, {"speed": 5.0}, {"state": 2}, {"state": 3}, {"state": 4}):
            await plc.set(**change)
            for _ in range(50):
                await asyncio.sleep(0)  # until its subscriber has heard of it
        intents = [e.record for e in await wait_for(engine, "intent", 5, subject="naps")]
        alarms = engine.journal.read(kinds=("alarm",))
    decided = [one.decision.reason for one in intents if one.cause is Cause.DECIDED]
    superseded = [
        one.observation.trigger.now.value for one in intents if one.cause is Cause.SUPERSEDED
    ]
    assert decided == ["plc.state 1", "plc.speed 5.0", "plc.state 4"]
    assert superseded == [2, 3]
    assert alarms == []
