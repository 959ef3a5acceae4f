"""Faults that can be put into the cell by a tag or by a schedule."""

from __future__ import annotations

from enum import StrEnum


class FaultTag(StrEnum):
    """Name of a fault, and of its tag under ``Fault.``."""

    E_STOP = "EStop"
    """The emergency stop is pressed, until false."""
    DROP_TRIGGER = "DropTrigger"
    """The next part's trigger is never shown; the sequence number then jumps."""
    DUPLICATE_TRIGGER = "DuplicateTrigger"
    """The next part comes a second time, with the same id."""
    UNKNOWN_PRODUCT = "UnknownProduct"
    """The PLC names a product that nobody knows for the next part."""
    WRONG_WAY = "WrongWay"
    """The next part at the gate takes another way than the gate points."""
    SENSOR_STUCK = "SensorStuck"
    """The gate's sensors see nothing, until false."""
    FREEZE_ANSWERS = "FreezeAnswers"
    """The ring of answers is not shown, until false."""
    FREEZE_SCAN = "FreezeScan"
    """The PLC's task stands still while its server goes on answering, until false."""


ONCE = frozenset(
    {
        FaultTag.DROP_TRIGGER,
        FaultTag.DUPLICATE_TRIGGER,
        FaultTag.UNKNOWN_PRODUCT,
        FaultTag.WRONG_WAY,
    }
)
"""Faults that strike one part and then reset their tag."""

UNKNOWN_PRODUCT = "unlisted"
"""The product that the PLC names under that fault."""
