"""What the engine and a worker say to each other: length-prefixed msgpack, one struct a message."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from msgspec import Raw, Struct

from millhand.contracts import CaptureRequest, Decision, FrameRef, Health, Needs, Used
from millhand.contracts.codec import Buffer, from_msgpack, to_msgpack

LENGTH = struct.Struct("<I")
LARGEST_MESSAGE = 64 * 2**20


class ModelSpec(Struct, frozen=True, kw_only=True):
    """A package to open: which role, for which product (None for any), where it lies.

    An empty role stands for the only one that the agent has.
    """

    role: str
    product: str | None
    folder: str
    precision: str | None = None


class AcceleratorSpec(Struct, frozen=True, kw_only=True):
    """An accelerator to build in the worker: import path of its class and its configuration."""

    name: str
    target: str
    config: dict[str, Any]


class AgentSpec(Struct, frozen=True, kw_only=True):
    """An agent to build in the worker."""

    name: str
    target: str
    config: dict[str, Any]
    folder: str = ""
    """The scenario's; relative paths of the configuration count from it."""
    models: tuple[ModelSpec, ...] = ()
    accelerators: tuple[AcceleratorSpec, ...] = ()
    """The ladder, best first."""
    trusted_keys: tuple[bytes, ...] = ()
    """Public keys in PEM; with any, packages that none of their owners signed are refused."""


class FrameSlot(Struct, frozen=True, kw_only=True):
    """Where in the shared region a frame's pixels lie."""

    role: str
    offset: int
    height: int
    width: int
    channels: int


class DocumentSlot(Struct, frozen=True, kw_only=True):
    """Where in the shared region a document's bytes lie."""

    role: str
    offset: int
    size: int


# --- engine to worker ---


class Open(Struct, frozen=True, kw_only=True, tag="open"):
    """The first message: build these agents and open their models."""

    agents: tuple[AgentSpec, ...]


class Decide(Struct, frozen=True, kw_only=True, tag="decide"):
    """Decide one observation; pixels and documents lie in the shared region of ``region_size``."""

    number: int
    agent: str
    observation: Raw
    frames: tuple[FrameSlot, ...] = ()
    documents: tuple[DocumentSlot, ...] = ()
    region_size: int = 0
    left_s: float | None = None
    """Seconds left until the deadline when it was asked."""


class Close(Struct, frozen=True, kw_only=True, tag="close"):
    """Close the models and end."""


ToWorker = Open | Decide | Close


# --- worker to engine ---


class OpenedAgent(Struct, frozen=True, kw_only=True):
    """What was opened for one agent: package ids by ``role`` or ``role.product``, and on what."""

    name: str
    needs: Needs
    packages: dict[str, str] = {}
    used: dict[str, Used] = {}
    choices: dict[str, str] = {}
    """Why that accelerator and precision, where there was a choice."""


class Opened(Struct, frozen=True, kw_only=True, tag="opened"):
    """All agents are ready to decide."""

    agents: tuple[OpenedAgent, ...]


class Rung(Struct, frozen=True, kw_only=True):
    """An accelerator of a ladder failed, or is back."""

    agent: str
    accelerator: str
    up: bool
    text: str


class Decided(Struct, frozen=True, kw_only=True, tag="decided"):
    """The answer, with the nanoseconds spent in ``decide``."""

    number: int
    decision: Decision
    decide_ns: int
    rungs: tuple[Rung, ...] = ()
    """What became of accelerators since the last answer."""


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """Something went wrong; ``number`` is 0 while opening.

    ``kind`` is the error's class name, so that the engine can tell what a person must mend
    (``PackageError``) from a bug in the agent.
    """

    number: int
    agent: str
    kind: str
    text: str
    mend: str = ""
    fault: str = ""
    rungs: tuple[Rung, ...] = ()


FromWorker = Opened | Decided | Failed

decode_to_worker: Callable[[Buffer], ToWorker] = from_msgpack(ToWorker)
decode_from_worker: Callable[[Buffer], FromWorker] = from_msgpack(FromWorker)


# --- engine to a camera's process, and back ---


class CameraSpec(Struct, frozen=True, kw_only=True):
    """A camera's adapter to build in its own process."""

    name: str
    target: str
    options: dict[str, Any]
    """As the scenario has them, secrets read: they cross a private socket, never a command line."""
    folder: str = ""
    """The scenario's; relative paths of the options count from it."""


class OpenCamera(Struct, frozen=True, kw_only=True, tag="open_camera"):
    """The first message: build this adapter and enter it."""

    camera: CameraSpec


class Capture(Struct, frozen=True, kw_only=True, tag="capture"):
    """Take a picture; its pixels are to be put at the beginning of the shared region."""

    number: int
    request: CaptureRequest


class Look(Struct, frozen=True, kw_only=True, tag="look"):
    """Say how the camera is; who does not answer hangs."""

    number: int


class Looked(Struct, frozen=True, kw_only=True, tag="looked"):
    """How the camera is. Number 0 says that it was entered."""

    number: int
    health: Health


class Captured(Struct, frozen=True, kw_only=True, tag="captured"):
    """A picture; its pixels lie in the shared region of ``region_size``."""

    number: int
    ref: FrameRef
    slot: FrameSlot
    region_size: int


ToCamera = OpenCamera | Capture | Look | Close
FromCamera = Looked | Captured | Failed

decode_to_camera: Callable[[Buffer], ToCamera] = from_msgpack(ToCamera)
decode_from_camera: Callable[[Buffer], FromCamera] = from_msgpack(FromCamera)


def framed(message: object) -> bytes:
    """Encode a message with its length in front."""
    body = to_msgpack(message)
    return LENGTH.pack(len(body)) + body
