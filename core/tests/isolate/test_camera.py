"""A camera in a process of its own: it may crash, hang and be killed; the engine goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any

import pytest
import sample_cameras

from millhand.contracts import Camera, CaptureRequest, Frame, Link
from millhand.errors import ConfigError, InternalError, Unavailable
from millhand.isolate.camera import IsolatedCamera
from millhand.isolate.messages import CameraSpec

PATIENCE_S = 60.0


@pytest.fixture(params=["pair", "loopback"])
def camera(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., IsolatedCamera]:
    monkeypatch.setenv("PYTHONPATH", str(Path(sample_cameras.__file__).parent))

    def build(hung_s: float = PATIENCE_S, **options: Any) -> IsolatedCamera:
        spec = CameraSpec(
            name="camera", target="sample_cameras:Camera", options=options, folder="/cell"
        )
        return IsolatedCamera(spec, loopback=request.param == "loopback", hung_s=hung_s)

    return build


async def taken(camera: IsolatedCamera, part: str, *, seq: int = 1, within_s: float = 30) -> Frame:
    return await camera.capture(
        CaptureRequest(
            trigger_seq=seq,
            part_id=part,
            deadline_monotonic_ns=monotonic_ns() + round(within_s * 1e9),
        )
    )


async def becomes(camera: IsolatedCamera, link: Link) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while camera.health().link is not link:
            await camera._link.change()


async def test_pictures_come_from_another_process_whatever_their_size(camera) -> None:
    async with camera(height=700, password="s3cret", path="pictures") as one:
        assert isinstance(one, Camera)
        first = await taken(one, "good 7", seq=4)
        second = await taken(one, "good 9", seq=5)
        health, pid = one.health(), one.pid
    assert first.pixels.shape == (700, 1400, 3)
    assert (first.pixels == 7).all()  # the second picture did not write over it
    assert (second.pixels == 9).all()
    assert not first.pixels.flags.writeable
    assert (first.ref.trigger_seq, second.ref.trigger_seq) == (4, 5)
    assert first.ref.origin == f"{pid} s3cret"
    assert pid != os.getpid()
    assert (health.link, health.detail) == (Link.UP, "/cell/pictures")


async def test_a_crash_in_its_library_is_told_at_once_and_it_comes_back(camera) -> None:
    async with camera() as one:
        before = one.pid
        with pytest.raises(Unavailable):
            await taken(one, "crash")
        await becomes(one, Link.DOWN)
        assert "SIGSEGV" in one.health().words
        await becomes(one, Link.UP)
        frame = await taken(one, "good 3")
        assert one.pid != before
        assert one.health().epoch == 2
    assert (frame.pixels == 3).all()


async def test_killed_while_nobody_looks_it_is_down_and_comes_back(camera) -> None:
    async with camera() as one:
        os.kill(one.pid, signal.SIGSEGV)
        await becomes(one, Link.DOWN)
        with pytest.raises(Unavailable):
            await taken(one, "good")
        await becomes(one, Link.UP)
        await taken(one, "good")


async def test_a_library_that_holds_up_its_loop_is_ended_and_started_again(camera) -> None:
    async with camera(hung_s=0.5) as one:
        with pytest.raises(Unavailable):
            await taken(one, "block", within_s=0.2)
        await becomes(one, Link.DOWN)
        await becomes(one, Link.UP)


async def test_a_picture_that_comes_too_late_is_not_the_next_parts(camera) -> None:
    async with camera() as one:
        with pytest.raises(Unavailable):
            await taken(one, "slow 1", seq=1, within_s=0.1)
        frame = await taken(one, "good 2", seq=2)
    assert frame.ref.trigger_seq == 2
    assert (frame.pixels == 2).all()


async def test_what_the_adapter_raises_is_told_and_costs_no_process(camera) -> None:
    async with camera() as one:
        before = one.pid
        with pytest.raises(InternalError, match="by design"):
            await taken(one, "raise")
        await taken(one, "good")
        assert one.pid == before


async def test_refused_options_are_told_when_it_is_entered(camera) -> None:
    with pytest.raises(ConfigError, match="refuses"):
        async with camera(refuses=True):
            pass
