"""A budget holds against restarts, writes at the same time, and values read too early."""

from __future__ import annotations

import asyncio

from millhand.contracts import Link, Mode, Permit, WriteResult
from millhand.testing import PlayedPlc

STEERS = """
  {name}:
    use: test.steers
    max_mode: {mode}
    when: plc.state changes
    see: {{speed: plc.speed}}
    may: {{speed: plc.speed}}
    deadline: 1 s
    light: true
"""
GUARD = "guard: {plc.speed: {range: [0, 200], budget: {change: 12, within: 1 h}}}"


def steers(*names: str, mode: str = "control") -> str:
    return "".join(STEERS.format(name=name, mode=mode) for name in names)


def speeds(plc: PlayedPlc) -> list[object]:
    return [write.value for write in plc.written if write.tag == "speed"]


async def test_five_small_steps_with_a_restart_after_each_stay_within_the_budget(
    run_cell, wait_for
) -> None:
    plc = PlayedPlc()
    rules = []
    for step in range(1, 6):
        plc.link = Link.UP
        async with run_cell(steers("one"), plc=plc, guard=GUARD) as (engine, _):
            engine.set_mode("one", Mode.CONTROL, by="test")
            await plc.set(state=10 + step)
            await wait_for(engine, "outcome", step)
            intent = engine.journal.read(kinds=("intent",))[-1].record
            rules.append(intent.judged[0].ruling.rule)
    assert rules == ["ok", "ok", "budget", "budget", "budget"]
    assert speeds(plc) == [105.0, 110.0]


class SlowPlc(PlayedPlc):
    """Takes a write only when all that were sent have waited together."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()
        self.under_way = 0

    async def write(self, permit: Permit) -> WriteResult:
        if any(write.tag == "speed" for write in permit.writes):
            self.under_way += 1
            await self.let_go.wait()
        return await super().write(permit)


async def test_writes_under_way_at_the_same_time_share_one_budget(run_cell, wait_for) -> None:
    plc = SlowPlc()
    names = ("one", "two", "three", "four")
    async with run_cell(steers(*names), plc=plc, guard=GUARD) as (engine, _):
        for name in names:
            engine.set_mode(name, Mode.CONTROL, by="test")
        await plc.set(state=11)
        await wait_for(engine, "intent", 4)
        for name in names[2:]:
            await wait_for(engine, "outcome", subject=name)
        plc.let_go.set()
        await wait_for(engine, "outcome", 4)
    assert plc.under_way == 2, "each may be a change of five, and twelve are allowed"
    assert speeds(plc) == [105.0, 105.0]
