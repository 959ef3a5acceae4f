"""A folder as a camera: order, numbers, times, bad files, deadlines, no thread left."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from millhand.contracts.adapters import Camera, CaptureRequest, Link
from millhand.errors import ConfigError, Unavailable
from millhand.journal.blobs import frame_hash
from millhand_cameras.camera import FileCamera
from millhand_cameras.config import FolderConfig
from millhand_cameras.folder import FolderCamera, natural
from millhand_cameras.source import Picture


def request(seq: int = 1, within_s: float = 10.0) -> CaptureRequest:
    return CaptureRequest(
        trigger_seq=seq,
        part_id=f"P{seq}",
        deadline_monotonic_ns=time.monotonic_ns() + int(within_s * 1e9),
    )


def paint(path: Path, level: int, size: tuple[int, int] = (16, 12)) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[1], size[0], 3), level, np.uint8)
    pixels[0, 0] = (255, 0, 0)
    Image.fromarray(pixels).save(path)
    return pixels


def camera(folder: Path, **options: object) -> FolderCamera:
    return FolderCamera("cam", FolderConfig.model_validate({"path": folder, **options}))


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("camera-")]


async def origins(folder: Path, count: int, **options: object) -> list[str]:
    async with camera(folder, **options) as opened:
        return [(await opened.capture(request(n))).ref.origin for n in range(count)]


async def test_frames_carry_what_the_contract_says(tmp_path: Path) -> None:
    painted = paint(tmp_path / "a.png", 90)
    os.utime(tmp_path / "a.png", ns=(0, 1_700_000_000_123_456_789))
    async with camera(tmp_path) as opened:
        assert isinstance(opened, Camera)
        assert opened.health().link is Link.UP
        frame = await opened.capture(request(41))
    assert np.array_equal(frame.pixels, painted)
    assert not frame.pixels.flags.writeable
    assert frame.ref.sha256 == frame_hash(painted)
    assert (frame.ref.width, frame.ref.height, frame.ref.channels) == (16, 12, 3)
    assert (frame.ref.camera, frame.ref.origin) == ("cam", "a.png")
    assert (frame.ref.trigger_seq, frame.ref.frame_seq, frame.ref.dropped) == (41, 1, 0)
    assert frame.ref.exposed_utc_ns == 1_700_000_000_123_456_789
    assert opened.health().link is Link.DOWN


async def test_by_name_numbers_count_as_numbers(tmp_path: Path) -> None:
    for name in ("part10.png", "part2.png", "part1.png"):
        paint(tmp_path / name, 50)
    (tmp_path / "notes.txt").write_text("not a picture")
    assert await origins(tmp_path, 4) == ["part1.png", "part2.png", "part10.png", "part1.png"]


async def test_random_order_is_another_each_round_and_the_same_each_run(tmp_path: Path) -> None:
    for number in range(8):
        paint(tmp_path / f"{number}.png", 10 * number)
    first = await origins(tmp_path, 16, order="random", seed=5)
    assert first == await origins(tmp_path, 16, order="random", seed=5)
    assert first != await origins(tmp_path, 16, order="random", seed=6)
    assert sorted(first[:8]) == sorted(first[8:]) == [f"{n}.png" for n in range(8)]
    assert first[:8] != first[8:]


async def test_pattern_reaches_below(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", 1)
    paint(tmp_path / "left" / "b.png", 2)
    paint(tmp_path / "left" / "c.bmp", 3)
    assert await origins(tmp_path, 2, pattern="**/*.png") == ["a.png", "left/b.png"]


@pytest.mark.parametrize("pattern", ["../*.png", "/etc/*", ""])
def test_a_pattern_that_leaves_the_folder_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(ValidationError, match="inside the folder"):
        FolderConfig(path=tmp_path, pattern=pattern)


async def test_the_end(tmp_path: Path) -> None:
    paint(tmp_path / "only.png", 1)
    async with camera(tmp_path, at_end="end") as opened:
        await opened.capture(request(1))
        for seq in (2, 3):
            with pytest.raises(Unavailable, match="no more pictures"):
                await opened.capture(request(seq))
        assert opened.health().link is Link.DOWN
        assert "no more" in opened.health().detail


async def test_pictures_put_there_later_are_seen_in_the_next_round(tmp_path: Path) -> None:
    paint(tmp_path / "a.png", 1)
    async with camera(tmp_path) as opened:
        assert (await opened.capture(request(1))).ref.origin == "a.png"
        paint(tmp_path / "b.png", 2)
        seen = {(await opened.capture(request(n))).ref.origin for n in range(2, 7)}
    assert seen == {"a.png", "b.png"}


async def test_a_bad_file_costs_one_frame_and_is_counted(tmp_path: Path) -> None:
    paint(tmp_path / "1.png", 1)
    (tmp_path / "2.png").write_bytes(b"not a picture at all")
    paint(tmp_path / "3.png", 3)
    async with camera(tmp_path) as opened:
        first = await opened.capture(request(1))
        with pytest.raises(Unavailable, match=r"2\.png.*none of PNG"):
            await opened.capture(request(2))
        assert opened.health().link is Link.UP
        third = await opened.capture(request(3))
        fourth = await opened.capture(request(4))
    assert [f.ref.origin for f in (first, third, fourth)] == ["1.png", "3.png", "1.png"]
    assert [f.ref.frame_seq for f in (first, third, fourth)] == [1, 3, 4]
    assert [f.ref.dropped for f in (first, third, fourth)] == [0, 1, 0]


async def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "3.png"):
        paint(tmp_path / name, 9)
    async with camera(tmp_path) as opened:
        (tmp_path / "3.png").unlink()
        await opened.capture(request(1))
        await opened.capture(request(2))
        with pytest.raises(Unavailable, match=r"3\.png"):
            await opened.capture(request(3))


async def test_a_pipe_with_a_pictures_name_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1.png")
    paint(tmp_path / "2.png", 9)
    async with camera(tmp_path) as opened:
        with pytest.raises(Unavailable, match="no ordinary file"):
            await opened.capture(request(1))
        assert (await opened.capture(request(2))).ref.origin == "2.png"


async def test_a_folder_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    folder, hidden = tmp_path / "in", tmp_path / "hidden"
    paint(folder / "1.png", 9)
    async with camera(folder) as opened:
        await opened.capture(request(1))
        await opened.capture(request(2))
        folder.rename(hidden)
        # Pictures read ahead may still come; then none does.
        for seq in range(3, 6):
            with suppress(Unavailable):
                await opened.capture(request(seq))
        assert opened.health().link is Link.DOWN
        hidden.rename(folder)
        for seq in range(6, 9):
            with suppress(Unavailable):
                frame = await opened.capture(request(seq))
        assert frame.ref.origin == "1.png"
        assert opened.health().link is Link.UP
        assert opened.health().epoch == 2


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir(), lambda p: p.touch()])
async def test_a_folder_without_pictures_is_a_persons_business(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "in"
    make(folder)
    with pytest.raises(ConfigError, match=r"in\b"):
        async with camera(folder):
            pass
    assert not threads()


class SlowSource:
    """Pictures that take as long as the test says."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.count = 0
        self.closed = False

    def next(self) -> Picture:
        self.go.acquire(timeout=20)
        self.count += 1
        pixels = np.full((2, 2, 3), self.count, np.uint8)
        return Picture(pixels, frame_hash(pixels), f"{self.count}", 0)

    def close(self) -> None:
        self.closed = True


async def test_a_late_picture_never_becomes_the_next_parts() -> None:
    source = SlowSource()
    async with FileCamera("slow", lambda: source) as opened:
        started = time.monotonic()
        with pytest.raises(Unavailable, match="P1"):
            await opened.capture(request(1, within_s=0.05))
        assert time.monotonic() - started < 4.0
        with pytest.raises(Unavailable, match="P2"):
            await opened.capture(request(2, within_s=0.05))
        for _ in range(3):
            source.go.release()
        frame = await opened.capture(request(3))
        assert frame.ref.origin == "2", "picture 1 was exposed for part 1"
        assert frame.ref.frame_seq == 2
        assert frame.ref.dropped == 1
        source.go.release()
    assert source.closed
    assert not threads()


async def test_a_cancelled_capture_takes_its_picture_with_it() -> None:
    source = SlowSource()
    async with FileCamera("slow", lambda: source) as opened:
        task = asyncio.create_task(opened.capture(request(1)))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(3):
            source.go.release()
        assert (await opened.capture(request(2))).ref.origin == "2"
        source.go.release()


async def test_captures_at_the_same_time_get_a_picture_each() -> None:
    source = SlowSource()
    async with FileCamera("slow", lambda: source) as opened:
        tasks = [asyncio.create_task(opened.capture(request(n))) for n in range(1, 4)]
        for _ in range(4):
            source.go.release()
        frames = await asyncio.gather(*tasks)
    assert [(f.ref.trigger_seq, f.ref.origin) for f in frames] == [(1, "1"), (2, "2"), (3, "3")]


async def test_the_next_picture_is_read_ahead() -> None:
    source = SlowSource()
    async with FileCamera("slow", lambda: source) as opened:
        source.go.release()
        source.go.release()
        await opened.capture(request(1))
        for _ in range(200):
            if source.count == 2:
                break
            await asyncio.sleep(0.01)
        assert source.count == 2
        await opened.capture(request(2))
        source.go.release()


async def test_closing_while_a_capture_waits() -> None:
    source = SlowSource()
    async with FileCamera("slow", lambda: source) as opened:
        waiting = [asyncio.create_task(opened.capture(request(n))) for n in (1, 2)]
        await asyncio.sleep(0.02)
        source.go.release()
    assert not threads()
    first, second = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(first, Unavailable)
    assert isinstance(second, Unavailable)


def test_natural_order() -> None:
    names = ["b1", "a10", "a9", "a", "10", "9", "a9b2", "a9b10"]
    assert sorted(names, key=natural) == ["9", "10", "a", "a9", "a9b2", "a9b10", "a10", "b1"]
