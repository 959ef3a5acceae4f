"""Live cameras by OpenCV: network cameras over RTSP, and those of this computer by Video4Linux."""

from __future__ import annotations

import asyncio
import random
import stat
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlsplit, urlunsplit

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from structlog import get_logger

from millhand.contracts import (
    CaptureRequest,
    ConnectionFault,
    Frame,
    FrameRef,
    Health,
    Link,
)
from millhand.errors import InternalError, Unavailable
from millhand.journal.blobs import frame_hash
from millhand.messages import tr
from millhand_cameras.config import LiveConfig, RtspConfig, V4l2Config
from millhand_cameras.grabber import Grabber, Shot, Stream, Wish
from millhand_cameras.opencv import opencv
from millhand_cameras.rtsp import Trouble, diagnose
from millhand_cameras.source import unreadable

log = get_logger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_END_S = 5.0


class LiveCamera:
    """A camera that runs freely. A capture gets the first picture exposed after it was asked for.

    Pictures are grabbed all the time in one thread, so that none waits in a buffer and looks newer
    than it is. Two captures that overlap get a picture each.
    """

    def __init__(self, name: str, config: LiveConfig) -> None:
        self._name = name
        self._config = config
        self._grabber: Grabber | None = None
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._seq = 0
        self._health = Health(link=Link.DOWN)

    def _open(self) -> Stream | Trouble:
        """Open the camera, or say what is in the way. Blocks."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        """Begin to connect; whether pictures come, ``health`` says.

        Raises:
            ConfigError: OpenCV is not installed.
        """
        opencv()
        self._loop = asyncio.get_running_loop()
        self._ended.clear()
        self._health = Health(link=Link.CONNECTING, since_monotonic_ns=time.monotonic_ns())
        self._grabber = Grabber(self._name, self._config)
        self._grabber.start(self._work, self._tell_ended)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        grabber, self._grabber = self._grabber, None
        if grabber is None:
            return
        grabber.stop()
        try:
            async with asyncio.timeout(_END_S + self._config.silence_s):
                await self._ended.wait()
        except TimeoutError:
            log.warning("camera does not end: it does not answer", camera=self._name)
        finally:
            self._report(Link.DOWN, tr("closed"))

    def health(self) -> Health:
        """Say whether pictures come, at once and without I/O."""
        return self._health

    async def capture(self, request: CaptureRequest) -> Frame:
        """Return the next picture; see :class:`millhand.contracts.adapters.Camera`.

        Raises:
            Unavailable: none came before the deadline, or it cannot be cut as configured.
        """
        grabber, loop = self._grabber, asyncio.get_running_loop()
        if grabber is None:
            raise InternalError("the camera is used outside its context")
        shot: asyncio.Future[Shot] = loop.create_future()
        wish = Wish(
            time.monotonic_ns(),
            lambda found: _call(loop, lambda: _settle(shot, found)),
        )
        left_s = (request.deadline_monotonic_ns - time.monotonic_ns()) / 1e9
        try:
            async with asyncio.timeout(max(left_s, 0.0)):
                grabber.wish(wish)
                return self._frame(await shot, request)
        except TimeoutError:
            raise Unavailable(
                tr(
                    "Camera {camera} gave no picture of {part_id} in time. {detail}",
                    camera=self._name,
                    part_id=request.part_id,
                    detail=self._health.detail,
                ).rstrip()
            ) from None
        finally:
            grabber.forget(wish)

    def _frame(self, shot: Shot, request: CaptureRequest) -> Frame:
        height, width, channels = shot.pixels.shape
        self._seq += 1 + shot.lost
        ref = FrameRef(
            camera=self._name,
            sha256=frame_hash(shot.pixels),
            height=height,
            width=width,
            channels=channels,
            frame_seq=self._seq,
            trigger_seq=request.trigger_seq,
            exposed_utc_ns=shot.exposed_utc_ns,
            exposed_monotonic_ns=shot.exposed_monotonic_ns,
            dropped=shot.lost,
        )
        return Frame(ref, shot.pixels)

    # --- in the thread ---

    def _work(self) -> None:
        """Open the camera, follow it, and open it again, until told to end."""
        grabber, pause_s = self._grabber, _FIRST_PAUSE_S
        assert grabber is not None
        while not grabber.stopping:
            opened = self._open()
            if isinstance(opened, Trouble):
                self._tell(Link.DOWN, opened)
            else:
                pause_s = _FIRST_PAUSE_S
                try:
                    grabber.follow(opened, lambda: self._tell(Link.UP))
                finally:
                    opened.close()
                if not grabber.stopping:
                    silence = tr("no picture within {seconds} s", seconds=self._config.silence_s)
                    self._tell(Link.DOWN, Trouble(ConnectionFault.NETWORK, silence, self._mend()))
            grabber.pause(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  jitter
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _mend(self) -> str:
        return tr("It is tried again by itself. Check the camera's power and cable.")

    def _tell(self, link: Link, trouble: Trouble | None = None) -> None:
        if link is not self._health.link or (trouble and trouble.detail != self._health.detail):
            assert self._loop is not None
            _call(self._loop, lambda: self._report_trouble(link, trouble))

    def _tell_ended(self) -> None:
        assert self._loop is not None
        _call(self._loop, self._ended.set)

    # --- on the loop ---

    def _report_trouble(self, link: Link, trouble: Trouble | None) -> None:
        if self._grabber is None:
            return
        if trouble is None:
            self._report(link)
        else:
            refused = trouble.fault in (ConnectionFault.CREDENTIALS, ConnectionFault.SECURITY)
            self._report(Link.REFUSED if refused else link, *trouble[1:], fault=trouble.fault)

    def _report(
        self, link: Link, detail: str = "", mend: str = "", fault: ConnectionFault | None = None
    ) -> None:
        before = self._health
        if link is not before.link:
            log.info("link changed", device=self._name, link=link.value, detail=detail)
        elif detail == before.detail:
            return
        came = link is Link.UP and before.link is not Link.UP
        self._health = Health(
            link=link,
            epoch=before.epoch + came,
            detail=detail,
            mend=mend,
            fault=fault,
            since_monotonic_ns=time.monotonic_ns(),
        )


class RtspCamera(LiveCamera):
    """A network camera over RTSP."""

    Config: ClassVar[type[BaseModel]] = RtspConfig

    def __init__(self, name: str, config: RtspConfig) -> None:
        super().__init__(name, config)
        self._rtsp = config

    def _open(self) -> Stream | Trouble:
        config, cv2 = self._rtsp, opencv()
        options = [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, round(config.connect_timeout_s * 1000)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, round(config.silence_s * 1000)),
            *(cv2.CAP_PROP_N_THREADS, 1),
        ]
        password = config.password.get_secret_value()
        # It is looked at before OpenCV tries: OpenCV cannot say why it does not open.
        trouble = diagnose(config.url, config.user, password, config.connect_timeout_s)
        if trouble is not None:
            return trouble
        started = time.monotonic()
        film = cv2.VideoCapture(_with_user(config.url, config.user, password), cv2.CAP_FFMPEG,
                                options)  # fmt: skip
        if not film.isOpened():
            film.release()
            if time.monotonic() - started >= config.connect_timeout_s:
                late = tr("{url} sent no picture in time.", url=config.url)
                return Trouble(ConnectionFault.NETWORK, late, self._mend())
            return Trouble(
                ConnectionFault.CONFIGURATION,
                tr("{url} is a stream that cannot be decoded.", url=config.url),
                tr("Choose H.264, H.265 or Motion JPEG in the camera's settings."),
            )
        return OpenCvStream(cv2, film, config)


class V4l2Camera(LiveCamera):
    """A camera of this computer, by Video4Linux."""

    Config: ClassVar[type[BaseModel]] = V4l2Config

    def __init__(self, name: str, config: V4l2Config) -> None:
        super().__init__(name, config)
        self._v4l2 = config

    def _open(self) -> Stream | Trouble:
        config, cv2 = self._v4l2, opencv()
        mend = tr("List what there is with: ls /dev/v4l/by-id")
        try:
            mode = config.device.stat().st_mode
        except OSError as error:
            detail = tr("{device}: {reason}.", device=config.device, reason=error.strerror)
            return Trouble(ConnectionFault.NETWORK, detail, mend)
        if not stat.S_ISCHR(mode):
            detail = tr("{device} is no camera.", device=config.device)
            return Trouble(ConnectionFault.CONFIGURATION, detail, mend)
        film = cv2.VideoCapture(str(config.device.resolve()), cv2.CAP_V4L2)
        if not film.isOpened():
            film.release()
            detail = tr("{device} cannot be opened.", device=config.device)
            return Trouble(
                ConnectionFault.CONFIGURATION,
                detail,
                tr("Let the engine's user read it (group video), and close other programs."),
            )
        self._set(cv2, film)
        return OpenCvStream(cv2, film, config)

    def _set(self, cv2: Any, film: Any) -> None:
        config = self._v4l2
        if config.fourcc is not None:
            film.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*config.fourcc))
        for prop, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, config.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, config.height),
            (cv2.CAP_PROP_FPS, config.rate_hz),
            (cv2.CAP_PROP_EXPOSURE, config.exposure),
        ):
            if value is not None:
                film.set(prop, value)
        film.set(cv2.CAP_PROP_BUFFERSIZE, 1)


class OpenCvStream:
    """A ``VideoCapture`` as a :class:`millhand_cameras.grabber.Stream`."""

    def __init__(self, cv2: Any, film: Any, config: LiveConfig) -> None:
        self._cv2 = cv2
        self._film = film
        self._max_pixels = config.max_pixels

    def grab(self) -> bool:
        """Wait for the next picture."""
        return bool(self._film.grab())

    def position_ms(self) -> float:
        """Return the picture's time in the stream."""
        return float(self._film.get(self._cv2.CAP_PROP_POS_MSEC))

    def retrieve(self) -> NDArray[np.uint8]:
        """Return the picture grabbed last as RGB.

        Raises:
            Unavailable: it cannot be decoded, or has too many pixels.
        """
        there, frame = self._film.retrieve()
        if not there:
            raise unreadable(tr("picture"), tr("it cannot be decoded"))
        if frame.shape[0] * frame.shape[1] > self._max_pixels:
            raise unreadable(tr("picture"), tr("it has too many pixels"))
        # OpenCV's own conversion would start its pool of threads for the rest of the process.
        rgb: NDArray[np.uint8] = np.ascontiguousarray(frame[:, :, ::-1])
        return rgb

    def close(self) -> None:
        """Let go of the camera."""
        self._film.release()


def _with_user(url: str, user: str, password: str) -> str:
    if not user:
        return url
    parts = urlsplit(url)
    who = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{who}@{parts.netloc}"))


def _settle(shot: asyncio.Future[Shot], found: Shot | Exception) -> None:
    if shot.done():
        return
    if isinstance(found, Exception):
        shot.set_exception(found)
    else:
        shot.set_result(found)


def _call(loop: asyncio.AbstractEventLoop, what: Any) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody is there to be told
        loop.call_soon_threadsafe(what)
