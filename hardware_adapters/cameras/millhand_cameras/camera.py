"""The camera face over a row of pictures: in time, one ahead, late ones never to the next part."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from structlog import get_logger

from millhand.contracts.adapters import CaptureRequest, Health, Link
from millhand.contracts.frames import Frame, FrameRef
from millhand.errors import InternalError, Unavailable
from millhand.messages import tr
from millhand_cameras.source import Ended, Picture, Source
from millhand_cameras.thread import DeviceThread

log = get_logger(__name__)

_CLOSE_WAIT_S = 5.0


class FileCamera:
    """Shows one picture of a source at each trigger (:class:`millhand.contracts.adapters.Camera`).

    The next picture is read while the one before is being decided on. A picture that came too late
    for its trigger is dropped, as a real camera's would be, and counted with the next.
    """

    def __init__(self, name: str, open_source: Callable[[], Source]) -> None:
        self._name = name
        self._open_source = open_source
        self._thread: DeviceThread | None = None
        self._source: Source | None = None
        self._pending: Future[Picture] | None = None
        self._late = False
        """Whether the pending picture belongs to a trigger that has given up on it."""
        self._turn = asyncio.Lock()
        self._seq = 0
        self._dropped = 0
        self._health = Health(link=Link.DOWN)

    async def __aenter__(self) -> Self:
        """Open the source and begin to read its first picture.

        Raises:
            ConfigError: the source cannot be opened.
        """
        self._thread = DeviceThread(f"camera-{self._name}")
        try:
            self._source = await asyncio.wrap_future(self._thread.submit(self._open_source))
        except BaseException:
            self._thread.close(_CLOSE_WAIT_S)
            self._thread = None
            raise
        self._report(Link.UP)
        self._read_ahead()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        thread, source = self._thread, self._source
        self._thread = self._source = None
        self._report(Link.DOWN)
        if thread is None or source is None:
            return
        thread.submit(source.close)
        # Blocks for the picture that is being read, some milliseconds: cancelling cannot cut it.
        if not thread.close(_CLOSE_WAIT_S):
            log.warning("camera does not end: its files do not answer", camera=self._name)

    def health(self) -> Health:
        """Say whether pictures can be had; see :class:`millhand.contracts.adapters.Camera`."""
        return self._health

    async def capture(self, request: CaptureRequest) -> Frame:
        """Return the next picture; see :class:`millhand.contracts.adapters.Camera`.

        Raises:
            Unavailable: the picture cannot be read (the message names its file), none came before
                the deadline, or there are no more.
        """
        if self._thread is None:
            raise InternalError("the camera is used outside its context")
        left_s = (request.deadline_monotonic_ns - time.monotonic_ns()) / 1e9
        try:
            async with asyncio.timeout(max(left_s, 0.0)), self._turn:
                picture = await self._next()
        except TimeoutError:
            raise Unavailable(
                tr(
                    "Camera {camera} gave no picture of {part_id} in time.",
                    camera=self._name,
                    part_id=request.part_id,
                )
            ) from None
        return self._frame(picture, request)

    async def _next(self) -> Picture:
        """Return the picture that follows, having dropped one that came too late."""
        if self._late:
            await _settled(self._reading())
            self._late = False
            if not isinstance(self._reading().exception(), Ended):
                self._count_dropped()
            self._read_ahead()
        self._late = True
        await _settled(self._reading())
        self._late = False
        return self._take()

    def _take(self) -> Picture:
        """Return what was read, or raise why it could not be, and read on."""
        read = self._reading()
        self._read_ahead()
        try:
            picture = read.result()
        except Ended as error:
            self._report(Link.DOWN, error.message)
            raise
        except Unavailable:
            self._count_dropped()
            raise
        self._seq += 1
        self._report(Link.UP)
        return picture

    def _reading(self) -> Future[Picture]:
        """Return the picture being read; raises Unavailable once the camera is closed."""
        if self._thread is None or self._pending is None:
            raise Unavailable(tr("Camera {camera} was closed.", camera=self._name))
        return self._pending

    def _count_dropped(self) -> None:
        self._seq += 1
        self._dropped += 1

    def _read_ahead(self) -> None:
        if self._thread is not None and self._source is not None:
            self._pending = self._thread.submit(self._source.next)

    def _frame(self, picture: Picture, request: CaptureRequest) -> Frame:
        height, width, channels = picture.pixels.shape
        dropped, self._dropped = self._dropped, 0
        ref = FrameRef(
            camera=self._name,
            sha256=picture.sha256,
            height=height,
            width=width,
            channels=channels,
            frame_seq=self._seq,
            trigger_seq=request.trigger_seq,
            exposed_utc_ns=picture.exposed_utc_ns,
            dropped=dropped,
            origin=picture.origin,
        )
        return Frame(ref, picture.pixels)

    def _report(self, link: Link, detail: str = "") -> None:
        if link != self._health.link:
            epoch = self._health.epoch + (link is Link.UP)
            self._health = Health(
                link=link, epoch=epoch, detail=detail, since_monotonic_ns=time.monotonic_ns()
            )


async def _settled(future: Future[Picture]) -> None:
    """Wait until a thread's future is done, and leave its outcome in it."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    future.add_done_callback(lambda _: loop.call_soon_threadsafe(done.set))
    await done.wait()
