"""The kit for ``Camera`` on the rendering camera."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from millhand.testing.conformance import CameraBench, CameraCapability, CameraKit
from millhand_simulated.camera import SimulatedCamera, SimulatedCameraConfig
from millhand_simulated.plc.line import LinePlan

LINE = {
    "seed": 7,
    "parts": 30,
    "station": {"families": (1000, 1010), "parts_per_family": 3, "picture_px": 96},
    "exposure_ms": 0,
    "rest_ms": 0,
}


class RenderingBench(CameraBench):
    parts = tuple(
        LinePlan(SimulatedCameraConfig.model_validate(LINE)).part(number).part_id
        for number in range(1, 9)
    )

    async def ready(self) -> None:
        """It needs nothing but its plan."""

    def camera(self, **options: Any) -> SimulatedCamera:
        config = SimulatedCameraConfig.model_validate({**LINE, **options})
        return SimulatedCamera("camera", config)

    def stalled(self) -> SimulatedCamera:
        return self.camera(blind_at=(1,))


class TestSimulatedCamera(CameraKit):
    subject, peer, independent = "simulated.camera", "its own line", False
    lacks: ClassVar[dict[str, str]] = {
        CameraCapability.LEAVES: "it renders in this process and cannot be taken away",
    }

    @pytest.fixture
    def bench(self) -> RenderingBench:
        return RenderingBench()
