"""The simulated camera: the part that is named, in time, and no thread left behind."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest
from pydantic import ValidationError

from millhand.contracts.adapters import Camera, CaptureRequest, Link
from millhand.errors import Unavailable
from millhand.journal.blobs import frame_hash
from millhand_simulated.camera import SimulatedCamera, SimulatedCameraConfig
from millhand_simulated.parts.truth import StationConfig, part_truth, render_part
from millhand_simulated.plc.line import LineConfig, LinePlan


def configured(**changes: object) -> SimulatedCameraConfig:
    return SimulatedCameraConfig.model_validate(
        {
            "seed": 7,
            "parts": 30,
            "defect_rate": 0.4,
            "station": {"families": (1000, 1010), "parts_per_family": 3, "picture_px": 96},
            "exposure_ms": 0,
            "rest_ms": 0,
            **changes,
        }
    )


def request(part_id: str, seq: int = 1, within_s: float = 5.0) -> CaptureRequest:
    return CaptureRequest(
        trigger_seq=seq,
        part_id=part_id,
        deadline_monotonic_ns=time.monotonic_ns() + int(within_s * 1e9),
    )


def own_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "render-ahead"]


async def test_each_frame_is_the_picture_of_its_part() -> None:
    config = configured()
    plan = LinePlan(config)
    async with SimulatedCamera("camera", config) as camera:
        assert isinstance(camera, Camera)
        assert camera.health().link is Link.UP
        for number in (1, 2, 3, 17, 2, 30):
            part = plan.part(number)
            frame = await camera.capture(request(part.part_id, seq=100 + number))
            expected = render_part(part, config.station).pixels
            assert np.array_equal(frame.pixels, expected)
            assert frame.ref.sha256 == frame_hash(expected)
            assert frame.ref.trigger_seq == 100 + number
            assert (frame.ref.height, frame.ref.width, frame.ref.channels) == (96, 96, 3)
            assert frame.ref.camera == "camera"
            assert not frame.pixels.flags.writeable
            if part.defect is not None:
                assert part.defect not in frame.ref.origin, "the frame must not tell the truth"
    assert camera.health().link is Link.DOWN


async def test_frames_are_counted_and_stamped() -> None:
    config = configured()
    plan = LinePlan(config)
    before = time.monotonic_ns()
    async with SimulatedCamera("camera", config) as camera:
        frames = [await camera.capture(request(plan.part(n).part_id, n)) for n in (1, 2, 3)]
    assert [f.ref.frame_seq for f in frames] == [1, 2, 3]
    stamps = [f.ref.exposed_monotonic_ns or 0 for f in frames]
    assert before <= stamps[0] < stamps[1] < stamps[2] <= time.monotonic_ns()


async def test_exposure_takes_its_time() -> None:
    config = configured(exposure_ms=40)
    async with SimulatedCamera("camera", config) as camera:
        part_id = LinePlan(config).part(1).part_id
        started = time.monotonic()
        await camera.capture(request(part_id))
        assert time.monotonic() - started >= 0.039


@pytest.mark.parametrize("part_id", ["", "IMP-000099", "HOU-000001", "nonsense", "IMP-1"])
async def test_a_part_that_is_not_of_this_line(part_id: str) -> None:
    async with SimulatedCamera("camera", configured()) as camera:
        with pytest.raises(Unavailable, match="line"):
            await camera.capture(request(part_id))


async def test_the_deadline_is_kept_and_the_camera_goes_on() -> None:
    config = configured(blind_at=(2,), exposure_ms=1)
    plan = LinePlan(config)
    async with SimulatedCamera("camera", config) as camera:
        started = time.monotonic()
        with pytest.raises(Unavailable, match="IMP-000002"):
            await camera.capture(request(plan.part(2).part_id, within_s=0.1))
        assert 0.09 < time.monotonic() - started < 4.0
        with pytest.raises(Unavailable):
            await camera.capture(request(plan.part(3).part_id, within_s=-1.0))
        frame = await camera.capture(request(plan.part(3).part_id))
        assert frame.ref.frame_seq == 3


async def test_the_next_parts_are_ready_before_they_come() -> None:
    config = configured(ahead=3, station={"picture_px": 512}, rest_ms=0)
    plan = LinePlan(config)
    async with SimulatedCamera("camera", config) as camera:
        started = time.monotonic()
        await camera.capture(request(plan.part(20).part_id))
        cold_s = time.monotonic() - started
        await asyncio.sleep(6 * cold_s + 0.2)
        warm_s = []
        for number in (21, 22, 23):
            started = time.monotonic()
            await camera.capture(request(plan.part(number).part_id))
            warm_s.append(time.monotonic() - started)
        assert min(warm_s) < cold_s / 4


async def test_closing_while_a_picture_is_awaited_leaves_no_thread() -> None:
    config = configured(station={"picture_px": 1024}, exposure_ms=0)
    plan = LinePlan(config)
    async with SimulatedCamera("camera", config) as camera:
        assert own_threads()
        waiting = [
            asyncio.create_task(camera.capture(request(plan.part(n).part_id))) for n in (9, 19, 29)
        ]
        await asyncio.sleep(0)
        cancelled = waiting.pop()
        cancelled.cancel()
    assert not own_threads()
    for outcome in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(outcome, Unavailable) or not isinstance(outcome, BaseException)
    with pytest.raises(asyncio.CancelledError):
        await cancelled


async def test_memory_is_bounded() -> None:
    config = configured(parts=400, ahead=2)
    plan = LinePlan(config)
    async with SimulatedCamera("camera", config) as camera:
        for number in range(1, 401, 7):
            await camera.capture(request(plan.part(number).part_id))
            assert camera._ahead is not None
            assert len(camera._ahead._shots) <= 1 + 2 + 1


def test_families_change_along_the_line_and_come_round() -> None:
    station = StationConfig(families=(50, 53), parts_per_family=2)
    families = [station.family_seed(n) for n in range(1, 9)]
    assert families == [50, 50, 51, 51, 52, 52, 50, 50]


@pytest.mark.parametrize("families", [(5, 5), (9, 3), (-1, 4)])
def test_impossible_families_are_refused(families: tuple[int, int]) -> None:
    with pytest.raises(ValidationError, match="families"):
        StationConfig(families=families)


def test_truth_of_good_bad_and_challenge_parts() -> None:
    line = LineConfig(seed=3, parts=40, defect_rate=0.5, challenges=(4,))
    station = StationConfig(picture_px=96)
    plan = LinePlan(line)
    truths = [part_truth(plan.part(n), station) for n in range(1, 13)]
    assert truths[3].challenge
    assert truths[3].defect == "missing_feature"
    for truth in truths:
        assert (truth.area_px2 > 0) == (truth.contrast > 0) == (truth.defect is not None)
    assert {t.defect is None for t in truths} == {True, False}
