"""A worker that does not come up again: each try costs a restart, then its agents are given up."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Self

import pytest

from millhand.contracts import Observation, TimerTick
from millhand.engine.resident import Resident
from millhand.engine.restarts import WorkerLimits
from millhand.isolate.messages import AgentSpec, OpenedAgent, Rung
from millhand.isolate.wire import WorkerLost

AGENT = '''
"""Counts its starts in a file; from the second on does what another file says."""

import os, time
from pathlib import Path
from pydantic import BaseModel
from millhand.contracts import Decision, Needs, TriggerKind, Verdict

HERE = Path(__file__).parent
START = len(list(HERE.glob("start-*"))) + 1
(HERE / f"start-{START}").touch()
SPOILT = range(2, int((HERE / "well-again-at").read_text()))


class Nothing(BaseModel):
    pass


class Agent:
    Config = Nothing

    def __init__(self, config):
        if START in SPOILT and (HERE / "hangs").exists():
            time.sleep(600)
        if START in SPOILT:
            os._exit(3)

    def needs(self):
        return Needs(triggers=frozenset({TriggerKind.TIMER}))

    def decide(self, observation, models):
        return Decision(verdict=Verdict.OK)
'''
READY_S = 10.0
LIMIT_S = 60.0
"""Far more than any of it takes; only a test that fails waits for it."""


class Notes:
    """Care that keeps what it is told, and wakes who waits for it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.reasons: list[str] = []
        self._changed = asyncio.Event()

    def _note(self, what: str, reason: str = "") -> None:
        self.told.append(what)
        self.reasons.append(reason)
        self._changed.set()

    def failed(self, agent: str, reason: str) -> None:
        self._note("failed", f"{agent}: {reason}")

    def opened(self, agents: Sequence[OpenedAgent]) -> None:
        self._note("opened")

    def rungs_changed(self, rungs: Sequence[Rung]) -> None:
        raise AssertionError(rungs)

    def degraded(self, agents: Sequence[str], reason: str) -> None:
        self._note("degraded", reason)

    def restored(self, agents: Sequence[str]) -> None:
        self._note("restored")

    async def wait_for(self, what: str) -> None:
        async with asyncio.timeout(LIMIT_S):
            while what not in self.told:
                self._changed.clear()
                await self._changed.wait()


class Case:
    """A resident whose worker comes up once and then misbehaves as told."""

    def __init__(self, folder: Path, *, restarts: int, within_s: float = 600.0) -> None:
        self.folder = folder
        self.notes = Notes()
        self._jobs: set[asyncio.Task[None]] = set()
        limits = WorkerLimits(spare=False, restarts=restarts, within_s=within_s, ready_s=READY_S)
        spec = AgentSpec(name="agent", target="counted_agent:Agent", config={})
        self.resident = Resident("worker", [spec], limits, self.notes, self._job)

    def _job(self, work: Coroutine[Any, Any, None], name: str) -> object:
        task = asyncio.create_task(work, name=name)
        self._jobs.add(task)
        return task

    @property
    def starts(self) -> int:
        return len(list(self.folder.glob("start-*")))

    async def decides(self) -> bool:
        tick = TimerTick(source="t", count=1, due_utc_ns=1, due_monotonic_ns=1)
        observation = Observation(id="cell.1.1", agent="agent", trigger=tick)
        try:
            await self.resident.decide("agent", observation, {}, 5.0)
        except WorkerLost:
            return False
        return True

    async def __aenter__(self) -> Self:
        await self.resident.start()
        assert self.resident.worker is not None
        assert self.resident.worker.pid is not None
        os.kill(self.resident.worker.pid, signal.SIGKILL)
        await self.resident.worker.ended(LIMIT_S)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.resident.stop()
        await asyncio.gather(*self._jobs)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "counted_agent.py").write_text(AGENT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


async def test_a_restart_that_times_out_costs_one_and_is_tried_again(folder: Path) -> None:
    (folder / "well-again-at").write_text("3")
    (folder / "hangs").touch()
    async with Case(folder, restarts=3) as case:
        assert not await case.decides(), "it was killed"
        await case.notes.wait_for("opened")
        assert case.starts == 3, "first, the one that hangs, one more"
        assert case.notes.told == ["failed", "failed", "opened"]
        assert "not ready within 10 s" in case.notes.reasons[1]
        assert not case.resident.degraded
        assert await case.decides()


async def test_one_that_ends_while_it_starts_costs_restarts_until_none_is_left(
    folder: Path,
) -> None:
    (folder / "well-again-at").write_text("100")
    async with Case(folder, restarts=3) as case:
        assert not await case.decides()
        await case.notes.wait_for("degraded")
        assert case.starts == 4, "the first and three restarts"
        assert case.notes.told == ["failed", "failed", "failed", "degraded"]
        assert case.resident.degraded


async def test_given_up_after_restarts_that_fail_it_still_comes_back_with_time(
    folder: Path,
) -> None:
    (folder / "well-again-at").write_text("4")
    async with Case(folder, restarts=2, within_s=6.0) as case:
        assert not await case.decides()
        await case.notes.wait_for("restored")
        assert case.notes.told.index("degraded") < case.notes.told.index("restored")
        assert await case.decides()


async def test_a_part_does_not_wait_for_the_restart(folder: Path) -> None:
    (folder / "well-again-at").write_text("3")
    (folder / "hangs").touch()
    async with Case(folder, restarts=3) as case:
        asked = monotonic()
        assert not await case.decides()
        assert monotonic() - asked < READY_S, "or it waited for the one that hangs"
