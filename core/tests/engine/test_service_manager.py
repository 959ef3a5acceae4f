"""What systemd hears: ready, alive while the loop turns, silent while it is blocked, stopping."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from millhand.engine.service_manager import ServiceManager

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd is on Linux only")


class Manager:
    """Listens as systemd does."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "notify")
        self.channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.channel.bind(self.path)
        self.channel.settimeout(60)

    def hear(self) -> dict[str, str]:
        """Return the next message."""
        lines = self.channel.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def waiting(self) -> int:
        """Count, and forget, what was said meanwhile."""
        self.channel.setblocking(False)
        count = 0
        try:
            while self.channel.recv(4096):
                count += 1
        except BlockingIOError:
            return count
        finally:
            self.channel.settimeout(60)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    listening = Manager(tmp_path)
    yield listening
    listening.channel.close()


async def test_signs_of_life_stop_while_the_loop_is_blocked(manager: Manager) -> None:
    ours = ServiceManager({"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "150000"})
    async with ours.told(lambda: "fine"):
        assert manager.hear() == {"READY": "1", "STATUS": "fine"}
        first = await asyncio.to_thread(manager.hear)
        assert first["WATCHDOG"] == "1"
        manager.waiting()
        time.sleep(0.5)  # noqa: ASYNC251 - the loop is blocked for more than three periods
        assert manager.waiting() == 0
        assert (await asyncio.to_thread(manager.hear))["WATCHDOG"] == "1"
    while (last := manager.hear()).get("WATCHDOG"):
        pass
    assert last == {"STOPPING": "1"}


async def test_without_a_watchdog_only_ready_and_stopping_are_told(manager: Manager) -> None:
    async with ServiceManager({"NOTIFY_SOCKET": manager.path}).told(lambda: ""):
        assert manager.hear()["READY"] == "1"
        await asyncio.sleep(0.05)
    assert manager.hear() == {"STOPPING": "1"}


@pytest.mark.parametrize(
    ("environment", "period"),
    [
        ({"WATCHDOG_USEC": "2000000"}, 2.0),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}, 2.0),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "nonsense"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_whose_watchdog_it_is(environment: dict[str, str], period: float | None) -> None:
    assert ServiceManager(environment).watchdog_s == period


def test_the_abstract_name_space() -> None:
    name = f"@millhand-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind("\0" + name[1:])
        ServiceManager({"NOTIFY_SOCKET": name}).tell(READY=1)
        assert channel.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative/path", "/nowhere/at/all"])
def test_nobody_there_stops_nothing(address: str) -> None:
    ServiceManager({"NOTIFY_SOCKET": address}).tell(READY=1)


def test_millhand_run_as_a_service(manager: Manager, tmp_path: Path) -> None:
    folder = tmp_path / "cell"
    folder.mkdir()
    (folder / "scenario.yaml").write_text("millhand: 1\nname: quiet\n")
    command = [sys.executable, "-m", "millhand.cli", "run", str(folder)]
    environment = {**os.environ, "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "3000000"}
    with subprocess.Popen(
        [*command, "--state", str(tmp_path / "state")],
        env=environment,
        stdout=subprocess.DEVNULL,
    ) as service:
        try:
            assert manager.hear()["READY"] == "1"
            assert manager.hear()["WATCHDOG"] == "1"
            service.send_signal(signal.SIGTERM)
            while (said := manager.hear()).get("WATCHDOG"):
                pass
            assert said == {"STOPPING": "1"}
            assert service.wait(30) == 0
        finally:
            service.kill()
    assert (tmp_path / "state" / "journal.sqlite").exists()
    assert not (folder / "journal").exists(), "the scenario's folder is only read"
