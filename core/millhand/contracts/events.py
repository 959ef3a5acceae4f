"""Events between agents: small, versioned, carrying the mode of their producer.

Two plugins never import each other; they meet here. A body's tag ends with its version
(``nonconformance/1``): a change that old readers cannot bear is a new body with a new version.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from millhand.contracts.modes import Mode


class PackMLState(StrEnum):
    """Unit/machine states of PackML (ANSI/ISA-TR88.00.02)."""

    CLEARING = "clearing"
    STOPPED = "stopped"
    STARTING = "starting"
    IDLE = "idle"
    SUSPENDED = "suspended"
    EXECUTE = "execute"
    STOPPING = "stopping"
    ABORTING = "aborting"
    ABORTED = "aborted"
    HOLDING = "holding"
    HELD = "held"
    UNHOLDING = "unholding"
    SUSPENDING = "suspending"
    UNSUSPENDING = "unsuspending"
    RESETTING = "resetting"
    COMPLETING = "completing"
    COMPLETE = "complete"


class Nonconformance(Struct, frozen=True, kw_only=True, tag="nonconformance/1"):
    """A part, or a run of parts, does not meet its requirement (what an NCR starts from)."""

    part_id: str
    product: str | None = None
    lot: str | None = None
    characteristic: str
    """What is wrong, as the producer names it: ``surface``, ``diameter``."""
    measured: float | None = None
    limit: float | None = None
    evidence: tuple[str, ...] = ()
    """Hashes of pictures or documents in the blob store."""
    note: str = ""


class Hold(Struct, frozen=True, kw_only=True, tag="hold/1"):
    """A lot or machine must not go on until released."""

    subject: str
    reason: str
    part_ids: tuple[str, ...] = ()


class Release(Struct, frozen=True, kw_only=True, tag="release/1"):
    """A hold is lifted."""

    subject: str
    reason: str = ""


class MachineState(Struct, frozen=True, kw_only=True, tag="machine_state/1"):
    """A machine changed its PackML state."""

    machine: str
    state: PackMLState
    reason: str = ""


class CustomEvent(Struct, frozen=True, kw_only=True, tag="custom/1"):
    """An event of a third party; ``name`` is prefixed with its plugin (``acme.tool_worn``)."""

    name: str
    version: int = 1
    data: dict[str, None | bool | int | float | str] = {}


EventBody = Nonconformance | Hold | Release | MachineState | CustomEvent


class Event(Struct, frozen=True, kw_only=True):
    """An event on the bus. A consumer never acts above the producer's ``mode``."""

    id: str
    producer: str
    mode: Mode
    at_utc_ns: int
    cause: str = ""
    """The decision that brought it about."""
    body: EventBody
