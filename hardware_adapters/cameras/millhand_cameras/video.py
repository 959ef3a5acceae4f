"""A video file as a camera, by OpenCV (extra ``video``)."""

from __future__ import annotations

import stat
from typing import Any, ClassVar

import numpy as np
from PIL import Image
from pydantic import BaseModel

from millhand.errors import ConfigError
from millhand.journal.blobs import frame_hash
from millhand.messages import tr
from millhand_cameras.camera import FileCamera
from millhand_cameras.config import VideoConfig
from millhand_cameras.decode import to_pixels
from millhand_cameras.opencv import opencv
from millhand_cameras.source import Ended, Picture, unreadable


class VideoCamera(FileCamera):
    """Shows the frames of a video file, one at each trigger."""

    Config: ClassVar[type[BaseModel]] = VideoConfig

    def __init__(self, name: str, config: VideoConfig) -> None:
        super().__init__(name, lambda: VideoSource(config))


class VideoSource:
    """The frames of a video file, in order.

    Raises:
        ConfigError: OpenCV is not installed, or the file is no video that it can open.
    """

    def __init__(self, config: VideoConfig) -> None:
        self._config = config
        self._cv2 = opencv()
        try:
            about = config.path.stat()
        except OSError as error:
            raise _not_a_video(config, error.strerror or error) from error
        # OpenCV also takes addresses, devices and patterns; a scenario names a file.
        if not stat.S_ISREG(about.st_mode):
            raise _not_a_video(config, tr("it is no ordinary file"))
        self._film = self._open()
        rate = self._film.get(self._cv2.CAP_PROP_FPS)
        self._rate = rate if 0 < rate < 100_000 else 25.0
        frames = max(0.0, self._film.get(self._cv2.CAP_PROP_FRAME_COUNT))
        self._start_utc_ns = config.start_utc_ns(about.st_mtime_ns, frames / self._rate)
        self._number = 0
        """Number of the next frame, from 0."""

    def next(self) -> Picture:
        """Read the next frame; see :class:`millhand_cameras.source.Source`."""
        if self._number > 0:
            self._skip(self._config.every - 1)
        picture = self._read()
        if picture is None and self._config.at_end == "loop" and self._number > 0:
            self._film.release()
            self._number = 0
            try:
                self._film = self._open()
            except ConfigError as error:
                raise Ended(error.message, mend=error.mend) from error
            picture = self._read()
        if picture is None:
            raise Ended(
                tr("There are no more frames in {file}.", file=self._config.path),
                mend=tr("Use at_end: loop to begin again after the last."),
            )
        return picture

    def close(self) -> None:
        """Let go of the file."""
        self._film.release()

    def _open(self) -> Any:
        """Open the file with one decoding thread, so that closing leaves none."""
        path, options = str(self._config.path), [self._cv2.CAP_PROP_N_THREADS, 1]
        try:
            film = self._cv2.VideoCapture(path, self._cv2.CAP_FFMPEG, options)
        except self._cv2.error as error:
            raise _not_a_video(self._config, error) from error
        if not film.isOpened():
            raise _not_a_video(self._config, tr("its format is not known"))
        width = film.get(self._cv2.CAP_PROP_FRAME_WIDTH)
        height = film.get(self._cv2.CAP_PROP_FRAME_HEIGHT)
        if width * height > self._config.max_pixels:
            film.release()
            raise _not_a_video(self._config, tr("its frames have too many pixels"))
        return film

    def _skip(self, frames: int) -> None:
        for _ in range(frames):
            if not self._film.grab():
                return
            self._number += 1

    def _read(self) -> Picture | None:
        """Return the next frame, None after the last."""
        try:
            there, frame = self._film.read()
        except self._cv2.error as error:
            raise unreadable(self._origin(), error) from error
        if not there:
            return None
        origin = self._origin()
        stream_ns = self._stream_ns(self._film.get(self._cv2.CAP_PROP_POS_MSEC))
        self._number += 1
        # OpenCV's own conversion would start its pool of threads for the rest of the process.
        image = Image.fromarray(np.ascontiguousarray(frame[:, :, ::-1]))
        try:
            pixels = to_pixels(image, self._config)
        except ValueError as error:
            raise unreadable(origin, error) from error
        return Picture(pixels, frame_hash(pixels), origin, self._start_utc_ns + stream_ns)

    def _stream_ns(self, at_ms: float) -> int:
        """Return the time of the frame in the stream; by its number where the stream has none."""
        if at_ms <= 0:
            return round(self._number / self._rate * 1e9)
        return round(at_ms * 1e6)

    def _origin(self) -> str:
        return f"{self._config.path.name}#{self._number}"


def _not_a_video(config: VideoConfig, reason: object) -> ConfigError:
    return ConfigError(
        tr("{file} cannot be read as a video: {reason}.", file=config.path, reason=reason),
        mend=tr("Give the path of a video file, such as MP4 or AVI."),
    )
