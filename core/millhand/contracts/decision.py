"""What an agent answers: verdict, actions wanted, events, an explanation to look at."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from millhand.contracts.events import EventBody
from millhand.contracts.observation import Memory
from millhand.contracts.samples import Value


class Verdict(StrEnum):
    """Result of an inspection (OPC UA for Machine Vision, Part 1)."""

    OK = "ok"
    NOT_OK = "not_ok"
    NOT_DECIDABLE = "not_decidable"


class Disposition(StrEnum):
    """What happens to the part."""

    PASS = "pass"  # noqa: S105  no password
    REJECT = "reject"
    DIVERT = "divert"
    PASS_FLAGGED = "pass_flagged"  # noqa: S105


class MachineAction(StrEnum):
    """What happens to the machine when an agent cannot do its work (jidoka)."""

    NONE = "none"
    HOLD = "hold"
    STOP = "stop"


# --- actions: a typed union. ``to`` is the role under ``may:``; the engine resolves it. ---


class WriteTag(Struct, frozen=True, kw_only=True, tag="write_tag"):
    """Write one value to the tag behind the role ``to``."""

    to: str
    value: Value


class SendDisposition(Struct, frozen=True, kw_only=True, tag="send_disposition"):
    """Tell the PLC what to do with a part.

    The engine makes this one itself from the verdict, for every triggered part, so that no
    part goes without; an agent need not (and for its trigger's part cannot) ask for it.
    """

    to: str
    part_id: str
    verdict: Verdict
    disposition: Disposition


class PerformSkill(Struct, frozen=True, kw_only=True, tag="perform_skill"):
    """Ask a robot or vehicle to do something it knows."""

    to: str
    skill: str
    goal: dict[str, Value] = {}


class DeliverRecord(Struct, frozen=True, kw_only=True, tag="deliver_record"):
    """Hand a draft to another system; the same ``idempotency_key`` is delivered once."""

    to: str
    kind: str
    body: dict[str, Value] = {}
    idempotency_key: str


class Propose(Struct, frozen=True, kw_only=True, tag="propose"):
    """Ask a person. Approval carries out ``action``, if any, through the guard."""

    question: str
    action: WriteTag | PerformSkill | DeliverRecord | None = None
    tainted: bool = False
    """Touched by text from outside; can never ask for a hardware write."""


Action = WriteTag | SendDisposition | PerformSkill | DeliverRecord | Propose


# --- explanations: something a person can look at ---


class HeatMap(Struct, frozen=True, kw_only=True, tag="heat_map"):
    """Where in a frame the trouble is: ``values`` is ``(rows, columns) uint8``, row by row.

    0 is nothing, ``at_threshold`` is the value at which a cell alone would reject.
    """

    frame: str
    rows: int
    columns: int
    values: bytes
    at_threshold: int


class Highlight(Struct, frozen=True, kw_only=True, tag="highlight"):
    """Named values with what was made of them: measured, limit, note."""

    fields: dict[str, Value]


class Gantt(Struct, frozen=True, kw_only=True, tag="gantt"):
    """Bars on resources; times in seconds from ``origin_utc_ns``."""

    origin_utc_ns: int
    bars: tuple[tuple[str, str, float, float], ...]
    """Resource, label, start, end."""


class ControlPoint(Struct, frozen=True, kw_only=True, tag="control_point"):
    """A point on a control chart with the limits that it was held against.

    The points of one ``chart``, decision by decision, make the chart.
    """

    chart: str
    """What is charted, for a person; the same for all points of the chart."""
    unit: str = ""
    value: float
    centre: float
    lower: float
    upper: float
    broken: tuple[str, ...] = ()
    """Tests for special causes that the point met, in words; none: in control."""


Explanation = HeatMap | Highlight | Gantt | ControlPoint


class Decision(Struct, frozen=True, kw_only=True):
    """An agent's answer to one Observation."""

    verdict: Verdict | None = None
    confidence: float | None = None
    """Calibrated probability that the verdict is right, 0 to 1, or None where unknown."""
    reason: str = ""
    """One line for a person."""
    scores: dict[str, float] = {}
    actions: tuple[Action, ...] = ()
    events: tuple[EventBody, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    memory: Memory | None = None
    """The new memory; None leaves it as it was."""
    models: dict[str, str] = {}
    """Role to package id of what was really used."""
