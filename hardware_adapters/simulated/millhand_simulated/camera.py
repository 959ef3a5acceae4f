"""A camera over the simulated line: it renders the part that the trigger names."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import ClassVar, Self

from pydantic import BaseModel, Field

from millhand.contracts.adapters import CaptureRequest, Health, Link
from millhand.contracts.frames import Frame, FrameRef
from millhand.errors import ConfigError, InternalError, Unavailable
from millhand.messages import tr
from millhand_simulated.parts.truth import StationConfig
from millhand_simulated.plc.line import LineConfig, LinePlan
from millhand_simulated.render_ahead import RenderAhead, Shot


class SimulatedCameraConfig(LineConfig):
    """The camera over a simulated line. The line's values must be those of the plant."""

    station: StationConfig = Field(
        default=StationConfig(), description="Light and picture; as the plant's."
    )
    exposure_ms: float = Field(
        default=3.0, ge=0, le=1000, description="Time from trigger to picture."
    )
    ahead: int = Field(
        default=4, ge=0, le=64, description="Parts whose pictures are rendered in advance."
    )
    rest_ms: float = Field(
        default=60.0,
        ge=0,
        description="Pause after a picture before the next are rendered, so that rendering takes "
        "no processor time from the decision.",
    )
    blind_at: tuple[int, ...] = Field(
        default=(), description="Numbers, from 1, of parts of which no picture comes: a fault."
    )


class SimulatedCamera:
    """Renders the part of the line that a capture request names."""

    Config: ClassVar[type[BaseModel]] = SimulatedCameraConfig

    def __init__(self, name: str, config: SimulatedCameraConfig) -> None:
        self._name = name
        self._config = config
        self._plan = LinePlan(config)
        self._ahead: RenderAhead | None = None
        self._frames = 0
        self._since_ns = 0

    async def __aenter__(self) -> Self:
        self._ahead = RenderAhead(
            self._plan,
            self._config.station,
            ahead=self._config.ahead,
            pause_s=self._config.rest_ms / 1000,
        )
        self._ahead.start()
        self._since_ns = time.monotonic_ns()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            # The thread ends within the picture it is at, some 20 ms: cancelling cannot cut it.
            ahead.close()

    def health(self) -> Health:
        """Say that the camera is there while it is open."""
        link = Link.UP if self._ahead is not None else Link.DOWN
        return Health(link=link, epoch=1, since_monotonic_ns=self._since_ns)

    async def capture(self, request: CaptureRequest) -> Frame:
        """Expose the part ``request.part_id``; see :class:`millhand.contracts.adapters.Camera`.

        Raises:
            Unavailable: no such part comes down this line, it is one of ``blind_at``, or its
                picture is not ready before the deadline.
        """
        if self._ahead is None:
            raise InternalError("the camera is used outside its context")
        exposed_utc_ns, exposed_monotonic_ns = time.time_ns(), time.monotonic_ns()
        try:
            part = self._plan.by_id(request.part_id)
        except ConfigError as error:
            raise Unavailable(error.message, mend=error.mend) from error
        self._frames += 1
        frame_seq = self._frames
        shot = await self._expose(self._ahead, part.number, request)
        height, width, channels = shot.pixels.shape
        ref = FrameRef(
            camera=self._name,
            sha256=shot.sha256,
            height=height,
            width=width,
            channels=channels,
            frame_seq=frame_seq,
            trigger_seq=request.trigger_seq,
            exposed_utc_ns=exposed_utc_ns,
            exposed_monotonic_ns=exposed_monotonic_ns,
            origin=f"{part.product} {part.render_seed}"
            f" in family {self._config.station.family_seed(part.number)}",
        )
        return Frame(ref, shot.pixels)

    async def _expose(self, ahead: RenderAhead, number: int, request: CaptureRequest) -> Shot:
        """Wait for exposure and picture, no longer than the deadline."""
        left_s = (request.deadline_monotonic_ns - time.monotonic_ns()) / 1e9
        try:
            async with asyncio.timeout(max(left_s, 0.0)):
                if number in self._config.blind_at:
                    await asyncio.Event().wait()
                shot = asyncio.wrap_future(ahead.ask(number))
                await asyncio.sleep(self._config.exposure_ms / 1000)
                return await asyncio.shield(shot)
        except TimeoutError:
            raise Unavailable(
                tr(
                    "Camera {camera} gave no picture of {part_id} in time.",
                    camera=self._name,
                    part_id=request.part_id,
                )
            ) from None
