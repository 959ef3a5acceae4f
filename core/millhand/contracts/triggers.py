"""What sets an agent to work."""

from __future__ import annotations

from msgspec import Struct

from millhand.contracts.events import Event
from millhand.contracts.frames import DocumentRef
from millhand.contracts.samples import Sample


class PartTrigger(Struct, frozen=True, kw_only=True, tag="part"):
    """A part lies before the camera: one consistent snapshot of the PLC's trigger record.

    The sequence number was read before and after the other fields and was the same. Deadlines
    are counted from ``detected_monotonic_ns`` less the worst polling delay.
    """

    source: str
    """Device and trigger in the scenario: ``plc.trigger``."""
    trigger_seq: int
    part_id: str
    product: str | None = None
    plc_tick: int
    detected_utc_ns: int
    detected_monotonic_ns: int
    poll_delay_ns: int = 0
    """The longest time that the trigger can have stood before it was seen."""
    epoch: int = 0
    missed: int = 0
    """Triggers between the one before and this one that were never seen."""


class TagEdge(Struct, frozen=True, kw_only=True, tag="edge"):
    """A tag changed. The first value after (re)connecting is no edge."""

    source: str
    before: Sample | None
    now: Sample


class TimerTick(Struct, frozen=True, kw_only=True, tag="timer"):
    """A period has passed."""

    source: str
    count: int
    due_utc_ns: int
    due_monotonic_ns: int


class DocumentArrived(Struct, frozen=True, kw_only=True, tag="document"):
    """A document was received and lies in the blob store."""

    source: str
    document: DocumentRef


class EventArrived(Struct, frozen=True, kw_only=True, tag="event"):
    """Another agent said something."""

    source: str
    event: Event
    entry_seq: int
    """Place in the journal, so that the consumer's cursor commits with its decision."""


Trigger = PartTrigger | TagEdge | TimerTick | DocumentArrived | EventArrived
