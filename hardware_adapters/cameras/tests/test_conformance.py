"""The kit for ``Camera`` on a folder and on a video file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from millhand.isolate.camera import IsolatedCamera
from millhand.isolate.messages import CameraSpec
from millhand.testing.conformance import CameraBench, CameraCapability, CameraKit
from millhand_cameras.camera import FileCamera
from millhand_cameras.config import FolderConfig, VideoConfig
from millhand_cameras.folder import FolderCamera, FolderSource
from millhand_cameras.source import Picture, Source
from millhand_cameras.video import VideoCamera, VideoSource

NOT_LIVE = "its pictures were taken before, and say when"


class SlowAtFirst:
    """A source whose first picture takes its time, as from a share that went to sleep."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first = True

    def next(self) -> Picture:
        if self._first:
            self._first = False
            time.sleep(1.0)
        return self._source.next()

    def close(self) -> None:
        self._source.close()


class SlowFolderCamera(FileCamera):
    """A folder whose first picture takes its time; built in another process too."""

    Config: ClassVar[type[FolderConfig]] = FolderConfig

    def __init__(self, name: str, config: FolderConfig) -> None:
        super().__init__(name, lambda: SlowAtFirst(FolderSource(config)))


class FolderBench(CameraBench):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for number in range(1, 9):
            pixels = np.full((12, 16, 3), 20 * number, np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")

    async def ready(self) -> None:
        """Its pictures lie there."""

    def camera(self, **options: Any) -> Any:
        return FolderCamera("camera", FolderConfig(path=self.folder, **options))

    def stalled(self) -> Any:
        return SlowFolderCamera("camera", FolderConfig(path=self.folder))


class TestFolder(CameraKit):
    subject, peer, independent = "folder", "PNG files by Pillow", True
    lacks: ClassVar[dict[str, str]] = {
        CameraCapability.LIVE: NOT_LIVE,
        CameraCapability.LEAVES: "a folder that is not there is a fault of the scenario",
    }

    @pytest.fixture
    def bench(self, tmp_path: Path) -> FolderBench:
        return FolderBench(tmp_path)


class IsolatedBench(FolderBench):
    """The same folder, as the scenario's ``isolate: process`` has it."""

    def camera(self, **options: Any) -> IsolatedCamera:
        return self._isolated("millhand_cameras.folder:FolderCamera", **options)

    def stalled(self) -> IsolatedCamera:
        return self._isolated("test_conformance:SlowFolderCamera")

    def _isolated(self, target: str, **options: Any) -> IsolatedCamera:
        told = {"path": str(self.folder), **options}
        return IsolatedCamera(CameraSpec(name="camera", target=target, options=told))


class TestFolderInAProcessOfItsOwn(CameraKit):
    subject, peer, independent = "folder", "PNG files, isolate: process", True
    lacks: ClassVar[dict[str, str]] = TestFolder.lacks

    @pytest.fixture
    def bench(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IsolatedBench:
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
        return IsolatedBench(tmp_path)


class VideoBench(CameraBench):
    def __init__(self, folder: Path) -> None:
        import cv2

        self.film = folder / "film.avi"
        writer = cv2.VideoWriter(str(self.film), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, (64, 48))
        for number in range(1, 11):
            writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
        writer.release()

    async def ready(self) -> None:
        """Its frames lie there."""

    def camera(self, **options: Any) -> VideoCamera:
        return VideoCamera("camera", VideoConfig(path=self.film, **options))

    def stalled(self) -> FileCamera:
        config = VideoConfig(path=self.film)
        return FileCamera("camera", lambda: SlowAtFirst(VideoSource(config)))


class TestVideo(CameraKit):
    subject, peer, independent = "video", "Motion JPEG by OpenCV", False
    lacks: ClassVar[dict[str, str]] = {
        CameraCapability.LIVE: NOT_LIVE,
        CameraCapability.LEAVES: "a file that is not there is a fault of the scenario",
    }

    @pytest.fixture
    def bench(self, tmp_path: Path) -> VideoBench:
        pytest.importorskip("cv2", reason="needs OpenCV: pip install 'millhand-cameras[video]'")
        return VideoBench(tmp_path)
