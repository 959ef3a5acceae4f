"""The cell over real sockets: a client plays Millhand against the PLC's own process."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from asyncua.client.client import Client
from asyncua.ua.uaerrors import UaError

from millhand.contracts.command import AnswerCode
from millhand.errors import ConfigError, Unavailable
from millhand.isolate.server_process import ServerProcess
from millhand_simulated.plant import ConveyorCell
from millhand_simulated.plc import control
from millhand_simulated.plc.cell import Cell, Wishes
from millhand_simulated.plc.config import CellConfig
from millhand_simulated.plc.packml import Way

from .conftest import connected

Start = Callable[..., Awaitable[ConveyorCell]]
FAST = {"takt_ticks": 12, "camera_to_gate_ticks": 40, "operator_ticks": 20}


async def test_a_part_is_triggered_commanded_accepted_and_executed(cell_of: Start) -> None:
    cell = await cell_of(parts=3, **FAST)
    async with connected(cell.endpoints["plc"]) as millhand:
        millhand.hold_lease(in_control=True)
        await cell.start_line()
        for number, result in enumerate((1, 2, 3), 1):
            seq, part_id, product, tick = await millhand.trigger(after=number - 1)
            assert (seq, part_id, product) == (number, f"IMP-{number:06d}", "impeller")
            command_id = await millhand.command(part_id, result, tick + 30)
            accepted = await millhand.answer(lambda a, i=command_id: a.command_id == i)  # type: ignore[misc]
            assert (accepted.code, accepted.part_id) == (AnswerCode.ACCEPTED, part_id)
            assert 0 < accepted.plc_tick - tick <= 30
        executed = await millhand.answer(lambda a: a.code is AnswerCode.EXECUTED)
        assert (executed.command_id, executed.part_id) == (1, "IMP-000001")
        summary = await cell.finished()
    assert summary.triggers == 3
    assert summary.answers["accepted"] == summary.answers["executed"] == 3
    assert summary.gate == {"pass": 1, "reject": 1, "divert": 1}


async def test_a_panel_that_nobody_touches_stays_connected(
    cell_of: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_ms = 5_000  # the shortest that the server gives
    monkeypatch.setattr(control, "_SESSION_MS", session_ms)
    cell = await cell_of(parts=1, **FAST)
    await asyncio.sleep(1.5 * session_ms / 1000)
    assert await cell.control.read("Cell.Trigger.Seq") == 0


def futures() -> int:
    gc.collect()
    return sum(issubclass(type(one), asyncio.Future) for one in gc.get_objects())


async def test_waiting_for_the_end_again_and_again_takes_no_memory(tmp_path: Path) -> None:
    process = ServerProcess(CellConfig(parts=1), tmp_path, "millhand_simulated.plc")
    async with process:
        assert not await process.ended_within(0.01)
        before = futures()
        for _ in range(100):
            assert not await process.ended_within(0.001)
        assert futures() - before < 10
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        assert await process.ended_within(10)


async def test_a_late_command_has_expired(cell_of: Start) -> None:
    cell = await cell_of(parts=1, **FAST)
    async with connected(cell.endpoints["plc"]) as millhand:
        millhand.hold_lease(in_control=True)
        await cell.start_line()
        _, part_id, _, tick = await millhand.trigger(after=0)
        await millhand.command(part_id, 1, tick - 1)
        late = await millhand.answer(lambda a: a.command_id == 1)
        assert late.code is AnswerCode.EXPIRED
        summary = await cell.finished()
    assert summary.answers["defaulted"] == 1
    assert summary.gate == {"pass": 0, "reject": 1, "divert": 0}


async def test_nobody_commands_without_a_lease(cell_of: Start) -> None:
    cell = await cell_of(parts=2, lease_timeout_ms=150, **FAST)
    async with connected(cell.endpoints["plc"]) as millhand:
        await cell.start_line()
        _, part_id, _, tick = await millhand.trigger(after=0)
        await millhand.command(part_id, 1, tick + 30)
        first = await millhand.answer(lambda a: a.command_id == 1)
        assert first.code is AnswerCode.REFUSED_LEASE

        millhand.hold_lease(in_control=True)
        _, part_id, _, tick = await millhand.trigger(after=1)
        await millhand.drop_lease()
        await millhand.lapsed()
        await millhand.command(part_id, 1, tick + 100)
        second = await millhand.answer(lambda a: a.command_id == 2)
        assert second.code is AnswerCode.REFUSED_LEASE
        summary = await cell.finished()
    assert summary.gate["pass"] == 0


async def test_a_shadowing_agent_is_bypassed(cell_of: Start) -> None:
    cell = await cell_of(parts=3, **FAST)
    async with connected(cell.endpoints["plc"]) as millhand:
        millhand.hold_lease(in_control=False)
        await millhand.until("Cell.Lease.Live", True)
        await cell.start_line()
        summary = await cell.finished()
        answers = await millhand.answers()
    assert summary.answers["bypassed"] == 3
    assert summary.gate["pass"] == 3
    assert {answer.command_id for answer in answers} == {0}


async def test_an_emergency_stop_purges_what_is_on_the_belt(cell_of: Start) -> None:
    cell = await cell_of(parts=5, operator_ticks=None, takt_ticks=12, camera_to_gate_ticks=40)
    async with connected(cell.endpoints["plc"]) as millhand:
        millhand.hold_lease(in_control=True)
        await cell.start_line()
        _, part_id, _, tick = await millhand.trigger(after=0)
        await millhand.command(part_id, 1, tick + 30)
        await millhand.trigger(after=1)
        await cell.control.write("Fault.EStop", True)
        await millhand.in_state(9)
        in_flight = await cell.control.read("Cell.Counters.InFlight")
        assert in_flight >= 2
        await cell.control.write("Sim.Reset", True)
        await asyncio.sleep(0.1)
        assert (await millhand.read("Cell.PackML.State"))[0] == 9, "the stop is still pressed"
        await cell.control.write("Fault.EStop", False)
        await cell.control.write("Sim.Reset", True)
        purged = await millhand.answer(lambda a: a.code is AnswerCode.DEFAULTED)
        assert (purged.part_id, purged.command_id) == (part_id, 0)
        await millhand.in_state(6)
        summary = await cell.finished()
    assert summary.triggers == 5
    assert summary.gate["pass"] == 0, "the accepted part never reached the gate"


async def test_the_operator_restarts_a_held_cell(cell_of: Start) -> None:
    cell = await cell_of(parts=4, **FAST)
    async with connected(cell.endpoints["plc"]) as millhand:
        await cell.start_line()
        await millhand.trigger(after=0)
        await millhand.write(Cell__Machine__Request=1)
        await millhand.in_state(11)
        assert (await millhand.read("Cell.Machine.Request"))[0] == 0
        await millhand.command("IMP-000001", 1, 2**31 - 1)
        await millhand.in_state(6)
        summary = await cell.finished()
    assert summary.triggers == 4


async def test_a_restarted_client_finds_its_answer_in_the_ring(cell_of: Start) -> None:
    cell = await cell_of(parts=2, **FAST)
    async with connected(cell.endpoints["plc"]) as millhand:
        millhand.hold_lease(in_control=True)
        await cell.start_line()
        _, part_id, _, tick = await millhand.trigger(after=0)
        await millhand.command(part_id, 2, tick + 30)
    async with connected(cell.endpoints["plc"]) as millhand:
        answer = await millhand.answer(lambda a: a.command_id == 1)
        assert answer.code is AnswerCode.ACCEPTED
        summary = await cell.finished()
    assert summary.answers["executed"] == 1


async def test_a_contradicting_gate_stops_the_cell(cell_of: Start) -> None:
    cell = await cell_of(parts=3, faults=[{"fault": "WrongWay", "at_part": 1}], **FAST)
    async with connected(cell.endpoints["plc"]) as millhand:
        await cell.start_line()
        await millhand.in_state(9)
        assert (await millhand.read("Cell.Machine.Fault"))[0] == 3
        summary = await cell.finished()
    assert summary.triggers == sum(summary.gate.values()) == 3
    assert summary.gate["pass"] == 0


async def test_user_name_and_certificate(cell_of: Start, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret\n", encoding="utf-8")
    cell = await cell_of(parts=1, user="operator", password_file=secret, secure=True, **FAST)
    assert await cell.control.read("Cell.PackML.State") == 2, "the panel itself gets in"
    plain = Client(cell.endpoints["plc"], timeout=5)
    with pytest.raises((UaError, OSError, TimeoutError)):
        await plain.connect()
    await plain.disconnect()


async def test_a_wrong_password_is_refused(cell_of: Start, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret", encoding="utf-8")
    cell = await cell_of(parts=1, user="operator", password_file=secret, **FAST)
    for user, password, welcome in (
        ("operator", "s3cret", True),
        ("operator", "guess", False),
        ("someone", "s3cret", False),
    ):
        client = Client(cell.endpoints["plc"], timeout=5)
        client.session_timeout = 60_000
        client.set_user(user)
        client.set_password(password)
        if welcome:
            async with client:
                pass
        else:
            with pytest.raises(UaError):
                await client.connect()


async def test_a_missing_password_file_says_so(cell_of: Start, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="password file"):
        await cell_of(parts=1, user="operator", password_file=tmp_path / "nowhere", **FAST)


async def test_faults_strike_the_part_they_are_meant_for(cell_of: Start) -> None:
    faults = [
        {"fault": "DropTrigger", "at_part": 2},
        {"fault": "UnknownProduct", "at_part": 3},
        {"fault": "DuplicateTrigger", "at_part": 5},
    ]
    cell = await cell_of(parts=6, faults=faults, **FAST)
    seen: list[tuple[int, str, str]] = []
    in_flight = 0
    async with connected(cell.endpoints["plc"]) as millhand:
        await cell.start_line()
        while not seen or seen[-1][0] < 7:
            seen.append((await millhand.trigger(after=seen[-1][0] if seen else 0))[:3])
            in_flight = max(in_flight, (await millhand.read("Cell.Counters.InFlight"))[0])
        summary = await cell.finished()
    assert seen == [
        (1, "IMP-000001", "impeller"),
        (3, "IMP-000003", "unlisted"),
        (4, "IMP-000004", "impeller"),
        (5, "IMP-000005", "impeller"),
        (6, "IMP-000005", "impeller"),
        (7, "IMP-000006", "impeller"),
    ]
    assert in_flight >= 3
    assert summary.triggers == summary.answers["defaulted"] == 7


async def test_ten_times_faster_and_the_same_as_without_sockets(cell_of: Start) -> None:
    values = {"seed": 4, "parts": 12, "challenges": [3], "defect_rate": 0.5}
    faults = [{"fault": "EStop", "at_part": 5, "ticks": 30}]
    cell = await cell_of(**values, faults=faults, speed=10, takt_ticks=50)
    await cell.start_line()
    loop = asyncio.get_running_loop()
    began = loop.time()
    summary = await cell.finished()
    took_s = loop.time() - began
    ticks, late = await cell.control.read_all("Cell.Tick", "Sim.LateScans")

    model = Cell(cell.config)
    while not model.finished:
        model.step(Wishes(run=True))
    assert summary.triggers == model.program.counters.triggers == 12
    assert summary.answers["defaulted"] == model.program.counters.answers[AnswerCode.DEFAULTED]
    assert summary.gate["reject"] == model.program.counters.gate[Way.REJECT]
    assert late > 0 or took_s < ticks * 0.01 / 5

    truth = cell.truth(f"IMP-{number:06d}" for number in range(1, 13))
    assert [part.part_id for part in truth if part.challenge] == ["IMP-000003"]
    assert all((part.defect is None) == (part.area_px2 == 0) for part in truth)
    assert {part.defect is None for part in truth} == {True, False}


async def test_a_plc_that_died_is_reported_and_a_taken_port_too(
    cell_of: Start, idle_plc: str, tmp_path: Path
) -> None:
    port = int(idle_plc.rpartition(":")[2].strip("/"))
    with pytest.raises(ConfigError, match="cannot listen"):
        await cell_of(parts=1, port=port, **FAST)
    async with ConveyorCell(ConveyorCell.Config(), tmp_path) as cell:
        assert cell.pid is not None
        os.kill(cell.pid, signal.SIGKILL)
        with pytest.raises(Unavailable):
            await asyncio.wait_for(cell.finished(), 20)


async def test_a_killed_plc_is_left_without_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with ConveyorCell(ConveyorCell.Config(), tmp_path) as cell:
        assert cell.pid is not None
        os.kill(cell.pid, signal.SIGKILL)
        with pytest.raises(Unavailable):
            await asyncio.wait_for(cell.finished(), 20)
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_leaving_ends_the_process_even_when_cancelled(tmp_path: Path) -> None:
    inside = asyncio.Event()
    pids: list[int] = []

    async def run() -> None:
        async with ConveyorCell(ConveyorCell.Config(), tmp_path) as cell:
            assert cell.pid is not None
            pids.append(cell.pid)
            inside.set()
            await cell.finished()

    task = asyncio.create_task(run())
    await inside.wait()
    os.kill(pids[0], 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
