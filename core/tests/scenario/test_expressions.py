from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from millhand.contracts import Value
from millhand.scenario.expressions import DEEPEST_NESTING, Expression, ExpressionError, Kind, parse

VALUES: dict[str, Value] = {
    "plc.state": 6,
    "plc.door": True,
    "plc.name": "impeller",
    "plc.heat": 21.5,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("plc.state == 6", True),
        ("plc.state != 6", False),
        ("plc.heat < 21.5", False),
        ("plc.heat <= 21.5", True),
        ("plc.heat > -3", True),
        ("plc.door", True),
        ("not plc.door", False),
        ("plc.door == true", True),
        ("plc.name == 'impeller'", True),
        ('plc.name in ["housing", "impeller"]', True),
        ("plc.state in [3, 4]", False),
        ("plc.state not in [3, 4]", True),
        ("plc.state == 6 and plc.heat < 20 or plc.door", True),
        ("plc.state == 6 and (plc.heat < 20 or not plc.door)", False),
        ("not plc.state == 5", True),
        ("20 < plc.heat", True),
    ],
)
def test_it_evaluates(text: str, holds: bool) -> None:
    condition = parse(text)
    assert condition.evaluate(VALUES) is holds
    assert (condition.why_not(VALUES) == "") is holds


def test_it_names_its_tags() -> None:
    assert parse("plc.state == 6 and not plc.door").names == {"plc.state", "plc.door"}


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("plc.state = 6", "=="),
        ("plc.state == 6 && plc.door", "and"),
        ("plc.state == 6 || plc.door", "or"),
        ("!plc.door", "not"),
        ("1 < plc.heat < 3", "and"),
        ("plc.state <> 6", "!="),
    ],
)
def test_habits_of_other_languages_get_their_mend(text: str, mend: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert mend in caught.value.mend


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "plc.",
        "6",
        "'x'",
        "plc.state ==",
        "(plc.door",
        "plc.state in []",
        "plc.state in [1, 'x']",
        "and",
        "plc.state == and",
        "__import__('os')",
        "plc.state == 6; plc.door",
        "plc[0] == 1",
        "not " * 400 + "a",
        "(" * 400 + "a" + ")" * 400,
        "1 == 'x'",
    ],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text).check({})
    assert caught.value.expected


@given(st.text(max_size=60) | st.text("ab.=<>!()[]'\" 1andornotin,", max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        condition = parse(text)
    except ExpressionError:
        return
    assert condition.evaluate({}) in {True, False}


@pytest.mark.parametrize(
    ("text", "kinds", "said"),
    [
        ("plc.stat == 6", {"plc.state": Kind.NUMBER}, "not known"),
        ("plc.state == 'x'", {"plc.state": Kind.NUMBER}, "cannot be compared"),
        ("plc.state", {"plc.state": Kind.NUMBER}, "no condition"),
        ("not plc.state", {"plc.state": Kind.NUMBER}, "true or false is needed"),
        ("plc.door < 1", {"plc.door": Kind.TRUTH}, "cannot be compared"),
        ("plc.name in [1, 2]", {"plc.name": Kind.TEXT}, "cannot be among"),
        ("plc.ring == 1", {"plc.ring": Kind.LIST}, "cannot be compared"),
    ],
)
def test_check_finds_wrong_names_and_kinds(text: str, kinds: dict[str, Kind], said: str) -> None:
    with pytest.raises(ExpressionError, match=said):
        parse(text).check(kinds)


def test_check_lets_unknown_kinds_pass() -> None:
    parse("plc.a == 'x' and plc.b").check({"plc.a": Kind.ANY, "plc.b": Kind.ANY})


def test_an_unknown_name_brings_the_near_one() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("plc.stat == 6").check({"plc.state": Kind.NUMBER})
    assert "plc.state" in caught.value.mend


# --- failing safe: whatever stands around it, a value that cannot be used makes it False ---

numbers = st.integers(-5, 5) | st.floats(-5, 5)


def conditions() -> st.SearchStrategy[str]:
    tests = st.sampled_from(
        [
            "a == 1",
            "a < 2",
            "b",
            "not b",
            "c == 'x'",
            "c in ['x', 'y']",
            "a not in [1, 2]",
            "a >= d",
        ]
    )
    return st.recursive(
        tests,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda two: f"({two[0]} and {two[1]})"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]} or {two[1]})"),
            inner.map(lambda one: f"not ({one})"),
        ),
        max_leaves=6,
    )


good_values = st.fixed_dictionaries(
    {"a": numbers, "b": st.booleans(), "c": st.sampled_from("xyz"), "d": numbers}
)


@given(conditions(), good_values)
def test_it_means_what_python_would_mean(text: str, values: dict[str, Any]) -> None:
    # The grammar's words are Python's; the test may use eval, the product may not.
    assert _parsed(text).evaluate(values) is eval(text, {}, values)


@given(conditions(), good_values, st.sampled_from([None, math.nan, math.inf, "missing"]))
def test_a_value_that_is_absent_makes_it_false(
    text: str, values: dict[str, Any], absent: Any
) -> None:
    condition = _parsed(text)
    for name in condition.names:
        broken = {key: value for key, value in values.items() if key != name}
        if absent != "missing":
            broken[name] = absent
        assert condition.evaluate(broken) is False
        assert name in condition.why_not(broken)


@given(conditions(), good_values)
def test_a_value_of_the_wrong_kind_makes_it_false(text: str, values: dict[str, Any]) -> None:
    condition = _parsed(text)
    for name in condition.names:
        broken = {**values, name: ["a", "list"]}
        assert condition.evaluate(broken) is False
        assert condition.why_not(broken)


def _parsed(text: str) -> Expression:
    assume(text.count("not") + text.count("(") <= DEEPEST_NESTING)
    return parse(text)


def test_an_expression_is_equal_by_its_text() -> None:
    assert parse("plc.door") == parse("plc.door")
    assert parse("plc.door") != parse("plc.open")
    assert str(parse("plc.door")) == "plc.door"
