"""Permits: real ones, once, in time, on their device; nothing else writes."""

from __future__ import annotations

import pytest

from millhand.contracts import Write
from millhand.errors import NotAllowed
from millhand.guard import IssuedPermit, PermitOffice

WRITES = (Write(tag="speed", value=1),)


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


def test_a_permit_is_worth_exactly_its_writes_once() -> None:
    office = PermitOffice(Clock())
    permit = office.issue("plc", WRITES, expires_monotonic_ns=10)
    assert permit.redeem("plc") == WRITES
    with pytest.raises(NotAllowed):
        permit.redeem("plc")


def test_expired_on_the_nanosecond() -> None:
    clock = Clock()
    office = PermitOffice(clock)
    permit = office.issue("plc", WRITES, expires_monotonic_ns=10)
    clock.now = 10
    with pytest.raises(NotAllowed, match="expired"):
        permit.redeem("plc")


def test_another_device_cannot_use_it_and_neither_can_its_own_afterwards() -> None:
    office = PermitOffice(Clock())
    permit = office.issue("plc", WRITES, expires_monotonic_ns=10)
    with pytest.raises(NotAllowed):
        permit.redeem("robot")
    with pytest.raises(NotAllowed):
        permit.redeem("plc")


def test_a_forged_or_copied_permit_is_worth_nothing() -> None:
    office = PermitOffice(Clock())
    real = office.issue("plc", WRITES, expires_monotonic_ns=10)
    forged = IssuedPermit(office, real.number, "plc", (Write(tag="speed", value=999),), 10**9)
    with pytest.raises(NotAllowed):
        forged.redeem("plc")
    assert real.redeem("plc") == WRITES, "a forgery does not spend what it imitates"


@pytest.mark.parametrize("by", ["writes", "expiry", "value in an array"])
def test_a_permit_that_was_changed_after_it_was_issued_writes_nothing_else(by) -> None:
    clock = Clock()
    office = PermitOffice(clock)
    permit = office.issue("plc", (Write(tag="speeds", value=[1, 2]),), expires_monotonic_ns=10)
    if by == "writes":
        permit.writes = (Write(tag="speeds", value=[999, 999]),)
    elif by == "expiry":
        permit.expires_monotonic_ns = 10**12
        clock.now = 11
    else:
        permit.writes[0].value[0] = 999
    with pytest.raises(NotAllowed):
        permit.redeem("plc")


def test_a_permit_relabelled_for_another_device_is_worth_nothing_there() -> None:
    office = PermitOffice(Clock())
    permit = office.issue("plc", WRITES, expires_monotonic_ns=10)
    permit.device = "robot"
    with pytest.raises(NotAllowed):
        permit.redeem("robot")


def test_expired_permits_are_not_hoarded() -> None:
    clock = Clock()
    office = PermitOffice(clock)
    for _ in range(1000):
        office.issue("plc", WRITES, expires_monotonic_ns=clock.now + 1)
        clock.now += 2
    assert office.outstanding <= 64
