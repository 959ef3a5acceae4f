"""The kit for ``Robot`` on the reject gantry, whose controller is a process of its own."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from millhand.testing import PeerProcess
from millhand.testing.conformance import RobotBench, RobotKit
from millhand_simulated.gantry.adapter import GantryConfig, SimulatedGantry


class GantryBench(RobotBench):
    """The controller, asked for the truth on a connection that the adapter knows nothing of."""

    device = "gantry"
    quick = ("move_to", {"across_mm": 30.0})
    slow = ("reject_part", {"across_mm": 450.0, "bin": 3})
    refused = (
        ("move_to", {"across_mm": 900.5}),
        ("move_to", {"across_mm": "30"}),
        ("move_to", {"across_mm": None}),
        ("move_to", {}),
        ("move_to", {"across_mm": 30.0, "speed": 0.0}),
        ("move_to", {"across_mm": 30.0, "sped": 1.0}),
        ("reject_part", {"across_mm": 100.0, "bin": 4}),
        ("reject_part", {"across_mm": 100.0, "bin": True}),
        ("move_to", {"across_mm": float("nan")}),
    )
    short: ClassVar[Mapping[str, Any]] = {"timeout_s": 0.4}

    def __init__(self, peer: PeerProcess) -> None:
        self._peer = peer

    async def ready(self) -> None:
        """A controller of its own for each test: it keeps its books from the start."""
        self._peer.thaw()
        self._peer.start()

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._peer.port

    def robot(self, address: tuple[str, int] | None = None, **options: Any) -> SimulatedGantry:
        host, port = address or self.address
        return SimulatedGantry(self.device, GantryConfig(host=host, port=port, **options))

    async def moving(self) -> bool:
        return bool(self._look()["moving"])

    async def begun(self) -> Sequence[str]:
        begun: list[str] = self._look()["begun"]
        return begun

    def _look(self) -> dict[str, Any]:
        with socket.create_connection(self.address, timeout=10) as line:
            line.sendall(b'{"do": "look"}\n')
            with line.makefile("rb") as answers:
                state: dict[str, Any] = json.loads(answers.readline())
        return state

    async def kill(self) -> None:
        self._peer.kill()

    async def restart(self) -> None:
        self._peer.start()

    async def freeze(self) -> None:
        self._peer.freeze()

    async def thaw(self) -> None:
        self._peer.thaw()


@pytest.fixture(scope="module")
def controller() -> Iterator[PeerProcess]:
    peer = PeerProcess(sys.executable, "-m", "millhand_simulated.gantry")
    yield peer
    peer.kill()


class TestGantry(RobotKit):
    subject, peer = "simulated.gantry", "its controller in a process of its own"

    @pytest.fixture
    def bench(self, controller: PeerProcess) -> GantryBench:
        return GantryBench(controller)
