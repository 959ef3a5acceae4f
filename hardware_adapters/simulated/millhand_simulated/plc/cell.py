"""The whole cell in one tick: program, conveyor, operator and faults, without any I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from millhand_simulated.plc.config import CellConfig
from millhand_simulated.plc.conveyor import Conveyor, Operator, Sensors
from millhand_simulated.plc.faults import ONCE, UNKNOWN_PRODUCT, FaultTag
from millhand_simulated.plc.line import LinePart
from millhand_simulated.plc.logic import Inputs, Outputs, Program


@dataclass(slots=True)
class Wishes:
    """What clients have written, as it stands at the start of a scan."""

    command_part_id: str = ""
    command_result: int = 0
    command_valid_until: int = 0
    command_id: int = 0
    lease_counter: int = 0
    ready: bool = False
    in_control: bool = False
    request: int = 0
    run: bool = False
    start: bool = False
    reset: bool = False
    faults: set[FaultTag] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Step:
    """What one scan of the cell came to."""

    outputs: Outputs
    active: frozenset[FaultTag]
    """Faults in force in this scan."""
    struck: frozenset[FaultTag]
    """Those among them that strike one part, and have."""
    arrived: LinePart | None = None
    """The part that came before camera and gauge in this scan."""


class Cell:
    """The cell with its memory. Deterministic: the same wishes in the same ticks, the same run."""

    def __init__(self, config: CellConfig) -> None:
        self.program = Program(config.plc_settings())
        self.conveyor = Conveyor(config)
        self._operator = Operator(config.operator_ticks)
        self._scheduled = list(config.faults)
        self._lasting: dict[FaultTag, int] = {}
        self._product: str = config.runs[0].product
        self._outputs: Outputs | None = None
        self._running = False

    @property
    def finished(self) -> bool:
        """Whether all parts have come and have left, in the books of line and PLC alike."""
        return self.conveyor.finished and self.program.in_flight == 0

    def step(self, wishes: Wishes) -> Step:
        """Run one scan."""
        self._schedule()
        active = frozenset(wishes.faults | self._lasting.keys())
        self._lasting = {f: left - (f not in ONCE) for f, left in self._lasting.items()}
        if FaultTag.FREEZE_SCAN in active and self._outputs is not None:
            return Step(self._outputs, active, frozenset())
        sensors = self.conveyor.step(
            self._outputs,
            feed=wishes.run,
            duplicate=FaultTag.DUPLICATE_TRIGGER in active,
            stuck=FaultTag.SENSOR_STUCK in active,
            astray=FaultTag.WRONG_WAY in active,
        )
        self._outputs = self.program.scan(self._inputs(wishes, sensors, active))
        return Step(self._outputs, active, self._strike(sensors, active), sensors.arriving)

    def _inputs(self, wishes: Wishes, sensors: Sensors, active: frozenset[FaultTag]) -> Inputs:
        estop = FaultTag.E_STOP in active
        starts = wishes.run and not self._running
        self._running = wishes.run
        start, reset = self._operator.step(self._outputs, away=estop or not wishes.run)
        arriving = sensors.arriving
        if arriving is not None:
            unknown = FaultTag.UNKNOWN_PRODUCT in active
            self._product = UNKNOWN_PRODUCT if unknown else arriving.product
        return Inputs(
            part_at_camera=arriving is not None,
            part_id=arriving.part_id if arriving is not None else "",
            product=self._product,
            part_at_gate=sensors.at_gate,
            gate_seen=sensors.gate_seen,
            estop=estop,
            start=starts or start or wishes.start,
            reset=reset or wishes.reset,
            command_part_id=wishes.command_part_id,
            command_result=wishes.command_result,
            command_valid_until=wishes.command_valid_until,
            command_id=wishes.command_id,
            lease_counter=wishes.lease_counter,
            ready=wishes.ready,
            in_control=wishes.in_control,
            request=wishes.request,
        )

    def _schedule(self) -> None:
        """Let scheduled faults lapse and set in; one for a part sets in before the part comes."""
        self._lasting = {f: left for f, left in self._lasting.items() if left > 0}
        fed = self.conveyor.fed
        for due in [s for s in self._scheduled if fed >= s.at_part - (s.fault in ONCE)]:
            self._scheduled.remove(due)
            self._lasting[due.fault] = due.ticks

    def _strike(self, sensors: Sensors, active: frozenset[FaultTag]) -> frozenset[FaultTag]:
        """Say which one-part faults have had their part in this scan, and let them lapse."""
        struck = frozenset[FaultTag]()
        if sensors.arriving is not None:
            struck = active & (ONCE - {FaultTag.WRONG_WAY})
        if sensors.gate_seen:
            struck |= active & {FaultTag.WRONG_WAY}
        for fault in struck:
            self._lasting.pop(fault, None)
        return struck
