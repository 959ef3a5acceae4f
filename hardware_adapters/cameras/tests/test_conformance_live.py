"""The kit and the faults of network cameras, on a real RTSP server (gst-rtsp-server).

A camera of this computer is tried only where there is one.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from millhand.contracts import CaptureRequest, Link
from millhand.errors import Unavailable
from millhand.testing import FaultProxy, PeerProcess
from millhand.testing.conformance import CameraBench, CameraKit
from millhand.testing.conformance.feeds import until_link
from millhand_cameras.config import RtspConfig, V4l2Config
from millhand_cameras.live import RtspCamera, V4l2Camera

pytest.importorskip("cv2", reason="needs OpenCV: pip install 'millhand-cameras[video]'")

SERVER = Path(__file__).parent / "rtsp_server.py"
SYSTEM_PYTHON = shutil.which("python3", path="/usr/bin")


def rtsp_server_installed() -> bool:
    code = "import gi; gi.require_version('GstRtspServer', '1.0')"
    return (
        SYSTEM_PYTHON is not None
        and subprocess.run([SYSTEM_PYTHON, "-c", code], check=False, capture_output=True).returncode
        == 0
    )


needs_server = pytest.mark.skipif(
    not rtsp_server_installed(),
    reason="needs Debian's gir1.2-gst-rtsp-server-1.0, python3-gi and gstreamer1.0-plugins-good",
)


def request(seq: int = 1, within_s: float = 10.0) -> CaptureRequest:
    return CaptureRequest(
        trigger_seq=seq,
        part_id=f"P{seq}",
        deadline_monotonic_ns=time.monotonic_ns() + int(within_s * 1e9),
    )


def served(*options: str) -> PeerProcess:
    assert SYSTEM_PYTHON is not None
    peer = PeerProcess(SYSTEM_PYTHON, str(SERVER))
    peer.start(*options)
    return peer


@pytest.fixture(scope="module")
def server() -> Iterator[PeerProcess]:
    peer = served()
    yield peer
    peer.kill()


class RtspBench(CameraBench):
    def __init__(self, peer: PeerProcess) -> None:
        self.peer = peer

    async def ready(self) -> None:
        self.peer.thaw()
        if not self.peer.alive:
            self.peer.start()

    def camera(self, **options: Any) -> RtspCamera:
        url = f"rtsp://127.0.0.1:{self.peer.port}/ball"
        config = RtspConfig(url=url, silence_s=0.8, connect_timeout_s=2.0, **options)
        return RtspCamera("camera", config)

    @asynccontextmanager
    async def stalled(self) -> AsyncIterator[RtspCamera]:
        """A camera that freezes for half a second."""
        async with self.camera() as camera:
            await until_link(camera, Link.UP, self.patience_s)
            self.peer.freeze()
            asyncio.get_running_loop().call_later(0.5, self.peer.thaw)
            yield camera

    async def take_away(self) -> None:
        self.peer.kill()

    async def bring_back(self) -> None:
        self.peer.start()


@needs_server
class TestRtsp(CameraKit):
    subject, peer, independent = "rtsp", "gst-rtsp-server", True

    @pytest.fixture
    def bench(self, server: PeerProcess) -> RtspBench:
        return RtspBench(server)


def tried(url: str, **options: Any) -> RtspCamera:
    return RtspCamera("cam", RtspConfig(url=url, silence_s=0.8, connect_timeout_s=5, **options))


@needs_server
async def test_pictures_move_and_are_cut_as_configured(server: PeerProcess) -> None:
    url = f"rtsp://127.0.0.1:{server.port}/ball"
    async with tried(url, crop=(0, 0, 80, 60), size=(40, 30), colour="grey") as camera:
        await until_link(camera, Link.UP, 20)
        frames = [await camera.capture(request(seq)) for seq in range(1, 6)]
    assert {frame.pixels.shape for frame in frames} == {(30, 40, 1)}
    exposed = [frame.ref.exposed_monotonic_ns for frame in frames]
    assert exposed == sorted(set(exposed))


@needs_server
@pytest.mark.parametrize("user", ["basic", "digest"])
async def test_users_are_let_in_and_refused(user: str) -> None:
    server = served("--user", user, "s3cret")
    url = f"rtsp://127.0.0.1:{server.port}/ball"
    try:
        async with tried(url, user=user, password="s3cret") as camera:
            await until_link(camera, Link.UP, 20)
            await camera.capture(request())
        for wrong in ({}, {"user": user, "password": "guess"}):
            async with tried(url, **wrong) as camera:
                health = await until_link(camera, Link.REFUSED, 20)
                assert health.fault == "credentials"
                assert "guess" not in health.words
    finally:
        server.kill()


@needs_server
async def test_no_such_stream_is_the_configuration(server: PeerProcess) -> None:
    async with tried(f"rtsp://127.0.0.1:{server.port}/nothing") as camera:
        health = await until_link(camera, Link.DOWN, 20)
    assert health.fault == "configuration"
    assert "404" in health.detail


async def test_another_protocol_is_the_configuration() -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with tried(f"rtsp://127.0.0.1:{port}/ball") as camera:
            health = await until_link(camera, Link.DOWN, 20)
            assert health.fault == "configuration"
            with pytest.raises(Unavailable, match="does not answer in RTSP"):
                await camera.capture(request(within_s=0.1))


@needs_server
async def test_cut_off_by_a_proxy_it_comes_back(server: PeerProcess) -> None:
    async with (
        FaultProxy("127.0.0.1", server.port) as proxy,
        tried(f"rtsp://127.0.0.1:{proxy.port}/ball") as camera,
    ):
        await until_link(camera, Link.UP, 20)
        before = await camera.capture(request(1))
        proxy.black_hole()
        await until_link(camera, Link.DOWN, 20)
        proxy.lift()
        await until_link(camera, Link.UP, 20)
        after = await camera.capture(request(2))
    assert after.ref.exposed_monotonic_ns > before.ref.exposed_monotonic_ns
    assert after.ref.frame_seq > before.ref.frame_seq


def test_a_password_in_the_address_is_refused() -> None:
    with pytest.raises(ValidationError):
        RtspConfig(url="rtsp://operator:s3cret@127.0.0.1/ball")


async def test_a_camera_of_this_computer_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with V4l2Camera("cam", V4l2Config(device=tmp_path / "video9")) as camera:
        health = await until_link(camera, Link.DOWN, 10)
        assert (health.fault, "video9" in health.detail) == ("network", True)
    (tmp_path / "video9").write_bytes(b"")
    async with V4l2Camera("cam", V4l2Config(device=tmp_path / "video9")) as camera:
        health = await until_link(camera, Link.DOWN, 10)
        assert (health.fault, "no camera" in health.detail) == ("configuration", True)


DEVICES = sorted(Path("/dev").glob("video*"))


@pytest.mark.skipif(not DEVICES, reason="this computer has no camera: there is no /dev/video*")
async def test_a_camera_of_this_computer() -> None:
    async with V4l2Camera("cam", V4l2Config(device=DEVICES[0])) as camera:
        await until_link(camera, Link.UP, 20)
        frame = await camera.capture(request())
    assert frame.pixels.size
