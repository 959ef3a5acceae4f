"""Our messages against the published JSON schemas: the same verdict on everything."""

from __future__ import annotations

import json
import random
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand_vda5050.wire.codec import Malformed, Topic, Version, decode

CASES = [
    (version, topic)
    for version in Version
    for topic in Topic
    if not (version is Version.V2 and topic is Topic.RESPONSES)
]


def example(schema: dict[str, Any], root: dict[str, Any], rng: random.Random) -> Any:
    """Make an instance with all properties; numbers on the edge of what is allowed."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return example(root["definitions"][name], root, rng)
    kind = schema.get("type")
    if isinstance(kind, list):
        return rng.choice([[1, "a"], True, 1.5, 7, "text", {"a": None}])
    if kind == "object":
        return {key: example(one, root, rng) for key, one in schema.get("properties", {}).items()}
    if kind == "array":
        items = schema.get("items")
        return [example(items, root, rng) for _ in range(rng.randint(1, 2))] if items else []
    if kind == "string":
        if "enum" in schema:
            return rng.choice(schema["enum"])
        return "2026-11-25T02:10:00.123Z" if schema.get("format") == "date-time" else "a"
    if kind == "boolean":
        return rng.random() < 0.5
    bounds = [schema[key] for key in ("minimum", "maximum") if key in schema] or [-3, 4]
    return int(rng.choice(bounds)) if kind == "integer" else rng.choice(bounds)


WRONG = [None, "x", "", -1, 0, 1, 1.5, 2.0, -4.0, 101, True, [], {}, [None], "FATAL", "2026-11-25"]


def mutate(document: Any, rng: random.Random) -> None:
    """Change one thing somewhere: remove it, add to it, or put something else there."""
    place = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = rng.choice(keys)
        inner = place[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.8:
            place = inner
            continue
        change = rng.randrange(3)
        if change == 0:
            del place[key]
        elif change == 1 and isinstance(place, dict):
            place["another"] = rng.choice(WRONG)
        else:
            place[key] = rng.choice(WRONG)
        return


def allowed(version: Version, topic: Topic, document: Any) -> bool:
    try:
        decode(version, topic, json.dumps(document).encode())
    except Malformed:
        return False
    return True


@pytest.mark.parametrize(("version", "topic"), CASES)
def test_the_verdict_is_that_of_the_published_schema(
    schema_of: Any, version: Version, topic: Topic
) -> None:
    schema = schema_of(version, topic)
    validate = fastjsonschema.compile(schema)
    rng = random.Random(f"{version} {topic}")
    verdicts = {True: 0, False: 0}
    for attempt in range(600):
        document = example(schema, schema, rng)
        for _ in range(attempt % 4):
            mutate(document, rng)
        try:
            validate(document)
            wanted = True
        except fastjsonschema.JsonSchemaValueException as error:
            wanted = False
            why = str(error)
        met = allowed(version, topic, document)
        assert met is wanted, (why if not wanted else "", document)
        verdicts[wanted] += 1
    assert min(verdicts.values()) > 40


@given(st.sampled_from(CASES), st.binary(max_size=200))
def test_no_bytes_break_the_decoder(case: tuple[Version, Topic], payload: bytes) -> None:
    with pytest.raises(Malformed):
        decode(*case, payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"headerId": 1' + b"0" * 5000 + b"}",
        b'{"headerId": NaN}',
        b'{"headerId": 1, "headerId": "a"}',
        b"\xef\xbb\xbf{}",
        b"",
    ],
)
@pytest.mark.parametrize(("version", "topic"), CASES)
def test_hostile_messages_are_refused(version: Version, topic: Topic, payload: bytes) -> None:
    with pytest.raises(Malformed):
        decode(version, topic, payload)


def test_a_refusal_names_the_place() -> None:
    with pytest.raises(Malformed, match=r"order of VDA 5050 2\.1\.0.*orderId"):
        decode(
            Version.V2,
            Topic.ORDER,
            b'{"headerId": 1, "timestamp": "2026-11-25T02:10:00Z", "version": "2.1.0",'
            b' "manufacturer": "m", "serialNumber": "s", "orderId": 5}',
        )


def test_a_topic_that_a_version_has_not_is_refused() -> None:
    with pytest.raises(Malformed, match="no topic"):
        decode(Version.V2, Topic.RESPONSES, b"{}")
