"""Values read from the plant: a sample with its quality and its clocks."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

Value = None | bool | int | float | str | list[None | bool | int | float | str]
"""What a tag may hold: a scalar, or a list of scalars for arrays. Byte strings are base64."""


class Quality(StrEnum):
    """How far a value may be trusted (OPC UA Part 8; ``STALE`` and ``DISCONNECTED`` are ours)."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"
    STALE = "stale"
    DISCONNECTED = "disconnected"


class Sample(Struct, frozen=True, kw_only=True):
    """One value of one tag at one moment.

    ``tag`` is the name in the scenario without the device (``state``), except inside an
    Observation, where the key says the role. ``status`` is the protocol's raw status code.
    Times in nanoseconds, each naming its clock; source and server time are optional,
    because many servers do not give them.
    """

    tag: str
    value: Value = None
    quality: Quality
    status: int = 0
    note: str = ""
    """What the adapter has to add: ``nan``, ``inf`` or ``-inf`` for a float that is not finite (its
    value is then None and its quality BAD, so that no comparison can be fooled)."""
    source_utc_ns: int | None = None
    server_utc_ns: int | None = None
    received_utc_ns: int
    received_monotonic_ns: int
    unchanged_monotonic_ns: int | None = None
    """When a polled tag was last seen as it was before: the change came after that."""
    initial: bool = False
    """First value after subscribing: old news, never an edge."""
    gap: bool = False
    """Samples before this one were lost (reconnect or overflow)."""
    epoch: int = 0
    """Counts the sessions with the device; it changes at every reconnect."""

    @property
    def good(self) -> bool:
        """Whether the value may be used for a decision without further thought."""
        return self.quality is Quality.GOOD
