"""The guard against an independent reading of the rules, over whatever values there may be."""

from __future__ import annotations

import math

from hypothesis import example, given
from hypothesis import strategies as st

from millhand.contracts import Mode, Quality, Sample
from millhand.guard import Allowance, Change, Facts, Limits, Request, judge
from millhand.scenario.expressions import parse

SECOND = 1_000_000_000
NOW = 1_000 * SECOND
CONDITIONS = [
    "plc.state == 6",
    "plc.state == 6 and plc.speed < 100",
    "not plc.open or plc.speed >= 3.5",
    'plc.recipe == "A"',
    "plc.state > plc.speed",
]
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just(6)
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3))
NUMBERS = st.floats(-1e6, 1e6)
ALLOWANCES = st.none() | st.builds(
    Allowance, st.floats(0, 100), st.integers(1, 100).map(lambda s: s * SECOND)
)
SAMPLES = st.builds(
    Sample,
    tag=st.just("x"),
    value=VALUES,
    quality=st.sampled_from([Quality.GOOD, Quality.GOOD, *Quality]),
    received_utc_ns=st.just(0),
    received_monotonic_ns=st.integers(NOW - 10 * SECOND, NOW),
)
FACTS = st.builds(
    Facts,
    now_monotonic_ns=st.just(NOW),
    mode=st.sampled_from([*Mode, Mode.CONTROL, Mode.CONTROL]),
    lease_live=st.booleans(),
    samples=st.dictionaries(
        st.sampled_from(["plc.state", "plc.speed", "plc.open", "plc.recipe"]), SAMPLES
    ),
    current=VALUES | NUMBERS,
    pending=st.lists(NUMBERS, max_size=2).map(tuple),
    changes=st.lists(
        st.builds(Change, st.integers(NOW - 200 * SECOND, NOW), st.floats(0, 50)), max_size=4
    ).map(tuple),
)
REQUESTS = st.builds(
    Request,
    target=st.sampled_from(["plc.speed", "plc.speed", "plc.other"]),
    value=VALUES | NUMBERS,
    part_bound=st.booleans(),
    allowed_targets=st.just(frozenset({"plc.speed"})),
    deadline_monotonic_ns=st.none() | st.integers(NOW - SECOND, NOW + SECOND),
    needs_lease=st.booleans(),
    approved=st.booleans(),
)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    text = draw(st.none() | st.sampled_from(CONDITIONS))
    condition = None if text is None else parse(text)
    low, high = draw(st.none() | NUMBERS), draw(st.none() | NUMBERS)
    return Limits(
        only_if=None if condition is None else condition.evaluate,
        only_if_text=text or "",
        only_if_tags=() if condition is None else tuple(sorted(condition.names)),
        max_age_ns=draw(st.none() | st.integers(1, 5 * SECOND)),
        minimum=low,
        maximum=high,
        rate=draw(ALLOWANCES),
        budget=draw(ALLOWANCES),
        writes=draw(ALLOWANCES),
    )


def number(value: object) -> float:
    """NaN for what is none: no comparison with it holds."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else math.nan  # type: ignore[arg-type]


def stays_within(request: Request, facts: Facts, allowance: Allowance | None) -> bool:
    if allowance is None:
        return True
    spent = sum(
        change.amount
        for change in facts.changes
        if NOW - change.at_monotonic_ns < allowance.window_ns
    )
    steps = [abs(number(request.value) - number(v)) for v in (facts.current, *facts.pending)]
    return all(spent + step <= allowance.amount for step in steps)


@given(REQUESTS, limits(), FACTS)
@example(
    Request(target="plc.speed", value=math.nan, allowed_targets=frozenset({"plc.speed"})),
    Limits(minimum=0.0, maximum=1.0),
    Facts(now_monotonic_ns=NOW, mode=Mode.CONTROL),
)
@example(
    Request(target="plc.speed", value=10**400, allowed_targets=frozenset({"plc.speed"})),
    Limits(budget=Allowance(1.0, SECOND)),
    Facts(now_monotonic_ns=NOW, mode=Mode.CONTROL, current=1.0),
)
def test_whatever_is_allowed_breaks_no_rule_and_nothing_raises(request, limits, facts) -> None:
    ruling = judge(request, limits, facts)
    if not ruling.allowed:
        assert ruling.rule != "ok"
        assert ruling.reason
        return
    approved = facts.mode is Mode.ADVISE and request.approved and not request.part_bound
    assert facts.mode is Mode.CONTROL or approved
    assert request.target in request.allowed_targets
    assert request.deadline_monotonic_ns is None or request.deadline_monotonic_ns > NOW
    assert facts.lease_live or not request.needs_lease
    for tag in limits.only_if_tags:
        sample = facts.samples[tag]
        assert sample.quality is Quality.GOOD
        age_ns = NOW - sample.received_monotonic_ns
        assert limits.max_age_ns is None or age_ns <= limits.max_age_ns
    if limits.minimum is not None:
        assert number(request.value) >= limits.minimum
    if limits.maximum is not None:
        assert number(request.value) <= limits.maximum
    assert stays_within(request, facts, limits.rate)
    assert stays_within(request, facts, limits.budget)
    if limits.writes is not None:
        recent = [c for c in facts.changes if NOW - c.at_monotonic_ns < limits.writes.window_ns]
        assert len(recent) < limits.writes.amount


@given(REQUESTS, limits(), FACTS)
def test_the_same_question_has_the_same_answer(request, limits, facts) -> None:
    assert judge(request, limits, facts) == judge(request, limits, facts)
