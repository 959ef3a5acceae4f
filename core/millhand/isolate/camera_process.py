"""A camera's process: ``python -m millhand.isolate.camera_process CONNECTION REGION``.

The adapter lives here with its vendor's library, so that what crashes or hangs is this process and
not the engine. Pictures are taken one after another; questions about the camera's health are
answered meanwhile, unless the library holds up the loop, which the engine takes for a hang.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

from millhand.contracts import Camera, Health, Link
from millhand.errors import InternalError
from millhand.isolate.frames import MemfdRegion, NamedRegion, attach_region, place_frames, warm_up
from millhand.isolate.messages import (
    LARGEST_MESSAGE,
    LENGTH,
    CameraSpec,
    Capture,
    Captured,
    Close,
    Failed,
    Look,
    Looked,
    OpenCamera,
    ToCamera,
    decode_to_camera,
    framed,
)
from millhand.isolate.worker import connect, failure, keep_standard_output_clean
from millhand.pauses import freeze_start
from millhand.plugins.paths import based_on
from millhand.plugins.registrations import Registration


def build_camera(spec: CameraSpec) -> Any:
    """Build the adapter, not yet entered.

    Raises:
        ConfigError: its class cannot be imported.
    """
    camera_class = Registration(spec.name, spec.target, "").load()
    config = camera_class.Config.model_validate(spec.options)
    return camera_class(spec.name, based_on(config, Path(spec.folder)))


class CameraServer:
    """Answers the engine, until it says close or is gone."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        region: MemfdRegion | NamedRegion,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._region = region
        self._turn = asyncio.Lock()

    async def serve(self) -> None:
        """Open the camera that the first message names, then answer."""
        first = await self._receive()
        if not isinstance(first, OpenCamera):
            return
        try:
            camera = build_camera(first.camera)
            await asyncio.to_thread(warm_up)
            async with camera:
                freeze_start()
                self._send(Looked(number=0, health=camera.health()))
                await self._answer_all(camera)
        except Exception as error:  # noqa: BLE001  whatever a plugin raises is told to the engine
            self._send(failure(error, agent=first.camera.name))
            await self._writer.drain()

    async def _answer_all(self, camera: Camera) -> None:
        async with asyncio.TaskGroup() as captures:
            while (message := await self._receive()) is not None and not isinstance(message, Close):
                if isinstance(message, Look):
                    self._send(Looked(number=message.number, health=_health_of(camera)))
                elif isinstance(message, Capture):
                    captures.create_task(self._capture(camera, message))

    async def _capture(self, camera: Camera, message: Capture) -> None:
        async with self._turn:
            answer: Captured | Failed
            try:
                frame = await camera.capture(message.request)
                (slot,) = place_frames(self._region, {"frame": frame.pixels})
                answer = Captured(
                    number=message.number,
                    ref=frame.ref,
                    slot=slot,
                    region_size=self._region.size,
                )
            except Exception as error:  # noqa: BLE001  whatever a plugin raises is told to the engine
                answer = failure(error, number=message.number)
            self._send(answer)

    async def _receive(self) -> ToCamera | None:
        try:
            (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
            if length > LARGEST_MESSAGE:
                raise InternalError(f"message of {length} bytes")
            return decode_to_camera(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def _send(self, message: object) -> None:
        self._writer.write(framed(message))


def _health_of(camera: Camera) -> Health:
    try:
        return camera.health()
    except Exception as error:  # noqa: BLE001  whatever a plugin raises is told to the engine
        return Health(link=Link.DOWN, detail=f"{type(error).__name__}: {error}")


async def _run(connection: str, region: str) -> None:
    reader, writer = await asyncio.open_connection(sock=connect(connection))
    try:
        await CameraServer(reader, writer, attach_region(region)).serve()
    finally:
        writer.close()


def main(arguments: list[str]) -> None:
    """Run the camera. Ctrl-C is the engine's to handle, so it is ignored here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_standard_output_clean()
    connection, region = arguments
    asyncio.run(_run(connection, region))


if __name__ == "__main__":
    main(sys.argv[1:])
