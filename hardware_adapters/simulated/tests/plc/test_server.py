"""The server by itself, with a line that never starts: ring, rights, clock, frozen states."""

from __future__ import annotations

import asyncio

import pytest
from asyncua.ua.uaerrors import BadTypeMismatch, UaError

from millhand.contracts.command import AnswerCode
from millhand_simulated.plc.tags import ALL, HANDSHAKE

from .conftest import connected


async def test_every_tag_has_the_type_of_the_handshake(idle_plc: str) -> None:
    kinds = {"DINT": int, "STRING": str, "BOOL": bool, "LREAL": float}
    async with connected(idle_plc) as millhand:
        for tag in ALL:
            value = (await millhand.read(tag.path))[0]
            single = value[0] if tag.length else value
            assert type(single) is kinds[tag.kind], tag.path
            assert len(value) == tag.length if tag.length else True


async def test_only_what_millhand_writes_is_writable(idle_plc: str) -> None:
    async with connected(idle_plc) as millhand:
        for tag in HANDSHAKE:
            if tag.writable or tag.length:
                continue
            value = (await millhand.read(tag.path))[0]
            with pytest.raises(UaError):
                await millhand.write(**{tag.path.replace(".", "__"): value})
        with pytest.raises(BadTypeMismatch):
            await millhand.write(Cell__Command__Id="one")


async def test_the_ring_keeps_sixteen_answers(idle_plc: str) -> None:
    async with connected(idle_plc) as millhand:
        sent = []
        for _ in range(20):
            sent.append(await millhand.command("nobody", 1, 0))
            await millhand.answer(lambda a: a.command_id == sent[-1])
        answers = await millhand.answers()
    assert [answer.command_id for answer in answers] == sent[-16:]
    assert {answer.code for answer in answers} == {AnswerCode.REFUSED_LEASE}


async def test_scans_keep_time_with_the_clock(idle_plc: str) -> None:
    """Ticks follow the clock however long a scan takes: no drift."""
    async with connected(idle_plc) as millhand:
        loop = asyncio.get_running_loop()
        first, late = await millhand.read("Cell.Tick", "Sim.LateScans")
        began = loop.time()
        await asyncio.sleep(2)
        last, later = await millhand.read("Cell.Tick", "Sim.LateScans")
        took_s = loop.time() - began
    assert later > late or (last - first) * 0.01 == pytest.approx(took_s, abs=0.15)


async def test_frozen_answers_come_late_but_come(idle_plc: str) -> None:
    async with connected(idle_plc) as millhand:
        millhand.next_id = 500
        counted = (await millhand.read("Cell.Counters.RefusedLease"))[0]
        await millhand.write(Fault__FreezeAnswers=True)
        await millhand.command("nobody", 1, 0)
        await millhand.until("Cell.Counters.RefusedLease", counted + 1)
        assert 500 not in {answer.command_id for answer in await millhand.answers()}
        await millhand.write(Fault__FreezeAnswers=False)
        answer = await millhand.answer(lambda a: a.command_id == 500)
        assert answer.code is AnswerCode.REFUSED_LEASE


async def test_a_frozen_scan_answers_nothing_while_the_server_does(idle_plc: str) -> None:
    async with connected(idle_plc) as millhand:
        await millhand.write(Fault__FreezeScan=True)
        await asyncio.sleep(0.1)
        standing = (await millhand.read("Cell.Tick"))[0]
        await asyncio.sleep(0.1)
        assert (await millhand.read("Cell.Tick"))[0] == standing
        await millhand.write(Fault__FreezeScan=False)
        await asyncio.sleep(0.1)
        assert (await millhand.read("Cell.Tick"))[0] > standing


async def test_a_subscriber_sees_the_tick_move(idle_plc: str) -> None:
    """The internal write path must notify monitored items, or subscriptions stand still."""
    seen: asyncio.Queue[int] = asyncio.Queue()

    class Handler:
        def datachange_notification(self, node: object, value: int, data: object) -> None:
            seen.put_nowait(value)

    async with connected(idle_plc) as millhand:
        subscription = await millhand.client.create_subscription(20, Handler())
        await subscription.subscribe_data_change(millhand.node("Cell.Tick"))
        values = [await asyncio.wait_for(seen.get(), 10) for _ in range(3)]
        await subscription.delete()
    assert values == sorted(set(values))


async def test_a_scan_is_cheap(idle_plc: str) -> None:
    """Under 2 ms of CPU each, measured by the task itself on its own thread's clock."""
    async with connected(idle_plc) as millhand:
        first = (await millhand.read("Cell.Tick"))[0]
        await millhand.until("Cell.Tick", first + 110)
        cost_ms = (await millhand.read("Sim.ScanCostMs"))[0]
    assert 0 < cost_ms < 2
