"""Commands, answers and results: the handshake with a PLC, and permits to write.

The PLC side of the handshake is specified in ``docs/reference/plc-handshake.md`` and shipped as
structured text in ``hardware_adapters/simulated``.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Protocol

from msgspec import Struct

from millhand.contracts.decision import Disposition
from millhand.contracts.samples import Value

COMMAND_ID_LIMIT = 2**31
"""Command ids run from 1 to this less one, so that they fit a PLC's DINT; then they wrap to 1."""

RESULT_CODES: dict[Disposition, int] = {
    Disposition.PASS: 1,
    Disposition.REJECT: 2,
    Disposition.DIVERT: 3,
    Disposition.PASS_FLAGGED: 4,
}
"""How a disposition is written into the command record."""


class WriteStatus(StrEnum):
    """How a write ended. A time-out is ``UNKNOWN``: it may still be carried out later."""

    APPLIED = "applied"
    """Confirmed by echo, read-back or sensor."""
    SENT = "sent"
    """Accepted by the peer's protocol stack; no confirmation asked or had."""
    REJECTED = "rejected"
    """The peer said no; nothing was changed."""
    NOT_SENT = "not_sent"
    """Nothing left this machine."""
    UNKNOWN = "unknown"
    """It left, no answer came. Never sent again by itself."""


class WriteResult(Struct, frozen=True, kw_only=True):
    """The end of one write."""

    status: WriteStatus
    status_code: int = 0
    detail: str = ""
    sent: tuple[Value, ...] = ()
    """The values as they really went out, after coercion and limits."""
    finished_monotonic_ns: int = 0


class AnswerCode(IntEnum):
    """What the PLC made of a command, as it stands in the ring of answers."""

    EMPTY = 0
    ACCEPTED = 1
    REFUSED_STATE = 2
    """The machine is not in a state that takes commands."""
    REFUSED_LEASE = 3
    """The lease has lapsed or the agent is not in control."""
    REFUSED_PART = 4
    """The part is not between camera and gate, or has an answer already."""
    REFUSED_VALUE = 5
    """Result code out of range."""
    EXPIRED = 6
    """``valid_until`` has passed."""
    EXECUTED = 7
    """The gate's sensor saw the part take the way commanded."""
    DEFAULTED = 8
    """The part reached the gate without a valid result and took its default."""
    BYPASSED = 9
    """The part passed uninspected, because the agent was not in control and said so."""

    @property
    def refused(self) -> bool:
        """Whether the command had no effect."""
        return AnswerCode.REFUSED_STATE <= self <= AnswerCode.EXPIRED


class Command(Struct, frozen=True, kw_only=True):
    """One command record for a part; ``id`` is written last."""

    id: int
    part_id: str
    result: int
    valid_until: int
    """PLC tick after which the PLC must refuse it, counted from the trigger's tick."""


class Answer(Struct, frozen=True, kw_only=True):
    """One of the PLC's last answers. ``command_id`` is 0 for a part that got no command."""

    command_id: int
    part_id: str
    code: AnswerCode
    plc_tick: int


class Write(Struct, frozen=True, kw_only=True):
    """One value for one tag of a device."""

    tag: str
    value: Value


class Permit(Protocol):
    """The guard's leave to write exactly ``writes``, once, before it expires.

    Only the guard makes permits. An adapter calls :meth:`redeem` immediately before the first
    byte leaves and writes nothing when it raises.
    """

    @property
    def device(self) -> str: ...
    @property
    def writes(self) -> tuple[Write, ...]: ...

    def redeem(self, device: str) -> tuple[Write, ...]:
        """Spend the permit and return the writes, to be sent in order, the last one last.

        Raises:
            NotAllowed: expired, already spent, forged, or made out to another device.
        """
        ...
