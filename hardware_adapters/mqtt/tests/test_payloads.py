from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.contracts import Quality
from millhand_mqtt.config import MqttTag
from millhand_mqtt.paths import MISSING, JsonPath
from millhand_mqtt.payloads import DoesNotFit, message, parse, read


def tag(**keys: Any) -> MqttTag:
    return MqttTag.model_validate({"topic": "a", **keys})


def value_of(payload: bytes, **keys: Any) -> Any:
    reading = read(tag(**keys), payload, parse(payload))
    assert reading.quality is Quality.GOOD, reading.note
    return reading.value


def note_of(payload: bytes, **keys: Any) -> str:
    reading = read(tag(**keys), payload, parse(payload))
    assert reading.quality is Quality.BAD
    assert reading.value is None
    return reading.note


NAMES = st.text(
    st.characters(exclude_characters="'\\", exclude_categories=("Cs",)), min_size=1, max_size=12
)
STEPS = st.lists(NAMES | st.integers(0, 20), max_size=6)


@given(STEPS)
def test_a_path_reads_as_it_is_written(steps: list[str | int]) -> None:
    path = JsonPath(tuple(steps))
    assert JsonPath.parse(str(path)) == path


@given(STEPS, st.integers() | st.text(st.characters(exclude_categories=("Cs",))) | st.booleans())
def test_what_is_put_around_a_value_is_found_again(steps: list[str | int], value: Any) -> None:
    path = JsonPath(tuple(steps))
    assert path.find(json.loads(path.around(value))) == value


@pytest.mark.parametrize("text", ["a", "$.", "$[", "$[-1]", "$.*", "$..a", "$[?(@.a)]", "$.a[01]"])
def test_other_json_paths_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        JsonPath.parse(text)


def test_the_path_leads_to_the_value() -> None:
    payload = b'{"oven": {"zones": [{"set point": 21.5}, 7]}, "ok": true}'
    assert value_of(payload, path="$.oven.zones[0]['set point']") == 21.5
    assert value_of(payload, path="$.oven.zones[1]", type="int32") == 7
    assert value_of(payload, path="$.ok", type="bool") is True
    assert "nothing at" in note_of(payload, path="$.oven.zones[2]")
    assert "no JSON" in note_of(b"\xff\x00", path="$.oven")


def test_without_a_path_the_message_is_the_value() -> None:
    assert value_of(b"21.5") == 21.5
    assert value_of(b"running") == "running"
    assert value_of(b"21", type="string") == "21"
    assert value_of(b"[1, 2]", type="int16[]") == [1, 2]
    assert "nothing at" in note_of(b"\xff\xfe")


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("int8", b"128"),
        ("uint16", b"-1"),
        ("int32", b"1.5"),
        ("int64", b"9223372036854775808"),
        ("bool", b"1"),
        ("double", b'"1.0"'),
        ("int32", b"true"),
        ("int32", b"null"),
        ("string", b"null"),
        ("int32", b"[1]"),
        ("int32[]", b"1"),
        ("", b'{"a": 1}'),
    ],
)
def test_another_type_is_bad(kind: str, payload: bytes) -> None:
    if kind == "string":
        assert value_of(payload, type=kind) == "null"
    else:
        assert note_of(payload, type=kind)


@pytest.mark.parametrize(
    ("text", "note"), [(b"NaN", "nan"), (b"Infinity", "inf"), (b"-Infinity", "-inf")]
)
def test_what_is_not_finite_is_bad_and_named(text: bytes, note: str) -> None:
    assert note_of(text, type="double") == note
    assert note_of(b'{"a": ' + text + b"}", path="$.a") == note


def test_a_value_is_scaled_both_ways() -> None:
    scaled = tag(type="int16", scale=0.1, offset=-40, minimum=-40, maximum=100, write="a/set")
    assert read(scaled, b"615", 615).value == pytest.approx(21.5)
    payload, sent = message(scaled, 21.5)
    assert (payload, sent) == (b"615", pytest.approx(21.5))
    with pytest.raises(DoesNotFit, match="outside"):
        message(scaled, 101)


def test_the_source_time_is_understood_in_its_forms() -> None:
    moment = 1_763_000_000
    for text in ("1763000000", "1763000000.0", "1763000000000", "1763000000000000000"):
        payload = f'{{"v": 1, "t": {text}}}'.encode()
        reading = read(tag(path="$.v", time="$.t"), payload, parse(payload))
        assert reading.source_utc_ns == moment * 10**9
    for text in ('"2025-11-13T02:13:20Z"', '"2025-11-13T09:13:20+07:00"'):
        payload = f'{{"v": 1, "t": {text}}}'.encode()
        reading = read(tag(path="$.v", time="$.t"), payload, parse(payload))
        assert reading.source_utc_ns == moment * 10**9
    for text in ('"soon"', '"2025-11-13T02:13:20"', "null", "1e300", "-5", "true"):
        payload = f'{{"v": 1, "t": {text}}}'.encode()
        reading = read(tag(path="$.v", time="$.t"), payload, parse(payload))
        assert (reading.value, reading.source_utc_ns) == (1, None)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int8", 128),
        ("uint8", -1),
        ("int32", 1.5),
        ("int32", True),
        ("int32", "1"),
        ("int32", None),
        ("float", 1e39),
        ("double", math.nan),
        ("double", math.inf),
        ("bool", 1),
        ("string", 1),
        ("string", "\ud800"),
        ("int32", [1]),
        ("int32[]", 1),
    ],
)
def test_what_does_not_fit_is_not_written(kind: str, value: Any) -> None:
    with pytest.raises(DoesNotFit):
        message(tag(type=kind, write="a/set"), value)


def test_a_tag_without_write_is_read_only() -> None:
    with pytest.raises(DoesNotFit, match="only read"):
        message(tag(), 1)


def test_a_value_is_written_where_the_path_says() -> None:
    one = tag(type="double", write="a/set $.oven['set point']")
    assert message(one, 5) == (b'{"oven": {"set point": 5.0}}', 5.0)


@given(st.binary(max_size=64))
def test_no_message_breaks_the_reading(payload: bytes) -> None:
    document = parse(payload)
    for keys in ({}, {"path": "$.a"}, {"type": "int32"}, {"type": "string"}, {"type": "double[]"}):
        reading = read(tag(**keys), payload, document)
        assert (reading.quality is Quality.GOOD) or reading.note


def test_a_bottomless_message_is_no_json() -> None:
    assert parse(b"[" * 100_000) is MISSING


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_written_reads_the_same(value: float) -> None:
    one = tag(type="double", write="a")
    try:
        payload, sent = message(one, value)
    except DoesNotFit:
        assert abs(value) > 1e308
    else:
        assert read(one, payload, parse(payload)).value == sent == float(value)
