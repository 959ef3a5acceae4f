"""The tags of the PLC: those of the handshake, its counters, and the simulation's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from millhand.contracts.command import AnswerCode
from millhand_simulated.plc.faults import FaultTag
from millhand_simulated.plc.logic import ANSWERS

NAMESPACE = "urn:millhand:simulated"

Kind = Literal["DINT", "STRING", "BOOL", "LREAL"]


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: its path is the string node id, dots are folders."""

    path: str
    kind: Kind
    length: int = 0
    """Elements of an array; 0 for a single value."""
    writable: bool = False


HANDSHAKE = (
    Tag("Cell.Tick", "DINT"),
    Tag("Cell.PackML.State", "DINT"),
    Tag("Cell.Product", "STRING"),
    Tag("Cell.Trigger.Seq", "DINT"),
    Tag("Cell.Trigger.PartId", "STRING"),
    Tag("Cell.Trigger.Product", "STRING"),
    Tag("Cell.Trigger.Tick", "DINT"),
    Tag("Cell.Command.PartId", "STRING", writable=True),
    Tag("Cell.Command.Result", "DINT", writable=True),
    Tag("Cell.Command.ValidUntil", "DINT", writable=True),
    Tag("Cell.Command.Id", "DINT", writable=True),
    Tag("Cell.Answers.CommandId", "DINT", ANSWERS),
    Tag("Cell.Answers.PartId", "STRING", ANSWERS),
    Tag("Cell.Answers.Code", "DINT", ANSWERS),
    Tag("Cell.Answers.Tick", "DINT", ANSWERS),
    Tag("Cell.Answers.Count", "DINT"),
    Tag("Cell.Lease.Counter", "DINT", writable=True),
    Tag("Cell.Lease.Ready", "BOOL", writable=True),
    Tag("Cell.Lease.InControl", "BOOL", writable=True),
    Tag("Cell.Machine.Request", "DINT", writable=True),
)
"""The records of the handshake, as every PLC has them."""

ANSWER_COUNTERS = {
    code: f"Cell.Counters.{code.name.title().replace('_', '')}"
    for code in AnswerCode
    if code is not AnswerCode.EMPTY
}
"""Where the PLC counts each answer."""

COUNTERS = (
    Tag("Cell.Counters.Triggers", "DINT"),
    Tag("Cell.Counters.Pass", "DINT"),
    Tag("Cell.Counters.Reject", "DINT"),
    Tag("Cell.Counters.Divert", "DINT"),
    Tag("Cell.Counters.InFlight", "DINT"),
    *(Tag(path, "DINT") for path in ANSWER_COUNTERS.values()),
    Tag("Cell.Machine.Fault", "DINT"),
    Tag("Cell.Lease.Live", "BOOL"),
)
"""The program's own books and state, for people and for scoring."""

SIMULATION = (
    Tag("Sim.Run", "BOOL", writable=True),
    Tag("Sim.Start", "BOOL", writable=True),
    Tag("Sim.Reset", "BOOL", writable=True),
    Tag("Sim.PartsTotal", "DINT"),
    Tag("Sim.PartsFed", "DINT"),
    Tag("Sim.Finished", "BOOL"),
    Tag("Sim.Speed", "LREAL"),
    Tag("Sim.ScanMs", "LREAL"),
    Tag("Sim.LateScans", "DINT"),
    Tag("Sim.ScanCostMs", "LREAL"),
)
"""Buttons and gauges of the simulation."""

GAUGE = (
    Tag("Gauge.Bore", "LREAL"),
    Tag("Gauge.PartId", "STRING"),
    Tag("Gauge.Product", "STRING"),
    Tag("Gauge.Count", "DINT"),
)
"""The gauge's last value, whose it is, and the count of values, which is written last."""

FAULTS = tuple(Tag(f"Fault.{fault}", "BOOL", writable=True) for fault in FaultTag)
"""Faults to put in; a person or a test sets them."""

ALL = (*HANDSHAKE, *COUNTERS, *GAUGE, *SIMULATION, *FAULTS)
