"""The safety envelope: each rule refuses by name, and nothing short of control writes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from millhand.contracts import Mode, Quality, Sample
from millhand.guard import Allowance, Change, Facts, Limits, Request, judge

SECOND = 1_000_000_000
NOW = 100 * SECOND
ALLOWED = frozenset({"plc.speed"})


def request(**changes) -> Request:
    return Request(**{"target": "plc.speed", "value": 10.0, "allowed_targets": ALLOWED, **changes})


def facts(**changes) -> Facts:
    return Facts(**{"now_monotonic_ns": NOW, "mode": Mode.CONTROL, **changes})


def state(value: object, *, age_ms: float = 1, quality: Quality = Quality.GOOD) -> Sample:
    return Sample(
        tag="state",
        value=value,
        quality=quality,
        received_utc_ns=0,
        received_monotonic_ns=NOW - int(age_ms * 1e6),
    )


RUNNING = Limits(
    only_if=lambda values: values["plc.state"] == 6,
    only_if_text="plc.state == 6",
    only_if_tags=("plc.state",),
    max_age_ns=200_000_000,
)


def rule(limits: Limits | None, asked: Request | None = None, known: Facts | None = None) -> str:
    return judge(asked or request(), limits, known or facts()).rule


@given(
    mode=st.sampled_from([Mode.OFF, Mode.SHADOW, Mode.ADVISE]),
    part_bound=st.booleans(),
    value=st.floats(allow_nan=False),
    lease=st.booleans(),
)
def test_below_control_nothing_is_written_unasked(mode, part_bound, value, lease) -> None:
    ruling = judge(
        request(value=value, part_bound=part_bound), None, facts(mode=mode, lease_live=lease)
    )
    assert (ruling.allowed, ruling.rule) == (False, "mode")


def test_advise_writes_what_a_person_approved_but_never_for_a_part() -> None:
    advise = facts(mode=Mode.ADVISE)
    assert judge(request(approved=True), None, advise).allowed
    assert rule(None, request(approved=True, part_bound=True), advise) == "mode"


def test_what_the_scenario_does_not_list_is_refused() -> None:
    assert rule(None, request(target="plc.other")) == "allow_list"


def test_the_deadline_itself_is_too_late() -> None:
    assert rule(None, request(deadline_monotonic_ns=NOW)) == "deadline"
    assert rule(None, request(deadline_monotonic_ns=NOW + 1)) == "ok"


def test_a_part_needs_a_live_lease() -> None:
    assert rule(None, request(needs_lease=True), facts(lease_live=False)) == "lease"


def test_interlock_holds_fails_is_old_or_not_good() -> None:
    cases = {
        "ok": state(6),
        "interlock": state(2),
        "age": state(6, age_ms=201),
    }
    for wanted, sample in cases.items():
        assert rule(RUNNING, known=facts(samples={"plc.state": sample})) == wanted
    for quality in set(Quality) - {Quality.GOOD}:
        assert rule(RUNNING, known=facts(samples={"plc.state": state(6, quality=quality)})) == (
            "interlock"
        )
    assert rule(RUNNING, known=facts(samples={})) == "interlock"


@given(st.one_of(st.floats(), st.integers(), st.text(), st.none(), st.booleans()))
def test_range_lets_only_numbers_within_it_pass(value) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    inside = number and 0 <= value <= 120
    wanted = "ok" if inside else "range"
    assert rule(Limits(minimum=0, maximum=120), request(value=value)) == wanted


@given(st.lists(st.floats(0.1, 30), min_size=1, max_size=30))
def test_small_steps_cannot_walk_a_value_beyond_its_budget(steps) -> None:
    limits = Limits(budget=Allowance(50, 60 * SECOND))
    current, changes = 100.0, ()
    for number, step in enumerate(steps):
        now = NOW + number * SECOND
        known = Facts(now_monotonic_ns=now, mode=Mode.CONTROL, current=current, changes=changes)
        if judge(request(value=current + step), limits, known).allowed:
            current += step
            changes = (*changes, Change(now, step))
    assert current <= 150.0 + 1e-9


def test_a_budget_comes_back_with_time() -> None:
    limits = Limits(budget=Allowance(50, 60 * SECOND))
    spent = facts(current=100.0, changes=(Change(NOW - 61 * SECOND, 50.0),))
    assert rule(limits, request(value=150.0), spent) == "ok"
    recent = facts(current=100.0, changes=(Change(NOW - 59 * SECOND, 50.0),))
    assert rule(limits, request(value=100.5), recent) == "budget"


def test_without_a_known_value_a_change_cannot_be_limited_so_it_is_refused() -> None:
    assert rule(Limits(rate=Allowance(5, SECOND)), known=facts(current=None)) == "rate"


def test_number_of_writes() -> None:
    limits = Limits(writes=Allowance(2, SECOND))
    twice = facts(changes=(Change(NOW - 1, 0.0), Change(NOW - 2, 0.0)))
    assert rule(limits, known=twice) == "writes"
    assert rule(limits, known=facts(changes=(Change(NOW - 1, 0.0),))) == "ok"
