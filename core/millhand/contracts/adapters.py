"""The faces an adapter shows: Tags, Camera, Robot, Records, Accelerator.

An adapter is a class built as ``AdapterClass(name, config)`` (``Tags`` adapters:
``AdapterClass(name, config, tags)``) and used as an async context manager and nothing else:
entering returns when it is *ready* to be asked (not necessarily connected: a device that is
away is reported by ``health`` and by samples, and comes back by itself), leaving works even
when cancelled and leaves no task, socket or thread. One adapter may wear several faces.
``Accelerator`` is the exception: synchronous, and it lives in the agent's worker process.

Every value that crosses a face is serialisable, so that an adapter may run in a process of its own.
Errors: :class:`~millhand.errors.Unavailable` (may be retried for reads and connects),
:class:`~millhand.errors.NeedsPerson` (certificate, credentials, configuration); anything else
is a bug in the adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from msgspec import Struct

from millhand.contracts.command import Permit, WriteResult
from millhand.contracts.frames import DocumentRef, Frame
from millhand.contracts.samples import Sample, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydantic import BaseModel

    from millhand.models.manifest import Manifest


class Link(StrEnum):
    """State of the connection to a device."""

    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"
    """Away; the adapter keeps trying with jittered back-off of at most 5 s."""
    REFUSED = "refused"
    """The device answers and says no (credentials, certificate, policy): a person must act."""


class ConnectionFault(StrEnum):
    """What stands between us and a device: four classes, each with a mend of its own kind."""

    NETWORK = "network"
    """Nobody answers there: address, cable, firewall, or the device is off. Retried for ever."""
    SECURITY = "security"
    """Certificates or the protection of the connection: one side does not trust the other."""
    CREDENTIALS = "credentials"
    """It knows the way and the protection, not the user or the password."""
    CONFIGURATION = "configuration"
    """It answers, but not as the scenario says: another protocol, no such namespace or stream."""


class Health(Struct, frozen=True, kw_only=True):
    """How a device is, as its adapter sees it."""

    link: Link
    epoch: int = 0
    """Counts the sessions; 0 before the first."""
    detail: str = ""
    """What was met, in words for a person; no secret in it."""
    since_monotonic_ns: int = 0
    fault: ConnectionFault | None = None
    """Which kind of fault keeps the link from being up; None while it is up or not yet known."""
    mend: str = ""
    """What a person can do about it."""

    @property
    def words(self) -> str:
        """What was met and what can be done about it, in one text."""
        return f"{self.detail} {self.mend}".strip()


class TagInfo(Struct, frozen=True, kw_only=True):
    """A tag found by browsing: enough to write a ``tags:`` line."""

    address: str
    type: str
    writable: bool
    description: str = ""
    unit: str = ""


class Discovery(Struct, frozen=True, kw_only=True):
    """What a device offers, as ``millhand discover`` prints it."""

    options: dict[str, str] = {}
    """Keys of the device that the addresses count on (``namespace``)."""
    tags: tuple[TagInfo, ...] = ()


@runtime_checkable
class Discovers(Protocol):
    """An adapter that can say more of a device than :meth:`Tags.browse` does. Optional."""

    async def discover(self) -> Discovery:
        """List what the device offers, with the shortest addresses that work."""
        ...


class Adapter(Protocol):
    """What all async adapters share."""

    Config: ClassVar[type[BaseModel]]

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def health(self) -> Health:
        """Say how the link is, at once and without I/O."""
        ...


@runtime_checkable
class Tags(Protocol):
    """Named values in a controller. Built as ``AdapterClass(name, config, tags)``.

    ``tags`` maps the scenario's tag names to validated ``AdapterClass.Tag`` models. A trigger,
    channel or lease record arrives as ordinary tags named ``<record>.<field>``
    (``trigger.part_id``); the handshake over them is the engine's.
    """

    Config: ClassVar[type[BaseModel]]
    Tag: ClassVar[type[BaseModel]]
    """Address and type of one tag; must also validate from a bare string."""

    def health(self) -> Health: ...

    async def browse(self) -> Sequence[TagInfo]:
        """List what the device offers. May take seconds; for people, not for running."""
        ...

    async def read(self, tags: Sequence[str]) -> Sequence[Sample]:
        """Read tags in one request, in order; one Sample for each, whatever its quality.

        Never raises for a lost link: samples then have quality ``DISCONNECTED``. A tag that the
        device does not know yields ``BAD`` for itself alone. Bounded by the adapter's time-out.
        """
        ...

    async def write(self, permit: Permit) -> WriteResult:
        """Redeem ``permit`` and send its writes in order, the last one only after the others.

        Values are range-checked and coerced to the device's type before anything is sent;
        what does not fit ends as ``REJECTED``. Never retried. A time-out is ``UNKNOWN``.
        Cancellation before sending ends as ``NOT_SENT``, after it the result is lost to the caller.
        """
        ...

    def subscribe(self, tags: Sequence[str], interval_s: float) -> AsyncIterator[Sequence[Sample]]:
        """Yield the samples that changed, together as they were seen; the first yield is all.

        ``interval_s`` is how stale a change may be seen. Where the server's publishing interval
        is slower, the adapter polls. On a lost link one batch of ``DISCONNECTED`` samples is
        yielded; after the return all tags again, with ``initial`` and ``gap`` set and a new epoch.
        """
        ...

    def effective_interval_s(self, interval_s: float) -> float:
        """Say how stale a change can really be when ``interval_s`` was asked for."""
        ...


class CaptureRequest(Struct, frozen=True, kw_only=True):
    """Ask a camera for the picture of the part in front of it."""

    trigger_seq: int
    part_id: str
    product: str | None = None
    deadline_monotonic_ns: int


@runtime_checkable
class Camera(Protocol):
    """A source of frames."""

    Config: ClassVar[type[BaseModel]]

    def health(self) -> Health: ...

    async def capture(self, request: CaptureRequest) -> Frame:
        """Expose now and return the frame, pixels attached, joined by ``trigger_seq``.

        Raises:
            Unavailable: no frame before the deadline, or the camera is away.
        """
        ...


class SkillInfo(Struct, frozen=True, kw_only=True):
    """A skill that a robot offers; ``goal_schema`` is the JSON Schema of its goal."""

    name: str
    description: str
    goal_schema: dict[str, Any] = {}


class SkillStatus(StrEnum):
    """How a skill ended; ``status`` of the last :class:`SkillProgress`."""

    SUCCEEDED = "succeeded"
    """It was done, as the robot itself reports."""
    REJECTED = "rejected"
    """It was not begun: unknown skill, goal out of its schema or reach, busy, not ready."""
    EXPIRED = "expired"
    """The deadline passed; the robot was brought to a halt."""
    CANCELLED = "cancelled"
    """Ended in an orderly manner, because :meth:`Robot.cancel` asked for it."""
    STOPPED = "stopped"
    """Halted by :meth:`Robot.stop`, or by the robot's own protection."""
    FAILED = "failed"
    """Begun, and not done: ``detail`` says what was in the way."""
    UNKNOWN = "unknown"
    """The link was lost under way; how it ended is not known. Never begun again by itself."""


class SkillProgress(Struct, frozen=True, kw_only=True):
    """How far a skill is. The last one has ``done`` set and says how it ended."""

    fraction: float
    """0 to 1, never falling."""
    done: bool = False
    status: str = ""
    """A :class:`SkillStatus` where ``done``; before, whatever helps a person."""
    detail: str = ""


@runtime_checkable
class Robot(Protocol):
    """Something that moves."""

    Config: ClassVar[type[BaseModel]]

    def health(self) -> Health: ...
    def skills(self) -> Sequence[SkillInfo]: ...

    def perform(
        self, permit: Permit, skill: str, goal: Mapping[str, Value], deadline_monotonic_ns: int
    ) -> AsyncIterator[SkillProgress]:
        """Redeem the permit and perform; yields progress until done, the last with its status.

        The permit's write is named ``skill.<name>``. What cannot be begun ends as ``REJECTED``
        before the permit is redeemed. One skill at a time. Closing the iterator, or cancelling
        the task that reads it, halts the robot.

        Raises:
            NotAllowed: the permit could not be redeemed; nothing moved.
        """
        ...

    async def cancel(self) -> None:
        """End the skill under way in an orderly manner; returns when it has ended."""
        ...

    async def stop(self) -> None:
        """Stop moving, now. Needs no permit and always works: idle, twice, away, while closing.

        Never raises for a device that cannot be reached: such a robot halts by itself, because its
        controller misses us.
        """
        ...


@runtime_checkable
class Records(Protocol):
    """Documents and messages in, drafts out."""

    Config: ClassVar[type[BaseModel]]

    def health(self) -> Health: ...

    def receive(self) -> AsyncIterator[tuple[DocumentRef, bytes]]:
        """Yield documents as they arrive, each once; acknowledged when the next is asked for."""
        ...

    async def deliver(
        self, permit: Permit, kind: str, body: Mapping[str, Value], idempotency_key: str
    ) -> WriteResult:
        """Redeem the permit and deliver a draft; the same key has one effect at the receiver."""
        ...


class Used(Struct, frozen=True, kw_only=True):
    """What a session really runs on, as the run time reports it."""

    provider: str
    device: str
    precision: str
    threads: int
    runtime: str
    """Library and version."""


class Session(Protocol):
    """A model loaded onto an accelerator."""

    @property
    def used(self) -> Used: ...

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Run one batch; names, shapes and dtypes as in the manifest."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Accelerator(Protocol):
    """Something that runs models. Built as ``AdapterClass(name, config)``, in the worker."""

    Config: ClassVar[type[BaseModel]]

    def load(self, graph: Path, manifest: Manifest) -> Session:
        """Load one graph file of a verified package.

        Raises:
            NotAllowed: the run time would fall back to a device that the configuration does
                not allow; no fall-back is silent.
            PackageError: the graph is damaged, or needs an opset or operator that is not there.
        """
        ...

    def close(self) -> None: ...
