"""The kit for ``Robot`` on a simulated vehicle behind a real mosquitto."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from millhand.testing import PeerProcess
from millhand.testing.conformance import RobotBench, RobotCapability, RobotKit
from millhand_mqtt import testing
from millhand_vda5050.adapter import Vda5050
from millhand_vda5050.simulated.fleet import grid

HERE = Path(__file__).parent
ROW = [f"n{column}-0" for column in range(6)]
ENDS_ITS_BASE = "a vehicle that is cut off ends the base it has, as VDA 5050 (6.6) wants it"


class VehicleBench(RobotBench):
    """A vehicle in a process of its own, and its broker in another."""

    device = "agvs"
    refused: ClassVar[Sequence[tuple[str, Any]]] = (
        ("drive", {"order_id": "o", "path": ["nowhere"]}),
        ("drive", {"order_id": "o", "path": ["n0-0", "n5-0"]}),
        ("drive", {"order_id": 7, "path": ["n0-0"]}),
        ("drive", {"path": ["n0-0"]}),
        ("drive", {"order_id": "o", "path": ["n0-0"], "vehicle": "agv2"}),
        ("instant", {"action": "startPause"}),
    )

    def __init__(self, folder: Path) -> None:
        self.broker = testing.Mosquitto(folder)
        self._file = folder / "layout.json"
        self._file.write_text(grid(6, 1).model_dump_json(by_alias=True))
        self.peer = PeerProcess(sys.executable, str(HERE / "vehicle_peer.py"))

    def close(self) -> None:
        self.peer.kill()
        self.broker.kill()

    async def ready(self) -> None:
        if not self.broker.running:
            await self.broker.start()
        if not self.peer.alive:
            self.peer.start(self.broker.url)
        self.peer.ask(do="anew")

    # The same order twice is once, and an order begins where the vehicle stands: each is its own.

    @property
    def quick(self) -> tuple[str, Any]:  # type: ignore[override]
        return "drive", {"order_id": str(uuid.uuid4()), "path": [self._at()], "action": "wait"}

    @property
    def slow(self) -> tuple[str, Any]:  # type: ignore[override]
        column = ROW.index(self._at())
        path = ROW[column:] if column < 3 else ROW[column::-1]
        return "drive", {"order_id": str(uuid.uuid4()), "path": path, "action": "wait"}

    def _at(self) -> str:
        return str(self.peer.ask(do="truth")["at"]) if self.peer.alive else ROW[0]

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.broker.port

    def robot(self, address: tuple[str, int] | None = None, **options: Any) -> Any:
        host, port = address or self.address
        config = Vda5050.Config.model_validate(
            {
                "url": f"mqtt://{host}:{port}",
                "vehicles": {"agv1": "agv1"},
                "layout": str(self._file),
                "retry_limit_s": 0.1,
                "request_timeout_s": 0.5,
                **options,
            }
        )
        return _WhenHeard("agvs", config)

    async def moving(self) -> bool:
        return bool(self.peer.ask(do="truth")["moving"])

    async def begun(self) -> Sequence[str]:
        return ["drive"] * int(self.peer.ask(do="truth")["begun"])


class _WhenHeard(Vda5050):
    """Counts as up once the vehicle was heard, so that the kit's first skill finds it there."""

    def health(self) -> Any:
        from msgspec.structs import replace

        from millhand.contracts import Link

        health = super().health()
        if health.link is Link.UP and not self._control.online("agv1"):
            return replace(health, link=Link.CONNECTING)
        return health


@pytest.fixture(scope="module")
def vehicle_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VehicleBench]:
    if testing.BINARY is None:
        pytest.skip(testing.MISSING)
    bench = VehicleBench(tmp_path_factory.mktemp("vehicle"))
    yield bench
    bench.close()


class TestSimulatedVehicle(RobotKit):
    subject, peer = "vda5050", "a simulated vehicle behind mosquitto"
    lacks: ClassVar[Mapping[str, str]] = {
        RobotCapability.KILL: ENDS_ITS_BASE,
        RobotCapability.FREEZE: ENDS_ITS_BASE,
        RobotCapability.PROXY: ENDS_ITS_BASE,
    }

    @pytest.fixture
    def bench(self, vehicle_bench: VehicleBench) -> VehicleBench:
        return vehicle_bench
