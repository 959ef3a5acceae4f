"""A video file as a camera: frames, times, ends, and what is no video."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from millhand.contracts.adapters import CaptureRequest, Link
from millhand.contracts.frames import Frame
from millhand.errors import ConfigError, Unavailable
from millhand_cameras.config import VideoConfig
from millhand_cameras.video import VideoCamera

cv2 = pytest.importorskip("cv2", reason="needs OpenCV: pip install 'millhand-cameras[video]'")

FRAMES = 10
RATE = 20.0


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames, each of one grey level: 20, 40, … 200; the left half red."""
    path = tmp_path_factory.mktemp("video") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (64, 48))
    assert writer.isOpened()
    for number in range(FRAMES):
        frame = np.full((48, 64, 3), 20 * (number + 1), np.uint8)
        frame[:, :32] = (0, 0, 255)  # OpenCV's order: blue, green, red
        writer.write(frame)
    writer.release()
    return path


def camera(path: Path, **options: object) -> VideoCamera:
    return VideoCamera("cam", VideoConfig.model_validate({"path": path, **options}))


def request(seq: int = 1, within_s: float = 10.0) -> CaptureRequest:
    return CaptureRequest(
        trigger_seq=seq,
        part_id=f"P{seq}",
        deadline_monotonic_ns=time.monotonic_ns() + int(within_s * 1e9),
    )


def file_time_ns(path: Path) -> int:
    return path.stat().st_mtime_ns


def threads() -> int:
    """Count also those that a library started, where the system tells."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def level(frame: Frame) -> int:
    return round(float(frame.pixels[:, 40:].mean()) / 20) * 20


async def take(path: Path, count: int, **options: object) -> list[Frame]:
    async with camera(path, **options) as opened:
        return [await opened.capture(request(n)) for n in range(1, count + 1)]


async def test_frames_in_order_as_rgb_with_stream_time(film: Path) -> None:
    start = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
    frames = await take(film, FRAMES, recorded_at=start)
    assert [level(f) for f in frames] == [20 * n for n in range(1, FRAMES + 1)]
    assert [f.ref.frame_seq for f in frames] == list(range(1, FRAMES + 1))
    assert [f.ref.origin for f in frames[:2]] == ["film.avi#0", "film.avi#1"]
    assert frames[0].pixels[24, 8].tolist() == pytest.approx([255, 0, 0], abs=12)
    assert (frames[0].ref.height, frames[0].ref.width, frames[0].ref.channels) == (48, 64, 3)
    for number, frame in enumerate(frames):
        due = start + timedelta(seconds=number / RATE)
        assert frame.ref.exposed_utc_ns == pytest.approx(due.timestamp() * 1e9, abs=2e6)


async def test_without_a_date_the_files_time_is_the_end(film: Path) -> None:
    (first,) = await take(film, 1)
    expected = file_time_ns(film) - FRAMES / RATE * 1e9
    assert first.ref.exposed_utc_ns == pytest.approx(expected, abs=2e6)


async def test_every_nth_and_round_again(film: Path) -> None:
    frames = await take(film, 6, every=3)
    assert [level(f) for f in frames] == [20, 80, 140, 200, 20, 80]
    assert [f.ref.dropped for f in frames] == [0] * 6


async def test_the_end(film: Path) -> None:
    async with camera(film, at_end="end") as opened:
        for seq in range(FRAMES):
            await opened.capture(request(seq))
        with pytest.raises(Unavailable, match="no more frames"):
            await opened.capture(request(99))
        assert opened.health().link is Link.DOWN


async def test_crop_size_and_grey(film: Path) -> None:
    (frame,) = await take(film, 1, crop=(32, 0, 32, 48), size=(16, 24), colour="grey")
    assert frame.pixels.shape == (24, 16, 1)
    assert float(frame.pixels.mean()) == pytest.approx(20, abs=3)


async def test_a_crop_beyond_the_frame_is_an_error_each_time(film: Path) -> None:
    async with camera(film, crop=(60, 0, 32, 48)) as opened:
        for _ in range(2):
            with pytest.raises(Unavailable, match=r"film\.avi#\d"):
                await opened.capture(request())


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(400)),
        lambda path: path.write_text("rtsp://example.invalid/stream"),
    ],
    ids=["absent", "folder", "empty", "header only", "text"],
)
async def test_what_is_no_video_is_refused(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "film.avi"
    make(path)
    with pytest.raises(ConfigError, match=r"film\.avi"):
        async with camera(path):
            pass
    assert not [t for t in threading.enumerate() if t.name.startswith("camera-")]


async def test_an_address_is_not_opened() -> None:
    with pytest.raises(ConfigError):
        async with camera(Path("rtsp://127.0.0.1:9/stream")):
            pass


@pytest.fixture
def cut(film: Path, tmp_path: Path) -> Path:
    path = tmp_path / "cut.avi"
    data = film.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])
    return path


async def test_a_cut_off_file_ends_early_but_cleanly(cut: Path) -> None:
    levels = []
    async with camera(cut, at_end="end") as opened:
        for seq in range(FRAMES):
            with suppress(Unavailable):
                levels.append(level(await opened.capture(request(seq))))
        assert opened.health().link is Link.DOWN
    assert 0 < len(levels) < FRAMES
    assert levels == [20 * n for n in range(1, len(levels) + 1)]


async def test_frames_too_large_are_refused(film: Path) -> None:
    with pytest.raises(ConfigError, match="too many pixels"):
        async with camera(film, max_pixels=64 * 48 - 1):
            pass


async def test_without_opencv_the_mend_is_named(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ConfigError, match=r"millhand-cameras\[video\]"):
        async with camera(film):
            pass


async def test_closing_leaves_no_thread(film: Path) -> None:
    before = threads()
    await take(film, 3)
    for _ in range(100):  # a joined thread leaves the system's list a little later
        if threads() == before:
            break
        await asyncio.sleep(0.01)
    assert threads() == before
