"""PackML states and the ways a part can take, by the numbers that a PLC holds."""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """The PackML states that this cell uses (ISA-TR88.00.02)."""

    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    EXECUTE = 6
    STOPPING = 7
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    RESETTING = 15


class Request(IntEnum):
    """What Millhand may ask of the machine; the PLC decides."""

    NOTHING = 0
    HOLD = 1
    STOP = 2


class Way(IntEnum):
    """Where the gate sends a part."""

    NONE = 0
    PASS = 1
    REJECT = 2
    DIVERT = 3


class Fault(IntEnum):
    """Why the program stopped the conveyor by itself."""

    NONE = 0
    REGISTER_FULL = 1
    """More parts between camera and gate than can be tracked: the gate misses them."""
    NOT_CONFIRMED = 2
    """The gate acted, and its sensor saw nothing in time."""
    WRONG_WAY = 3
    """The sensor saw the part take another way than the one commanded."""
    GATE_OCCUPIED = 4
    """A part reached the gate before the one ahead of it had left."""
    UNTRACKED = 5
    """A part at the gate that never passed the camera."""


ACTING = {
    State.CLEARING: State.STOPPED,
    State.RESETTING: State.IDLE,
    State.IDLE: State.STARTING,
    State.STARTING: State.EXECUTE,
    State.STOPPING: State.STOPPED,
    State.HOLDING: State.HELD,
    State.UNHOLDING: State.EXECUTE,
}
"""States that last one scan, and the state after each."""
