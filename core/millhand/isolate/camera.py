"""A camera whose adapter runs in a process of its own: the engine's side.

It wears the same face as the adapter itself. When its process crashes, hangs or is killed, the
engine goes on: the camera is *down*, which raises an alarm, captures say so at once, and the
process is started again after a growing pause.
"""

from __future__ import annotations

import asyncio
import random
import signal
from time import monotonic, monotonic_ns
from types import TracebackType
from typing import Any, ClassVar, Self

import structlog
from pydantic import BaseModel, SecretStr

from millhand.contracts import CaptureRequest, Frame, Health, Link
from millhand.errors import InternalError, MillhandError, Unavailable
from millhand.isolate.child import Child, error_from
from millhand.isolate.frames import create_region, frame_at, warm_up
from millhand.isolate.messages import (
    CameraSpec,
    Capture,
    Captured,
    Failed,
    FromCamera,
    Look,
    Looked,
    OpenCamera,
    decode_from_camera,
)
from millhand.isolate.spawning import HAS_SOCKET_PAIR
from millhand.isolate.wire import WorkerLost
from millhand.links import LinkHealth
from millhand.messages import tr

log = structlog.get_logger(__name__)

_START_S = 60.0
_LOOK_EVERY_S = 0.5
HUNG_S = 5.0
"""A process that says nothing for so long is ended."""
_CLOSE_S = 2.0
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0
_SETTLED_S = 60.0
"""After so long without a fault the next one counts as the first."""


class IsolatedCamera:
    """A camera in a process of its own. An async context manager; lives on one loop.

    Args:
        spec: what to build there.
        loopback: connect over loopback TCP instead of a socket pair (the only way on Windows).
        hung_s: a process that does not answer for so long is ended and started again.

    Raises (when entered):
        ConfigError, NotAllowed: the adapter refuses its options.
    """

    Config: ClassVar[type[BaseModel]] = BaseModel

    def __init__(
        self, spec: CameraSpec, *, loopback: bool = not HAS_SOCKET_PAIR, hung_s: float = HUNG_S
    ) -> None:
        self.name = spec.name
        self._spec = spec
        self._loopback = loopback
        self._hung_s = hung_s
        self._region = create_region()
        self._link = LinkHealth(spec.name)
        self._child: Child[FromCamera] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._owed: asyncio.Future[FromCamera] | None = None
        """The picture asked for last; it writes to the shared region until it is answered."""
        self._number = 0

    @property
    def pid(self) -> int | None:
        """The process's id while there is one."""
        return None if self._child is None else self._child.process.pid

    def health(self) -> Health:
        """See :class:`millhand.contracts.Camera`."""
        return self._link.now

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except WorkerLost as error:
            self._link.set(Link.DOWN, str(error))  # it is tried again, like a device that is away
        except BaseException:
            await self._stop()
            self._region.close()
            raise
        self._keeper = asyncio.create_task(self._keep(), name=f"{self.name}.process")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await self._stop()
        self._region.close()
        self._link.close()

    async def capture(self, request: CaptureRequest) -> Frame:
        """See :meth:`millhand.contracts.Camera.capture`.

        Raises:
            Unavailable: no frame before the deadline, or the camera or its process is away.
        """
        left_s = (request.deadline_monotonic_ns - monotonic_ns()) / 1e9
        try:
            async with asyncio.timeout(max(0.0, left_s)), self._turn:
                if self._owed is not None:
                    await asyncio.wait([self._owed])  # an earlier one that came too late
                return self._frame(await self._asked(request))
        except TimeoutError:
            raise Unavailable(
                tr("{camera} gave no frame before the deadline.", camera=self.name)
            ) from None

    async def _asked(self, request: CaptureRequest) -> FromCamera:
        if self._child is None or self._child.wire.lost.done():
            raise WorkerLost(tr("The process of {camera} is not running.", camera=self.name))
        wire = self._child.wire
        number = self._next_number()
        self._owed = wire.expect(number)
        wire.send(Capture(number=number, request=request))
        return await asyncio.shield(self._owed)

    def _frame(self, answer: FromCamera) -> Frame:
        if isinstance(answer, Failed):
            raise error_from(answer)
        if not isinstance(answer, Captured):
            raise InternalError(f"camera {self.name} answered with {type(answer).__name__}")
        try:
            if answer.region_size > self._region.size:
                self._region.attach(answer.region_size)
            pixels = frame_at(self._region, answer.slot).copy()  # the next one overwrites it
        except (ValueError, OSError) as error:  # it says what is not there
            raise InternalError(f"camera {self.name}: {error}") from error
        pixels.flags.writeable = False
        return Frame(answer.ref, pixels)

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    # --- its process ---

    async def _start(self) -> None:
        child = self._child = await Child.start(
            self.name,
            "millhand.isolate.camera_process",
            self._region,
            decode=decode_from_camera,
            loopback=self._loopback,
        )
        message = await child.opened(OpenCamera(camera=self._spec), _START_S)
        await asyncio.to_thread(warm_up)
        self._link.epoch += 1
        self._heard(message)

    async def _stop(self) -> int | None:
        """End the process. Returns how it ended, None where there was none."""
        child, self._child = self._child, None
        return None if child is None else await child.end(_CLOSE_S)

    async def _keep(self) -> None:
        """Watch the process, and start it again when it has ended, for ever."""
        attempt = 0
        while True:
            up_at = monotonic()
            if self._child is not None:
                await self._until_lost(self._child)
                code = await self._stop()
                self._link.set(Link.DOWN, _how_it_ended(code))
            attempt = 0 if monotonic() - up_at > _SETTLED_S else attempt + 1
            longest_s = min(_LONGEST_PAUSE_S, _PAUSE_S * 2 ** min(attempt, 10))
            await asyncio.sleep(random.uniform(0.5, 1.0) * longest_s)  # noqa: S311  no secret
            try:
                await self._start()
            except MillhandError as error:
                await self._stop()
                self._link.set(Link.DOWN, error.message, mend=error.mend)

    async def _until_lost(self, child: Child[FromCamera]) -> None:
        """Ask how the camera is again and again; return when its process is gone or ended."""
        wire = child.wire
        while not wire.lost.done():
            number = self._next_number()
            answer = wire.expect(number)
            wire.send(Look(number=number))
            done, _ = await asyncio.wait([answer], timeout=self._hung_s)
            if not done:
                log.warning("camera_process_hangs", device=self.name, seconds=self._hung_s)
                child.process.kill()
                await wire.lost
            elif answer.exception() is None:
                self._heard(answer.result())
            await asyncio.wait([wire.lost], timeout=_LOOK_EVERY_S)

    def _heard(self, message: FromCamera) -> None:
        if isinstance(message, Looked):
            health = message.health
            self._link.set(health.link, health.detail, health.fault, health.mend)


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return tr("Its process was ended by {signal}.", signal=name)
    return tr("Its process ended with code {code}.", code=code)


def plain(value: Any) -> Any:
    """Return options as messages can carry them: secrets in the clear, for a private socket."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
