"""The conformance kit for ``Camera``: the right picture for each trigger, in time or not at all."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from itertools import pairwise
from time import monotonic_ns, time_ns
from typing import Any, ClassVar

import numpy as np
import pytest

from millhand.contracts import CaptureRequest, Frame, Link
from millhand.contracts.codec import to_json, to_msgpack
from millhand.errors import MillhandError, Unavailable
from millhand.journal.blobs import frame_hash
from millhand.testing.conformance.feeds import until_link
from millhand.testing.conformance.kit import Kit
from millhand.testing.conformance.promises import Tier, promise
from millhand.testing.residue import Residue

_SECOND_NS = 1_000_000_000


class CameraCapability(StrEnum):
    """What a camera's adapter may lack; each opt-out needs a reason."""

    LIVE = "live"
    """It shows what is there now: a frame is exposed after its trigger."""
    STALL = "stall"
    """The bench can keep pictures from coming."""
    LEAVES = "leaves"
    """The bench can take the camera away and bring it back."""
    DIFFER = "differ"
    """Two pictures after each other differ."""


class CameraBench(ABC):
    """A camera on a bench: it can be made to stall, to go away and to come back."""

    patience_s: ClassVar[float] = 20.0
    parts: ClassVar[tuple[str, ...]] = ("P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8")
    """Part ids that may be asked for, in the order in which they come."""

    @abstractmethod
    async def ready(self) -> None:
        """Have the camera deliver pictures."""

    @abstractmethod
    def camera(self, **options: Any) -> Any:
        """Build the adapter, not yet entered, named ``camera``."""

    def stalled(self) -> Any:
        """Build an adapter that is up, and whose next picture takes seconds to come."""
        raise NotImplementedError

    async def take_away(self) -> None:
        """Take the camera away."""
        raise NotImplementedError

    async def bring_back(self) -> None:
        """Bring it back."""
        raise NotImplementedError


class CameraTools(Kit):
    """What the tests of the kit share."""

    kit: ClassVar[str] = "camera"
    Capability = CameraCapability
    pytestmark: ClassVar[Any] = pytest.mark.asyncio

    @pytest.fixture
    def bench(self) -> CameraBench:
        """Return the bench; a subclass must say which."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture named bench")

    @asynccontextmanager
    async def up(self, bench: CameraBench, **options: Any) -> AsyncIterator[Any]:
        """Yield a camera whose link is up."""
        await bench.ready()
        async with bench.camera(**options) as camera:
            await until_link(camera, Link.UP, bench.patience_s)
            yield camera

    def request(self, bench: CameraBench, seq: int = 1, within_s: float = 15.0) -> CaptureRequest:
        """Ask for the picture of the ``seq``-th part."""
        return CaptureRequest(
            trigger_seq=seq,
            part_id=bench.parts[(seq - 1) % len(bench.parts)],
            deadline_monotonic_ns=monotonic_ns() + int(within_s * _SECOND_NS),
        )


class CameraFrames(CameraTools):
    """Frames: what they carry, and whose they are."""

    @promise(Tier.BRONZE)
    async def test_frames_say_what_they_are(self, bench: CameraBench) -> None:
        """A frame carries pixels as its reference says, read-only, under their hash."""
        async with self.up(bench) as camera:
            frame = await camera.capture(self.request(bench))
        assert isinstance(frame, Frame)
        ref, pixels = frame.ref, frame.pixels
        assert pixels.dtype == np.uint8
        assert pixels.shape == (ref.height, ref.width, ref.channels)
        assert ref.channels in (1, 3)
        assert not pixels.flags.writeable
        assert ref.sha256 == frame_hash(pixels)
        assert (ref.camera, ref.trigger_seq) == ("camera", 1)
        assert ref.exposed_utc_ns is None or ref.exposed_utc_ns <= time_ns() + _SECOND_NS
        assert to_msgpack(frame)
        assert to_json(ref)

    @promise(Tier.BRONZE)
    async def test_numbered_without_holes(self, bench: CameraBench) -> None:
        """Frames are numbered in order, and every number left out was counted as dropped."""
        async with self.up(bench) as camera:
            refs = [(await camera.capture(self.request(bench, seq))).ref for seq in (1, 2, 3, 4)]
        assert [ref.trigger_seq for ref in refs] == [1, 2, 3, 4]
        for before, ref in pairwise(refs):
            assert ref.frame_seq - before.frame_seq == 1 + ref.dropped

    @promise(Tier.BRONZE, CameraCapability.DIFFER)
    async def test_each_its_own(self, bench: CameraBench) -> None:
        """Captures that overlap get a frame each, for their own trigger, none twice."""
        async with self.up(bench) as camera:
            frames = await asyncio.gather(
                *(camera.capture(self.request(bench, seq)) for seq in (1, 2, 3))
            )
        assert [frame.ref.trigger_seq for frame in frames] == [1, 2, 3]
        assert len({frame.ref.sha256 for frame in frames}) == 3

    @promise(Tier.SILVER, CameraCapability.LIVE)
    async def test_exposed_after_its_trigger(self, bench: CameraBench) -> None:
        """A frame is exposed after its trigger, however long the camera had been running."""
        async with self.up(bench) as camera:
            for seq in (1, 2, 3):
                await asyncio.sleep(0.2)
                asked_ns = monotonic_ns()
                frame = await camera.capture(self.request(bench, seq))
                assert frame.ref.exposed_monotonic_ns is not None
                assert asked_ns <= frame.ref.exposed_monotonic_ns <= monotonic_ns()

    @promise(Tier.BRONZE)
    async def test_kept_by_the_caller(self, bench: CameraBench) -> None:
        """A frame's pixels stay as they are when the next ones come."""
        async with self.up(bench) as camera:
            frame = await camera.capture(self.request(bench, 1))
            for seq in (2, 3):
                await camera.capture(self.request(bench, seq))
        assert frame_hash(frame.pixels) == frame.ref.sha256


class CameraDeadlines(CameraTools):
    """Deadlines: in time or not at all, and late ones never to the next part."""

    @promise(Tier.BRONZE)
    async def test_passed_deadline(self, bench: CameraBench) -> None:
        """A deadline that has passed is unavailable at once, and the next capture is well."""
        async with self.up(bench) as camera:
            with pytest.raises(Unavailable):
                await camera.capture(self.request(bench, 1, within_s=-0.001))
            frame = await camera.capture(self.request(bench, 2))
            assert frame.ref.trigger_seq == 2

    @promise(Tier.SILVER, CameraCapability.STALL)
    async def test_stall_ends_at_the_deadline(self, bench: CameraBench) -> None:
        """Without a picture the capture ends at its deadline, while the loop runs on."""
        await bench.ready()
        async with bench.stalled() as camera:
            heart = _Heart()
            beating = asyncio.create_task(heart.beat())
            asked_ns = monotonic_ns()
            with pytest.raises(Unavailable):
                await camera.capture(self.request(bench, 1, within_s=0.3))
            assert monotonic_ns() - asked_ns < 3 * _SECOND_NS
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            assert heart.beats >= 5, "the loop was blocked meanwhile"

    @promise(Tier.SILVER, CameraCapability.STALL)
    async def test_late_is_nobody_elses(self, bench: CameraBench) -> None:
        """A picture that came too late for its trigger is not given to the next one."""
        await bench.ready()
        async with bench.stalled() as camera:
            with pytest.raises(Unavailable):
                await camera.capture(self.request(bench, 1, within_s=0.2))
            frame = await camera.capture(self.request(bench, 2, within_s=bench.patience_s))
            assert frame.ref.trigger_seq == 2
            assert frame.ref.dropped >= 1 or frame.ref.exposed_monotonic_ns is not None

    @promise(Tier.BRONZE)
    async def test_cancelled_is_survived(self, bench: CameraBench) -> None:
        """A capture that is cancelled costs its own picture only."""
        async with self.up(bench) as camera:
            for seq in (1, 2):
                task = asyncio.create_task(camera.capture(self.request(bench, seq)))
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            frame = await camera.capture(self.request(bench, 3))
            assert frame.ref.trigger_seq == 3


class CameraFaults(CameraTools):
    """Faults: it goes, and comes back; it is left, and nothing stays."""

    @promise(Tier.SILVER, CameraCapability.LEAVES)
    async def test_away_and_back(self, bench: CameraBench) -> None:
        """A camera that goes is said to be down, and delivers again when it is back."""
        async with self.up(bench) as camera:
            before = await camera.capture(self.request(bench, 1))
            await bench.take_away()
            await self._until_none(bench, camera)
            health = await until_link(camera, Link.DOWN, bench.patience_s)
            assert health.detail
            await bench.bring_back()
            frame = await self._until_some(bench, camera)
            assert frame.ref.frame_seq > before.ref.frame_seq
            assert camera.health().link is Link.UP

    @promise(Tier.GOLD, CameraCapability.LEAVES)
    async def test_away_at_start(self, bench: CameraBench) -> None:
        """A camera away at the start is no error: its fault is named, and it is found later."""
        await bench.ready()
        await bench.take_away()
        async with bench.camera() as camera:
            health = await until_link(camera, Link.DOWN, bench.patience_s)
            assert health.fault == "network"
            assert health.mend
            with pytest.raises(Unavailable):
                await camera.capture(self.request(bench, 1, within_s=0.2))
            await bench.bring_back()
            await self._until_some(bench, camera)

    async def _until_none(self, bench: CameraBench, camera: Any) -> None:
        async with asyncio.timeout(bench.patience_s):
            while True:
                try:
                    await camera.capture(self.request(bench, 2, within_s=0.3))
                except Unavailable:
                    return

    async def _until_some(self, bench: CameraBench, camera: Any) -> Frame:
        async with asyncio.timeout(bench.patience_s):
            while True:
                try:
                    frame: Frame = await camera.capture(self.request(bench, 3, within_s=2.0))
                except Unavailable:
                    await asyncio.sleep(0.05)
                else:
                    return frame

    @promise(Tier.BRONZE)
    async def test_outside_its_context(self, bench: CameraBench) -> None:
        """Before entering and after leaving, a capture is refused with one of our errors."""
        await bench.ready()
        camera = bench.camera()
        with pytest.raises(MillhandError):
            await camera.capture(self.request(bench))
        async with camera:
            pass
        with pytest.raises(MillhandError):
            await camera.capture(self.request(bench))
        assert camera.health().link is not Link.UP

    @promise(Tier.BRONZE)
    async def test_leaves_nothing(self, bench: CameraBench) -> None:
        """Leaving, also in the middle of a capture, leaves no task, socket or thread."""
        await self._use(bench)
        before = Residue.now()
        await self._use(bench)
        assert await before.wait_none_added() == []

    async def _use(self, bench: CameraBench) -> None:
        async with self.up(bench) as camera:
            await camera.capture(self.request(bench, 1))
            asking = asyncio.create_task(camera.capture(self.request(bench, 2)))
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


class _Heart:
    """Counts how often the loop comes round, every 10 ms at best."""

    def __init__(self) -> None:
        self.beats = 0

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(0.01)
            self.beats += 1


class CameraKit(CameraFrames, CameraDeadlines, CameraFaults):
    """All that an adapter with the face ``Camera`` promises."""
