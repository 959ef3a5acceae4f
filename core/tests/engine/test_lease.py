"""The lease: what changes is told at once, also while a renewal is under way."""

from __future__ import annotations

import asyncio

import pytest

from millhand.contracts import Permit, WriteResult
from millhand.engine.bindings import LeaseBinding
from millhand.engine.lease import Lease
from millhand.guard.permits import PermitOffice
from millhand.testing import PlayedPlc

HOUR_S = 3600.0


class SlowToAcknowledge(PlayedPlc):
    """Takes what is written at once, and says so when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = asyncio.Event()
        self.acknowledge = asyncio.Event()

    async def write(self, permit: Permit) -> WriteResult:
        result = await super().write(permit)
        self.taken.set()
        await self.acknowledge.wait()
        return result


class Cell:
    """A lease on a PLC that is slow to acknowledge, and whether an agent is in control."""

    def __init__(self) -> None:
        self.plc = SlowToAcknowledge()
        self.controls = False
        office = PermitOffice()
        self.lease = Lease(
            self.plc,
            LeaseBinding("plc", HOUR_S),
            ready=lambda: True,
            in_control=lambda: self.controls,
            permit=lambda device, writes, ns: office.issue(device, writes, expires_monotonic_ns=ns),
        )


async def test_control_taken_during_a_renewal_is_told_at_once() -> None:
    cell = Cell()
    renewing = asyncio.create_task(cell.lease.run())
    await cell.plc.taken.wait()
    cell.controls = True
    announced = asyncio.create_task(cell.lease.announced())
    cell.plc.acknowledge.set()
    await asyncio.wait_for(announced, 5)
    assert cell.plc.values["lease.in_control"] is True
    renewing.cancel()


async def test_a_renewal_that_began_before_does_not_count_as_announced() -> None:
    cell = Cell()
    renewing = asyncio.create_task(cell.lease.run())
    await cell.plc.taken.wait()
    announced = asyncio.create_task(cell.lease.announced())
    cell.plc.taken.clear()
    await asyncio.sleep(0)
    assert not announced.done()
    cell.plc.acknowledge.set()
    await asyncio.wait_for(cell.plc.taken.wait(), 5)
    await asyncio.wait_for(announced, 5)
    renewing.cancel()


async def test_what_the_device_did_not_take_is_not_announced() -> None:
    cell = Cell()
    cell.plc.acknowledge.set()
    await cell.plc.__aexit__(None, None, None)
    renewing = asyncio.create_task(cell.lease.run())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(cell.lease.announced(), 0.1)
    renewing.cancel()
