from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from millhand.errors import ConfigError
from millhand.scenario.document import MOST_VALUES, Document, read_document


def read(text: str) -> Document:
    return read_document(text, "s.yaml")


def test_yaml_1_2_keeps_words_words() -> None:
    text = "{a: on, b: no, c: yes, d: true, e: 0o17, f: 0x1F, g: 010, h: 1_000, i: 12:30, "
    text += "j: 2026-01-01}"
    assert read(text).data == {
        "a": "on",
        "b": "no",
        "c": "yes",
        "d": True,
        "e": 15,
        "f": 31,
        "g": 10,
        "h": "1_000",
        "i": "12:30",
        "j": "2026-01-01",
    }


def test_positions_count_from_one() -> None:
    document = read("a:\n  - x: 1\n    y: two\n")
    assert str(document.place(("a", 0, "y"))) == "s.yaml:3:8 at a[0].y"
    assert str(document.place(("a", 0, "y"), of_key=True)) == "s.yaml:3:5 at a[0].y"


def test_a_place_that_is_not_in_the_file_is_the_nearest_around_it() -> None:
    place = read("a:\n  b: 1\n").place(("a", "missing", "deep"))
    assert (place.line, place.column, place.key) == (2, 3, "a.missing.deep")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3", 3, "twice; first in line 1"),
        ("a: {b: 1, b: 2}", 1, "twice"),
        ("a: !!python/object:os.system 1", 1, "tag"),
        ("a: !thing 1", 1, "tag"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("<<: {a: 1}", 1, "Merge"),
        ("? [1]\n: 2", 1, "key is a list"),
        ("? {a: 1}\n: 2", 1, "key is a mapping"),
        ("a: &x {b: *x}", 1, "anchored"),
        ("a: *nothing", 1, "anchored"),
        ("a: .nan", 1, "no number"),
        ("a: -.inf", 1, "no number"),
        ("a: 1e999", 1, "too large"),
        ("a: " + "9" * 5000, 1, "too long"),
        ("a: 0x" + "f" * 5000, 1, "too long"),
        ('a: "\\ud800"', 1, "surrogate"),
        ("a:\n\t- b", 2, "YAML"),
        ("a: [1, 2", 1, "YAML"),
        ("a: b: c", 1, "YAML"),
        ("a:\n  b: 1\n c: 2", 3, "YAML"),
        ("[" * 5000, 1, "nesting"),
        ("a: " + "{b: " * 5000, 1, "nesting"),
        ("- " * 5000, 1, "nesting"),
    ],
)
def test_what_is_refused_has_a_place(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read(text)
    problem = caught.value.problems[0]
    assert problem.place.line == line
    assert problem.expected
    assert problem.mend


def test_anchors_may_repeat_but_not_multiply() -> None:
    assert read("a: &x {b: 1}\nc: *x").data == {"a": {"b": 1}, "c": {"b": 1}}
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    with pytest.raises(ConfigError, match="too many values"):
        read(bomb)


def test_a_copy_by_alias_is_a_copy() -> None:
    data = read("a: &x [1]\nb: *x").data
    data["a"].append(2)
    assert data["b"] == [1]


def test_large_files_are_refused_before_they_are_read() -> None:
    with pytest.raises(ConfigError, match="too large"):
        read("#" * 1_000_001)
    with pytest.raises(ConfigError, match="too many values"):
        read("- 1\n" * (MOST_VALUES + 1))


words = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)
plain = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | words


@given(
    st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
        max_leaves=12,
    )
)
def test_json_means_the_same(data: object) -> None:
    assert read(json.dumps(data)).data == data


yaml_like = st.text("abc:-[]{}&*!|>'\"#%@`\n\t ,?0123456789.\\x~<", max_size=80)


@given(st.text(max_size=200) | yaml_like)
@example("a: !<tag:x> b")
@example("%TAG ! !\n---\n! a")
@example("a: |9\n b")
@example("\ufeffa: 1")
@example("'\\")
@example('"\\U00110000"')
@example("&a *a")
@example("--- >\n")
def test_any_text_is_read_or_refused(text: str) -> None:
    refused = refusal_of(text)
    assert refused is None or refused.problems[0].place.file == "s.yaml"


def refusal_of(text: str) -> ConfigError | None:
    try:
        read(text)
    except ConfigError as error:
        return error
    return None
