from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from millhand.plugins import Plugins
from millhand.scenario import load_text
from millhand.scenario.document import read_document
from millhand.scenario.json_schema import schema

Edited = Callable[..., str]


def errors_of(text: str, found: dict[str, Any]) -> list[str]:
    data = read_document(text, "scenario.yaml").data
    return [error.message for error in Draft202012Validator(found).iter_errors(data)]


def test_it_is_a_schema_and_plain_json(plugins: Plugins) -> None:
    for found in (schema(), schema(plugins)):
        Draft202012Validator.check_schema(found)
        assert json.loads(json.dumps(found)) == found


def test_the_good_scenario_fits(good_text: str, plugins: Plugins) -> None:
    assert errors_of(good_text, schema()) == []
    assert errors_of(good_text, schema(plugins)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("80 ms", "80"),
        ("80 ms", "80 MB"),
        ("deadline: 80 ms", "dedline: 80 ms"),
        ("max_mode: control", "max_mode: full"),
        ("part: reject, machine: stop", "part: pass"),
        ("EUR", "Euro"),
        ("millhand: 1", "millhand: 2"),
        ("record: s=Cell.Command", "record: 5"),
        ("[0, 120]", "[0]"),
        ("economy:", "econmy:"),
    ],
)
def test_what_the_loader_refuses_an_editor_marks(old: str, new: str, edited: Edited) -> None:
    assert errors_of(edited((old, new)), schema())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("80 ms", "0.5 s"),
        (
            "{seq: s=Cell.Trigger.Seq, part_id: s=Cell.Trigger.PartId, tick: s=Cell.Tick}",
            "s=Trigger",
        ),
        ("deadline: 80 ms", "deadline: 80 ms\n    queue: 4"),
        ("deadline: 1 s", "deadline: 1 s\n    queue: latest"),
        (
            "{by: plc.product, impeller: models/impeller, housing: models/housing}",
            "models/impeller",
        ),
        ("{by: plc.product", "{inspector: {by: plc.product"),
        ("[0, 120]", "{minimum: 0, maximum: 120}"),
        ("kwh: 0.21", "kwh: {amount: 0.21, assumption: the contract}"),
    ],
)
def test_every_short_and_long_form_fits_both(old: str, new: str, edited: Edited) -> None:
    text = edited((old, new))
    if new.startswith("{inspector"):
        text = text.replace("models/housing}", "models/housing}}")
    load_text(text)
    assert errors_of(text, schema()) == []


def test_options_of_plugins_are_offered(plugins: Plugins, edited: Edited) -> None:
    found = schema(plugins)
    device = found["$defs"]["Device"]
    offered = [choice.get("const") for choice in device["properties"]["adapter"]["anyOf"]]
    assert "bench.plc" in offered
    assert errors_of(edited(("threads: 2", "threads: two")), found)
    assert not errors_of(edited(("threads: 2", "threads: two")), schema())
    wrong = edited(("use: bench.inspect", "use: bench.inspect\n    config: {sensitivity: 99}"))
    assert errors_of(wrong, found)


def test_an_adapter_that_is_not_here_stays_valid(plugins: Plugins, edited: Edited) -> None:
    assert errors_of(edited(("bench.camera", "somewhere.else")), schema(plugins)) == []


def test_every_key_is_described() -> None:
    found = schema()
    bare = [
        f"{name}.{key}"
        for name, part in [("", found), *found["$defs"].items()]
        for key, rule in _properties(part)
        if not (rule.get("description") or "$ref" in rule)  # what it refers to is described
    ]
    assert bare == []


def _properties(part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from part.get("properties", {}).items()
    for choice in part.get("anyOf", []):
        yield from choice.get("properties", {}).items()


def test_defaults_carry_their_units() -> None:
    parts = schema()["$defs"]
    worker = parts["Worker"]["properties"]
    assert parts["Restarts"]["properties"]["within"]["default"] == "10 min"
    assert worker["memory"]["default"] == "2 GB"
    assert "x-quantity" not in json.dumps(schema())


def test_the_whole_is_small(tmp_path: Path) -> None:
    assert len(json.dumps(schema())) < 60_000
