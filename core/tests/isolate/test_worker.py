"""A worker process: opens agents, decides, survives its agents' misbehaviour by name."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from millhand.contracts import Frame, FrameRef, Observation, TimerTick, Verdict
from millhand.errors import ConfigError, InternalError
from millhand.isolate.messages import AgentSpec
from millhand.isolate.process import Worker
from millhand.isolate.wire import WorkerLost

AGENTS = """
import os, sys, time
from pydantic import BaseModel
from millhand.contracts import Decision, Needs, TriggerKind, Verdict


class Nothing(BaseModel):
    model_config = {"extra": "forbid"}


class Base:
    Config = Nothing

    def __init__(self, config):
        pass

    def needs(self):
        return Needs(triggers=frozenset({TriggerKind.TIMER}), frames=frozenset({"frame"}))


class Mean(Base):
    def decide(self, observation, models):
        print("prints go to the log")
        pixels = observation.frames["frame"].pixels
        assert not pixels.flags.writeable
        return Decision(verdict=Verdict.OK, scores={"mean": float(pixels.mean())})


class Raises(Base):
    def decide(self, observation, models):
        raise ZeroDivisionError("by design")


class Exits(Base):
    def decide(self, observation, models):
        os._exit(3)


class Slow(Base):
    def decide(self, observation, models):
        time.sleep(0.3)
        return Decision(verdict=Verdict.OK, scores={"count": float(observation.trigger.count)})
"""


@pytest.fixture(scope="module")
def agents_on_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agents")
    (folder / "sample_agents.py").write_text(AGENTS)
    return folder


@pytest.fixture(params=["pair", "loopback"])
async def start(
    request: pytest.FixtureRequest, agents_on_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[object]:
    monkeypatch.setenv("PYTHONPATH", str(agents_on_path))
    workers: list[Worker] = []
    loopback = request.param == "loopback"

    async def start_worker(agent: str, *, yields: bool = False) -> Worker:
        spec = AgentSpec(name="agent", target=f"sample_agents:{agent}", config={})
        worker = Worker("w", [spec], loopback=loopback, named_memory=loopback, yields=yields)
        workers.append(worker)
        await worker.start()
        return worker

    yield start_worker
    for worker in workers:
        await worker.stop()
        worker.close()


def observation(count: int = 1, size: int = 8, value: int = 7) -> Observation:
    pixels = np.full((size, size, 3), value, np.uint8)
    ref = FrameRef(camera="c", sha256="0" * 64, height=size, width=size, frame_seq=count)
    return Observation(
        id=f"x.1.{count}",
        agent="agent",
        trigger=TimerTick(source="t", count=count, due_utc_ns=1, due_monotonic_ns=1),
        frames={"frame": Frame(ref, pixels)},
    )


def pixels_of(observed: Observation) -> dict[str, np.ndarray]:
    return {role: frame.pixels for role, frame in observed.frames.items()}


async def test_frames_arrive_by_shared_memory_whatever_their_size(start) -> None:
    worker = await start("Mean")
    for size, value in ((8, 7), (1500, 9), (16, 3)):
        seen = observation(size=size, value=value)
        decision, decide_ns = await worker.decide("agent", seen, pixels_of(seen))
        assert decision.verdict is Verdict.OK
        assert decision.scores["mean"] == value
        assert decide_ns > 0


async def test_an_agent_that_raises_is_named_and_the_worker_lives_on(start) -> None:
    worker = await start("Raises")
    seen = observation()
    for _ in range(2):
        with pytest.raises(InternalError, match="agent: ZeroDivisionError: by design"):
            await worker.decide("agent", seen, pixels_of(seen))


async def test_a_worker_that_dies_while_deciding_is_reported_at_once(start) -> None:
    worker = await start("Exits")
    seen = observation()
    async with asyncio.timeout(5):
        with pytest.raises(WorkerLost):
            await worker.decide("agent", seen, pixels_of(seen))
    assert not worker.alive


async def test_an_impatient_caller_does_not_get_anothers_answer(start) -> None:
    worker = await start("Slow")
    first, second = observation(count=1), observation(count=2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await worker.decide("agent", first, pixels_of(first))
    decision, _ = await worker.decide("agent", second, pixels_of(second))
    assert decision.scores["count"] == 2.0


def niceness(pid: int) -> set[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return {os.getpriority(os.PRIO_PROCESS, int(path.name)) for path in threads}


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux")
@pytest.mark.parametrize("yields", [False, True])
async def test_one_that_yields_does_so_with_all_its_threads(start, yields: bool) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    worker = await start("Mean", yields=yields)
    assert niceness(worker.pid) == {max(own, 10) if yields else own}


async def test_killed_while_idle_then_asked(start) -> None:
    worker = await start("Mean")
    os.kill(worker.pid, signal.SIGKILL)
    seen = observation()
    async with asyncio.timeout(5):
        with pytest.raises(WorkerLost):
            await worker.decide("agent", seen, pixels_of(seen))


async def test_an_agent_that_cannot_be_imported_says_which(start) -> None:
    with pytest.raises(ConfigError, match="sample_agents:Missing"):
        await start("Missing")


async def test_stopping_leaves_no_process(start) -> None:
    worker = await start("Mean")
    pid = worker.pid
    await worker.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
