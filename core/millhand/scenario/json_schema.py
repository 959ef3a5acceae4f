"""The JSON Schema of ``scenario.yaml``, for editors that complete and explain while one types.

Put the line ``# yaml-language-server: $schema=scenario.schema.json`` at the top of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from millhand.errors import MillhandError
from millhand.plugins import Plugins
from millhand.plugins.registrations import Registration
from millhand.scenario.schema import ScenarioFile
from millhand.scenario.units import QUANTITY, WRITERS

DIALECT = GenerateJsonSchema.schema_dialect


def schema(plugins: Plugins | None = None) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario.

    Args:
        plugins: where given, the names of their adapters, agents and plants are offered, with the
            options of each. A plugin that cannot be loaded is offered by name alone.
    """
    document = ScenarioFile.model_json_schema()
    definitions: dict[str, Any] = document.setdefault("$defs", {})
    if plugins is not None:
        _offer(definitions, "Device", "adapter", plugins.adapters)
        _offer(definitions, "Simulation", "plant", plugins.plants)
        _offer(definitions, "PlantBeside", "plant", plugins.plants)
        _offer(definitions, "Agent", "use", plugins.agents, below="config")
    return {"$schema": DIALECT, "title": "Millhand scenario", **_without_titles(document)}


def _offer(
    definitions: dict[str, Any],
    part: str,
    key: str,
    registrations: Mapping[str, Registration],
    below: str = "",
) -> None:
    """Let ``key`` complete to the names registered, and each name bring its own options.

    A name that no plugin here has stays valid: the editor's machine need not be the cell's.
    """
    target = definitions[part]
    names = [
        {"const": name, "description": registration.summary}
        for name, registration in sorted(registrations.items())
    ]
    rule = target["properties"][key]
    target["properties"][key] = {
        "description": rule.get("description", ""),
        "anyOf": [*names, {"type": "string"}],
    }
    conditions = []
    for name, registration in sorted(registrations.items()):
        options = _options(definitions, name, registration)
        if options is None:
            continue
        then: dict[str, Any] = {"properties": {below: options}} if below else options
        given = {"properties": {key: {"const": name}}, "required": [key]}
        conditions.append({"if": given, "then": then})
    if conditions:
        target["allOf"] = conditions


def _options(
    definitions: dict[str, Any], name: str, registration: Registration
) -> dict[str, Any] | None:
    try:
        model: type[BaseModel] = registration.load().Config
        found = model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    except (MillhandError, ImportError, AttributeError, PydanticUserError):
        return None
    for inner, rule in found.pop("$defs", {}).items():
        definitions[f"{name}.{inner}"] = rule
    # Beside the options stand the part's own keys, so unknown ones are for `check` to find.
    found.pop("additionalProperties", None)
    return found


def _without_titles(document: dict[str, Any]) -> dict[str, Any]:
    """Drop pydantic's generated titles, which no editor needs beside the descriptions."""
    return {key: value for key, value in _walk(document) if key != "title"}


def _walk(node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key in {"properties", "$defs"}:
            yield key, {name: _clean(rule) for name, rule in value.items()}
        else:
            yield key, _clean(value)


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        cleaned = {key: inner for key, inner in _walk(value) if key != "title"}
        write = WRITERS.get(cleaned.pop(QUANTITY, ""))
        if write is not None and isinstance(cleaned.get("default"), int | float):
            cleaned["default"] = write(cleaned["default"])
        return cleaned
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
