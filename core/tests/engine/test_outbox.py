"""Drafts that cannot be delivered: they wait in the journal and arrive in order, once by key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import pytest
import sample_agents

from millhand.contracts import (
    DocumentRef,
    Health,
    Link,
    Mode,
    Permit,
    Value,
    WriteResult,
    WriteStatus,
)
from millhand.engine import Engine, outbox
from millhand.journal.records import Outcome, OutcomeStatus
from millhand.plugins import Plugins, hookimpl
from millhand.plugins.registrations import AdapterType, AgentType, Face
from millhand.scenario.load import load_text

SCENARIO = """
millhand: 1
name: office
devices:
  post: {adapter: system}
  erp: {adapter: system}
agents:
  clerk:
    use: test.reads
    max_mode: control
    when: document post
    may: {record: erp}
    deadline: 10 s
    light: true
"""
ANSWERS = {
    "away": WriteStatus.NOT_SENT, "silent": WriteStatus.UNKNOWN,
    "against": WriteStatus.REJECTED, "there": WriteStatus.APPLIED,
}  # fmt: skip


class System:
    """An ERP system that can be away, and the post that brings letters."""

    Config = sample_agents.NoConfig

    def __init__(self, *letters: bytes) -> None:
        self.letters = letters
        self.state = "there"
        self.keys: list[str] = []
        """Of the drafts that it made, in order."""
        self.asked = 0
        self.posted = asyncio.Event()
        self.on_asked: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def health(self) -> Health:
        return Health(link=Link.UP)

    async def receive(self) -> AsyncIterator[tuple[DocumentRef, bytes]]:
        await self.posted.wait()
        for letter in self.letters:
            yield DocumentRef(
                sha256=sha256(letter).hexdigest(), name="a.txt", media_type="text/plain",
                size=len(letter), received_utc_ns=1,
            ), letter  # fmt: skip
        await asyncio.Event().wait()

    async def deliver(
        self, permit: Permit, kind: str, body: Mapping[str, Value], idempotency_key: str
    ) -> WriteResult:
        assert [one.value for one in permit.redeem("erp")] == [idempotency_key]
        self.asked += 1
        state = self.state
        made = state in {"there", "silent"}
        if made and idempotency_key not in self.keys:
            self.keys.append(idempotency_key)
        self.on_asked()
        return WriteResult(status=ANSWERS[state], detail=state)


class Plugin:
    @hookimpl
    def millhand_agents(self) -> list[AgentType]:
        return [AgentType("test.reads", "sample_agents:Reads", "reads")]

    @hookimpl
    def millhand_adapters(self) -> list[AdapterType]:
        faces = frozenset({Face.RECORDS})
        return [AdapterType("system", "nowhere:System", "system", faces=faces)]


@pytest.fixture(autouse=True)
def _support(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(sample_agents.__file__).parent))
    monkeypatch.setattr(outbox, "_FIRST_S", 0.01)


def office(folder: Path, erp: System, *letters: bytes) -> Engine:
    scenario = load_text(SCENARIO, folder / "scenario.yaml")
    plugins = Plugins.discover([Plugin()], entry_points=False)
    return Engine(scenario, plugins=plugins, devices={"post": System(*letters), "erp": erp})


def names_of_alarms(engine: Engine) -> set[str]:
    return {one.alarm.name for one in engine._running.alarms.active}


def take_control(engine: Engine) -> None:
    """From now on drafts go out, and the post comes."""
    engine.set_mode("clerk", Mode.CONTROL, by="test")
    engine._running.devices["post"].posted.set()


async def outcomes_until(engine: Engine, done: Callable[[list[Outcome]], bool]) -> list[Outcome]:
    found: list[Any] = []
    async with asyncio.timeout(60):
        async for entry in engine.journal.cursor(kinds=("outcome",)):
            found.append(entry.record)
            if done(found):
                return found
    raise AssertionError("the journal was closed")


def count(status: OutcomeStatus, wanted: int) -> Callable[[list[Outcome]], bool]:
    return lambda found: sum(one.status is status for one in found) == wanted


LETTERS = [f"{number} letter".encode() for number in range(4)]


@pytest.mark.parametrize("how", ["away", "silent"])
async def test_drafts_wait_and_arrive_in_order_once(tmp_path: Path, how: str) -> None:
    erp = System()
    erp.state = how
    async with office(tmp_path, erp, *LETTERS) as engine:
        take_control(engine)
        waiting = await outcomes_until(engine, count(OutcomeStatus.WAITING, len(LETTERS)))
        assert all(len(one.waiting) == 1 for one in waiting)
        assert "delivery_waits" in names_of_alarms(engine)
        erp.state = "there"
        found = await outcomes_until(engine, count(OutcomeStatus.CONFIRMED, len(LETTERS)))
        assert not names_of_alarms(engine)
    assert [one.waiting for one in found if one.status is OutcomeStatus.CONFIRMED] == [()] * 4
    assert erp.keys == [key for one in waiting for key in one.waiting]


async def test_what_waits_outlives_the_engine(tmp_path: Path) -> None:
    erp = System()
    erp.state = "away"
    async with office(tmp_path, erp, *LETTERS) as engine:
        take_control(engine)
        waiting = await outcomes_until(engine, count(OutcomeStatus.WAITING, len(LETTERS)))
    erp.state = "there"
    async with office(tmp_path, erp) as engine:
        await outcomes_until(engine, count(OutcomeStatus.CONFIRMED, len(LETTERS)))
    assert erp.keys == [key for one in waiting for key in one.waiting]


async def test_in_a_lower_mode_nothing_goes_out(tmp_path: Path) -> None:
    erp = System()
    erp.state = "away"
    async with office(tmp_path, erp, LETTERS[0]) as engine:
        take_control(engine)
        await outcomes_until(engine, count(OutcomeStatus.WAITING, 1))
        engine.set_mode("clerk", Mode.SHADOW, by="test")
        asked, erp.state = erp.asked, "there"
        asked_in_shadow = asyncio.Event()
        erp.on_asked = asked_in_shadow.set
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asked_in_shadow.wait(), 0.5)
        assert erp.asked == asked
        engine.set_mode("clerk", Mode.CONTROL, by="test")
        await outcomes_until(engine, count(OutcomeStatus.CONFIRMED, 1))
    assert len(erp.keys) == 1


async def test_a_refusal_and_too_long_a_time_are_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = System()
    erp.state = "away"
    async with office(tmp_path, erp, *LETTERS[:2]) as engine:
        take_control(engine)
        await outcomes_until(engine, count(OutcomeStatus.WAITING, 2))
        erp.on_asked = lambda: setattr(erp, "state", "away")
        erp.state = "against"
        found = await outcomes_until(engine, count(OutcomeStatus.REFUSED, 1))
        assert found[-1].detail == "against"
        monkeypatch.setattr(outbox, "KEPT_NS", 1)
        found = await outcomes_until(engine, count(OutcomeStatus.EXPIRED, 1))
        assert found[-1].waiting == ()
        assert names_of_alarms(engine) == {"action_refused"}
    assert erp.keys == []
