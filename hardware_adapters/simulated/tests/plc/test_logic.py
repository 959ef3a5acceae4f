"""The program as a state machine: whatever happens, every part ends exactly once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from millhand.contracts.command import Answer, AnswerCode
from millhand_simulated.plc.logic import (
    ANSWERS,
    REGISTER_SIZE,
    WRAP,
    Inputs,
    Outputs,
    Program,
    Settings,
    ticks_past,
)
from millhand_simulated.plc.packml import State, Way

GATE_CODES = {AnswerCode.EXECUTED, AnswerCode.DEFAULTED, AnswerCode.BYPASSED}
COMMAND_CODES = set(AnswerCode) - GATE_CODES - {AnswerCode.EMPTY}


class Conveyed(RuleBasedStateMachine):
    """Drives the program with any order of sensors, commands, buttons and leases.

    The model keeps lists of what happened; it knows nothing of the program's insides.
    """

    def __init__(self) -> None:
        super().__init__()
        self.levels = Inputs()
        self.triggered: list[str] = []
        self.accepted: dict[str, tuple[int, int]] = {}
        self.gate_answers: dict[str, Answer] = {}
        self.command_answers: Counter[int] = Counter()
        self.sent: set[int] = set()
        self.next_id = 0
        self.count = 0
        self.outputs: Outputs | None = None

    @initialize(
        default=st.sampled_from([Way.REJECT, Way.DIVERT]),
        first_tick=st.sampled_from([0, WRAP - 5, WRAP - 40]),
    )
    def build(self, default: Way, first_tick: int) -> None:
        self.program = Program(Settings(default_way=default, first_tick=first_tick))
        self.start_up()
        self.renew_lease(in_control=True)

    # --- what can happen -------------------------------------------------------------------

    @rule(scans=st.integers(1, 8))
    def time_passes(self, scans: int) -> None:
        for _ in range(scans):
            self.scan()

    @rule()
    def part_comes(self) -> None:
        part = f"P-{len(self.triggered) + 1:06d}"
        before = self.program.counters.triggers
        self.scan(part_at_camera=True, part_id=part, product="impeller")
        if self.program.counters.triggers != before:
            self.triggered.append(part)
        self.scan(part_at_camera=False)

    @rule(in_control=st.sampled_from([True, True, True, False]))
    def renew_lease(self, in_control: bool) -> None:
        self.scan(lease_counter=self.levels.lease_counter + 1, in_control=in_control)

    @rule(index=st.integers(0, 15), result=st.integers(1, 4))
    def decide(self, index: int, result: int) -> None:
        """A command as Millhand sends it: in control, in time, for a part under way."""
        open_parts = [part for part in self.triggered if part not in self.gate_answers]
        assume(open_parts)
        self.renew_lease(in_control=True)
        part = open_parts[index % len(open_parts)]
        self.send(part, result, margin=20)

    @precondition(lambda self: self.outputs is not None and self.outputs.in_flight)
    @rule()
    def part_passes_gate(self) -> None:
        """The oldest part reaches the gate and its sensor sees it where the gate points."""
        self.approach()
        assert self.outputs is not None
        self.see(self.outputs.gate_way)

    @rule(
        index=st.integers(0, 15),
        result=st.integers(-1, 6),
        margin=st.integers(-3, 5),
        known=st.booleans(),
    )
    def odd_command(self, index: int, result: int, margin: int, known: bool) -> None:
        assume(self.triggered or not known)
        part = self.triggered[-1 - index % len(self.triggered)] if known else "stranger"
        self.send(part, result, margin)

    @rule(result=st.integers(1, 4))
    def rewrite_same_id(self, result: int) -> None:
        before = self.program.counters.answers[AnswerCode.ACCEPTED]
        self.scan(command_result=result)
        assert self.program.counters.answers[AnswerCode.ACCEPTED] == before

    @rule(
        what=st.sampled_from(["lapse", "hold", "stop", "estop", "approach", "astray", "nonsense"]),
        way=st.sampled_from([Way.PASS, Way.REJECT, Way.DIVERT]),
        recover=st.sampled_from([True] * 7 + [False]),
    )
    def disturb(self, what: str, way: Way, recover: bool) -> None:
        """Something goes wrong, and mostly somebody gets the cell going again."""
        if what == "lapse":
            for _ in range(self.program.settings.lease_timeout + 2):
                self.scan()
        elif what in ("hold", "stop", "nonsense"):
            self.scan(request={"hold": 1, "stop": 2, "nonsense": 3}[what])
            self.levels = replace(self.levels, request=0)
        elif what == "estop":
            self.scan(estop=True)
        elif what == "approach":
            self.approach()
        else:
            self.see(way)
        if recover:
            self.scan(estop=False, reset=True)
            self.scan(reset=False)
            self.start_up()

    def start_up(self) -> None:
        self.scan(start=True)
        self.scan(start=False)
        for _ in range(4):
            self.scan()

    def approach(self) -> None:
        self.scan(part_at_gate=True)
        self.scan(part_at_gate=False)

    def see(self, way: int) -> None:
        self.scan(gate_seen=way)
        self.scan(gate_seen=0)

    def send(self, part: str, result: int, margin: int) -> None:
        assert self.outputs is not None
        self.next_id += 1
        self.sent.add(self.next_id)
        self.scan(
            command_id=self.next_id,
            command_part_id=part,
            command_result=result,
            command_valid_until=(self.outputs.tick + margin) % WRAP,
        )

    # --- what must hold --------------------------------------------------------------------

    def scan(self, **changes: object) -> None:
        self.levels = replace(self.levels, **changes)  # type: ignore[arg-type]
        self.outputs = outputs = self.program.scan(self.levels)
        fresh = outputs.answer_count - self.count
        assert 0 <= fresh <= ANSWERS, "the ring was overrun within one scan"
        for offset in range(fresh):
            self.note(outputs.answers[(self.count + offset) % ANSWERS])
        self.count = outputs.answer_count

    def note(self, answer: Answer) -> None:
        if answer.code in COMMAND_CODES:
            assert answer.command_id in self.sent
            self.command_answers[answer.command_id] += 1
            assert self.command_answers[answer.command_id] == 1, "an id was answered twice"
            if answer.code is AnswerCode.ACCEPTED:
                assert answer.part_id not in self.accepted
                self.accepted[answer.part_id] = (answer.command_id, self.levels.command_result)
            return
        assert answer.part_id not in self.gate_answers, "a part ended twice"
        self.gate_answers[answer.part_id] = answer
        if answer.code is AnswerCode.EXECUTED:
            command_id, result = self.accepted[answer.part_id]
            assert answer.command_id == command_id
            assert self.levels.gate_seen == (1 if result == 4 else result)
        else:
            assert answer.command_id == 0
        if answer.code is AnswerCode.BYPASSED:
            assert answer.part_id not in self.accepted
            assert not self.levels.in_control
            assert self.outputs is not None
            assert self.outputs.lease_live

    @invariant()
    def books_balance(self) -> None:
        if self.outputs is None:
            return
        counters = self.program.counters
        assert counters.triggers == len(self.triggered) == self.outputs.trigger_seq
        assert counters.triggers == self.outputs.in_flight + sum(counters.gate.values())
        ended = sum(counters.answers[code] for code in GATE_CODES)
        assert ended == len(self.gate_answers)
        assert 0 <= counters.triggers - ended <= self.outputs.in_flight
        assert sum(self.command_answers.values()) == len(self.sent)
        assert self.outputs.in_flight <= REGISTER_SIZE + 1

    @invariant()
    def nothing_ships_unjudged(self) -> None:
        """No part passes without a pass for it, or a live lease that said to bypass."""
        passed = self.program.counters.gate[Way.PASS]
        meant = sum(
            (part in self.accepted and self.accepted[part][1] in (1, 4))
            or answer.code is AnswerCode.BYPASSED
            for part, answer in self.gate_answers.items()
        )
        assert passed <= meant

    @invariant()
    def stands_unless_executing(self) -> None:
        if self.outputs is not None:
            assert self.outputs.conveyor == (self.outputs.state is State.EXECUTE)

    def teardown(self) -> None:
        """Clear the line: afterwards every part that was triggered has ended."""
        self.scan(estop=True)
        self.scan(estop=False, reset=False)
        self.scan(reset=True)
        assert self.outputs is not None
        assert self.outputs.state is State.CLEARING
        assert self.outputs.in_flight == 0
        assert set(self.gate_answers) == set(self.triggered)
        assert sum(self.program.counters.gate.values()) == len(self.triggered)


TestConveyed = Conveyed.TestCase
TestConveyed.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


@pytest.mark.parametrize(
    ("tick", "limit", "past"),
    [
        (5, 5, 0),
        (6, 5, 1),
        (4, 5, -1),
        (0, WRAP - 1, 1),
        (WRAP - 1, 0, -1),
        (2**30 - 1, 0, 2**30 - 1),
        (2**30, 0, -(2**30)),
    ],
)
def test_ticks_are_compared_over_the_wrap(tick: int, limit: int, past: int) -> None:
    assert ticks_past(tick, limit) == past
