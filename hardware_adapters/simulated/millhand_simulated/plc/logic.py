"""The PLC program: ``docs/reference/plc-handshake.md`` as a pure state machine.

One call of :meth:`Program.scan` is one scan of the PLC task. There is no clock and no I/O in
here; time is the tick. ``structured_text/FB_MillhandCell.st`` is the same program for real PLCs,
and the vectors beside it check both.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from millhand.contracts.command import Answer, AnswerCode
from millhand_simulated.plc.packml import ACTING, Fault, Request, State, Way

ANSWERS = 16
"""Slots in the ring of answers."""
REGISTER_SIZE = 12
"""Parts that can be tracked. A purge answers all of them and the one at the gate in one scan,
besides one command, and must not overrun the ring."""

WRAP = 2**31
"""Ticks and counts run from 0 to this less one, so that they fit a DINT."""
_EMPTY = Answer(command_id=0, part_id="", code=AnswerCode.EMPTY, plc_tick=0)
_DEAF = (State.ABORTED, State.CLEARING)
"""States in which hands are in the machine and its sensors mean nothing."""


def ticks_past(tick: int, limit: int) -> int:
    """Return the signed difference of two ticks, −2³⁰ … 2³⁰−1, over the wrap at 2³¹."""
    return (tick - limit + WRAP // 2) % WRAP - WRAP // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a commissioner sets once. Times are in ticks."""

    lease_timeout: int = 30
    """The lease lapses when its counter has not changed for longer than this."""
    gate_timeout: int = 25
    """Scans of a running conveyor within which the gate's sensor must have seen the part."""
    default_way: Way = Way.REJECT
    """Where a part without a valid result goes: reject or divert."""
    first_tick: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that the program sees in one scan. Sensors and buttons are levels; edges are its own."""

    part_at_camera: bool = False
    part_id: str = ""
    product: str = ""
    part_at_gate: bool = False
    gate_seen: int = 0
    """The way on which the gate's sensors see a part now; 0 for none."""
    estop: bool = False
    start: bool = False
    reset: bool = False
    command_part_id: str = ""
    command_result: int = 0
    command_valid_until: int = 0
    command_id: int = 0
    lease_counter: int = 0
    ready: bool = False
    in_control: bool = False
    request: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """All that the program shows after one scan."""

    tick: int
    state: State
    product: str
    trigger_seq: int
    trigger_part_id: str
    trigger_product: str
    trigger_tick: int
    answers: tuple[Answer, ...]
    answer_count: int
    request: int
    """What the request record is to hold now: always 0, the request has been seen."""
    conveyor: bool
    gate_way: Way
    gate_mark: bool
    """The part at the gate passes flagged and is to be marked."""
    lease_live: bool
    agent_ready: bool
    in_flight: int
    """Parts triggered and not yet through the gate."""
    fault: Fault
    purged: bool
    """The conveyor was cleared by hand in this scan."""


@dataclass(slots=True)
class _Part:
    part_id: str
    result: int = 0
    command_id: int = 0


@dataclass(slots=True)
class _Gate:
    """The part on the gate: acted upon, not yet seen by the sensor."""

    part_id: str
    command_id: int
    way: Way
    answered: bool
    scans: int = 0


@dataclass(slots=True)
class Counters:
    """The PLC's own books."""

    triggers: int = 0
    answers: Counter[AnswerCode] = field(default_factory=Counter)
    gate: Counter[Way] = field(default_factory=Counter)


class Program:
    """The program with its memory. Deterministic: the same inputs give the same outputs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counters = Counters()
        self._tick = settings.first_tick
        self._state = State.STOPPED
        self._restart = False
        self._fault = Fault.NONE
        self._product = ""
        self._trigger = (0, "", "", 0)
        self._register: list[_Part] = []
        self._gate: _Gate | None = None
        self._gate_way = settings.default_way
        self._gate_mark = False
        self._ring = (_EMPTY,) * ANSWERS
        self._count = 0
        self._last_id = 0
        self._lease_counter = 0
        self._lease_seen = False
        self._lease_age = 0
        self._before = Inputs()

    @property
    def in_flight(self) -> int:
        """Parts that were triggered and are not yet through the gate."""
        return len(self._register) + (self._gate is not None)

    def scan(self, inputs: Inputs) -> Outputs:
        """Run one scan in the order of the handshake's page."""
        self._tick = (self._tick + 1) % WRAP
        self._product = inputs.product
        self._follow_lease(inputs)
        sensing = self._state not in _DEAF
        fault = Fault.NONE
        if sensing and inputs.part_at_camera and not self._before.part_at_camera:
            fault = self._take_part(inputs)
        self._take_command(inputs)
        if sensing:
            fault = self._confirm(inputs) or self._arrive(inputs) or fault
        purged = self._follow_state(inputs, fault)
        self._before = inputs
        return self._outputs(inputs, purged)

    # 1 -----------------------------------------------------------------------------------------

    def _follow_lease(self, inputs: Inputs) -> None:
        if inputs.lease_counter != self._lease_counter:
            self._lease_counter = inputs.lease_counter
            self._lease_seen = True
            self._lease_age = 0
        elif self._lease_age <= self.settings.lease_timeout:
            self._lease_age += 1

    @property
    def _lease_live(self) -> bool:
        return self._lease_seen and self._lease_age <= self.settings.lease_timeout

    # 2 -----------------------------------------------------------------------------------------

    def _take_part(self, inputs: Inputs) -> Fault:
        if len(self._register) == REGISTER_SIZE:
            return Fault.REGISTER_FULL
        self._register.append(_Part(inputs.part_id))
        self.counters.triggers = (self.counters.triggers + 1) % WRAP
        self._trigger = (self.counters.triggers, inputs.part_id, inputs.product, self._tick)
        return Fault.NONE

    # 3 -----------------------------------------------------------------------------------------

    def _take_command(self, inputs: Inputs) -> None:
        if inputs.command_id in (0, self._last_id):
            return
        self._last_id = inputs.command_id
        part = self._waiting(inputs.command_part_id)
        code = self._judge(inputs, part)
        if part is not None and code is AnswerCode.ACCEPTED:
            part.result = inputs.command_result
            part.command_id = inputs.command_id
        self._answer(inputs.command_id, inputs.command_part_id, code)

    def _judge(self, inputs: Inputs, part: _Part | None) -> AnswerCode:
        if not (self._lease_live and inputs.in_control):
            return AnswerCode.REFUSED_LEASE
        if self._state is not State.EXECUTE:
            return AnswerCode.REFUSED_STATE
        if not 1 <= inputs.command_result <= 4:
            return AnswerCode.REFUSED_VALUE
        valid_until = inputs.command_valid_until
        if valid_until < 0 or ticks_past(self._tick, valid_until) > 0:
            return AnswerCode.EXPIRED
        return AnswerCode.REFUSED_PART if part is None else AnswerCode.ACCEPTED

    def _waiting(self, part_id: str) -> _Part | None:
        for part in self._register:
            if part.part_id == part_id and part.result == 0:
                return part
        return None

    def _answer(self, command_id: int, part_id: str, code: AnswerCode) -> None:
        answer = Answer(command_id=command_id, part_id=part_id, code=code, plc_tick=self._tick)
        slot = self._count % ANSWERS
        self._ring = (*self._ring[:slot], answer, *self._ring[slot + 1 :])
        self._count = (self._count + 1) % WRAP
        self.counters.answers[code] += 1

    # 4 -----------------------------------------------------------------------------------------

    def _confirm(self, inputs: Inputs) -> Fault:
        """Follow the sensor behind the gate."""
        gate = self._gate
        if inputs.gate_seen and not self._before.gate_seen:
            if gate is None:
                return Fault.UNTRACKED
            if inputs.gate_seen != gate.way:
                return Fault.WRONG_WAY
            if not gate.answered:
                self._answer(gate.command_id, gate.part_id, AnswerCode.EXECUTED)
            self.counters.gate[gate.way] += 1
            self._gate = None
        elif gate is not None and self._state is State.EXECUTE:
            gate.scans += 1
            if gate.scans > self.settings.gate_timeout:
                return Fault.NOT_CONFIRMED
        return Fault.NONE

    def _arrive(self, inputs: Inputs) -> Fault:
        """Act on a part that reaches the gate."""
        if not inputs.part_at_gate or self._before.part_at_gate:
            return Fault.NONE
        if self._gate is not None:
            return Fault.GATE_OCCUPIED
        if not self._register:
            return Fault.UNTRACKED
        part = self._register.pop(0)
        if part.result:
            way = Way.PASS if part.result == 4 else Way(part.result)
        elif self._lease_live and not inputs.in_control:
            way = Way.PASS
            self._answer(0, part.part_id, AnswerCode.BYPASSED)
        else:
            way = self.settings.default_way
            self._answer(0, part.part_id, AnswerCode.DEFAULTED)
        self._gate = _Gate(part.part_id, part.command_id, way, answered=part.result == 0)
        self._gate_way = way
        self._gate_mark = part.result == 4
        return Fault.NONE

    # 5 -----------------------------------------------------------------------------------------

    def _follow_state(self, inputs: Inputs, fault: Fault) -> bool:
        """Move the PackML state on; return whether the conveyor was purged."""
        started = inputs.start and not self._before.start
        reset = inputs.reset and not self._before.reset
        if inputs.request == Request.STOP:
            self._restart = False
        if inputs.estop or fault:
            self._state = State.ABORTED
            self._fault = fault or self._fault
            self._gate_way = self.settings.default_way
            self._gate_mark = False
        elif self._state is State.ABORTED:
            if reset:
                self._state = State.CLEARING
                self._purge()
                return True
        elif inputs.request == Request.STOP and self._state not in (
            State.CLEARING,
            State.STOPPED,
            State.STOPPING,
        ):
            self._state = State.STOPPING
        else:
            self._state = self._next_state(inputs, started=started, reset=reset)
        return False

    def _next_state(self, inputs: Inputs, *, started: bool, reset: bool) -> State:
        state = self._state
        if state in ACTING:
            return ACTING[state]
        if state is State.STOPPED and (started or reset or self._restart):
            self._restart = False
            return State.RESETTING
        if state is State.HELD and started:
            return State.UNHOLDING
        if state is State.EXECUTE and inputs.request == Request.HOLD:
            return State.HOLDING
        return state

    def _purge(self) -> None:
        """Everything between camera and gate is taken off by hand and takes the default."""
        default = self.settings.default_way
        if self._gate is not None:
            if not self._gate.answered:
                self._answer(0, self._gate.part_id, AnswerCode.DEFAULTED)
            self.counters.gate[default] += 1
            self._gate = None
        for part in self._register:
            self._answer(0, part.part_id, AnswerCode.DEFAULTED)
            self.counters.gate[default] += 1
        self._register.clear()
        self._fault = Fault.NONE
        self._restart = True

    def _outputs(self, inputs: Inputs, purged: bool) -> Outputs:
        seq, part_id, product, tick = self._trigger
        return Outputs(
            tick=self._tick,
            state=self._state,
            product=self._product,
            trigger_seq=seq,
            trigger_part_id=part_id,
            trigger_product=product,
            trigger_tick=tick,
            answers=self._ring,
            answer_count=self._count,
            request=Request.NOTHING,
            conveyor=self._state is State.EXECUTE,
            gate_way=self._gate_way,
            gate_mark=self._gate_mark,
            lease_live=self._lease_live,
            agent_ready=self._lease_live and inputs.ready,
            in_flight=self.in_flight,
            fault=self._fault,
            purged=purged,
        )
