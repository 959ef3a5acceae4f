"""The page on ``scenario.yaml``, from the schema that editors and ``millhand check`` know."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.markdown import HEAD, line, plain, table
from millhand.plugins import Plugins
from millhand.scenario.json_schema import schema

Node = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
INTRODUCTION = """\
One folder is one scenario: `scenario.yaml` and what it names. The file is YAML 1.2. Times and sizes
carry their unit: `us`, `ms`, `s`, `min`, `h`, `d`; `kB`, `MB`, `GB`, `TB`. Secrets are references,
`file:secrets/plc` or `env:PLC_PASSWORD`; one that stands in the file itself is refused. Paths lie
below the scenario's folder, so that the folder can be moved whole.

A condition (`only_if`) compares tags with numbers, texts and each other: `plc.state == 6 and not
plc.door_open`, `plc.product in ["impeller", "housing"]`. It knows `and`, `or`, `not`, `in`,
`not in`, `== != < <= > >=` and parentheses, and is never run as code. Where a value is missing, not
finite or of the wrong kind, the whole condition does not hold, whatever `not` and `or` stand around
it.

`millhand check FOLDER` finds what is wrong and says the mend; `millhand schema` prints the JSON
Schema that this page is made of, for editors that complete and explain while you type. A whole
scenario to look at: [scenarios/casting_cell](../../scenarios/casting_cell/scenario.yaml).
"""
OFFERED = (
    ("Device", "adapter", "Adapters", "devices.NAME", ""),
    ("Simulation", "plant", "Simulated plants", "simulation", ""),
    ("Agent", "use", "Agents", "agents.NAME", "config"),
)
"""Part, key that chooses, title, where it stands, and below which key the options stand."""


def page() -> str:
    """Write the page."""
    return "\n".join(_Writer(schema(own_plugins())).sections())


def own_plugins() -> Plugins:
    """Find the plugins of this repository, whatever else is installed."""
    folders = [*ROOT.glob("plugins/*/millhand_*"), *ROOT.glob("hardware_adapters/*/millhand_*")]
    modules = [importlib.import_module(folder.name) for folder in sorted(folders)]
    return Plugins.discover(modules, entry_points=False)


_ANY = 2**53
"""Bounds above this only say that a number must fit into the machine."""


@dataclass
class _Writer:
    """Walks the schema from the top and writes a section for each part when it is first met."""

    document: Node
    seen: dict[str, str] = field(default_factory=dict)
    """Name of a part to where it stands first."""
    waiting: list[tuple[str, str]] = field(default_factory=list)

    def sections(self) -> Iterator[str]:
        yield "# scenario.yaml\n"
        yield HEAD
        yield INTRODUCTION
        yield "## The whole file\n"
        yield self._properties(self.document, "")
        while self.waiting:
            name, place = self.waiting.pop(0)
            part = self._part(name)
            later, self.waiting = self.waiting, []
            yield f"## {place}\n"
            yield plain(part.get("description", "")) + "\n"
            yield from self._short_forms(part, place)
            yield self._properties(_long(part), place)
            self.waiting += later  # what stands within this part comes next
        for offer in OFFERED:
            yield from self._offered(*offer)

    def _part(self, name: str) -> Node:
        found: Node = self.document["$defs"][name]
        return found

    def _short_forms(self, part: Node, place: str) -> Iterator[str]:
        short = [one for one in part.get("anyOf", []) if one is not _long(part)]
        if short:
            forms = " or ".join(self._type(one, place) for one in short)
            yield f"Short form: {forms}.\n"

    def _properties(self, part: Node, place: str) -> str:
        required = part.get("required", [])
        rows = [
            (
                f"`{name}`",
                self._type(rule, f"{place}.{name}".lstrip(".")),
                "required" if name in required else _default(rule),
                line(rule.get("description", "")),
            )
            for name, rule in part.get("properties", {}).items()
        ]
        return table(("key", "value", "default", "meaning"), rows)

    def _type(self, rule: Node, place: str) -> str:
        if "$ref" in rule:
            return self._reference(rule["$ref"].removeprefix("#/$defs/"), place)
        if "anyOf" in rule:
            kinds = [self._type(one, place) for one in rule["anyOf"] if one.get("type") != "null"]
            names = [kind for kind in kinds if not kind.startswith("`")]
            return " or ".join(dict.fromkeys(kinds if len(kinds) < 4 else names or kinds))
        if "const" in rule:
            return f"`{json.dumps(rule['const']).strip(chr(34))}`"
        if "enum" in rule:
            return ", ".join(f"`{one}`" for one in rule["enum"])
        return self._plain_type(rule, place)

    def _plain_type(self, rule: Node, place: str) -> str:
        kind = rule.get("type")
        if kind == "object":
            inner = [*rule.get("patternProperties", {}).values()]
            more = rule.get("additionalProperties")
            inner += [more] if isinstance(more, dict) else []
            if inner:
                return f"name: {self._type(inner[0], f'{place}.NAME')}"
            return "mapping"
        if kind == "array":
            items = rule.get("items", {})
            return f"list of {self._type(items, f'{place}[]')}" if items else "list"
        if kind == "string" and "examples" in rule and "pattern" in rule:
            return f"such as `{rule['examples'][0]}`"
        words = {"string": "text", "integer": "whole number", "number": "number",
                 "boolean": "`true` or `false`"}  # fmt: skip
        return words.get(str(kind), "anything") + _bounds(rule)

    def _reference(self, name: str, place: str) -> str:
        part = self._part(name)
        if "enum" in part:
            return ", ".join(f"`{one}`" for one in part["enum"])
        if name not in self.seen:
            self.seen[name] = place
            self.waiting.append((name, place))
        words = place if self.seen[name] == place else f"as {self.seen[name]}"
        return f"[{words}](#{_anchor(self.seen[name])})"

    # --- what plugins add ---

    def _offered(self, part: str, key: str, title: str, place: str, below: str) -> Iterator[str]:
        yield f"## {title}\n"
        where = f"`{place}.{below}`" if below else f"`{place}`"
        yield f"Further keys of {where}, by `{key}`.\n"
        rules = {
            rule["if"]["properties"][key]["const"]: rule["then"]
            for rule in self._part(part).get("allOf", [])
        }
        for choice in self._part(part)["properties"][key]["anyOf"]:
            name = choice.get("const")
            if name is None:
                continue
            yield f"### {key}: {name}\n"
            yield plain(choice["description"]) + "\n"
            options = rules.get(name, {})
            options = options.get("properties", {}).get(below, {}) if below else options
            yield self._properties(options, name) if options.get("properties") else "No options.\n"
            while self.waiting:
                inner, inner_place = self.waiting.pop(0)
                yield f"#### {inner_place}\n"
                yield plain(self._part(inner).get("description", "")) + "\n"
                yield self._properties(_long(self._part(inner)), inner_place)


def _long(part: Node) -> Node:
    """Return the long form of a part that has short ones."""
    forms: list[Node] = [one for one in part.get("anyOf", []) if "properties" in one]
    return forms[-1] if forms else part


def _default(rule: Node) -> str:
    value = rule.get("default")
    if value is None or value in ({}, [], ""):
        return ""
    if isinstance(value, list) and not any(isinstance(one, dict) for one in value):
        return f"`[{', '.join(map(str, value))}]`"
    if isinstance(value, dict | list):
        return ""  # the part's own section says it
    return f"`{json.dumps(value, ensure_ascii=False).strip(chr(34))}`"


def _bounds(rule: Node) -> str:
    low = rule.get("minimum", rule.get("exclusiveMinimum"))
    high = rule.get("maximum", rule.get("exclusiveMaximum"))
    above = "above " if "exclusiveMinimum" in rule else ""
    if low is not None and high is not None and high < _ANY:
        return f", {above}{low:,} to {high:,}"
    if low is not None:
        return f", above {low:,}" if above else f", at least {low:,}"
    return "" if high is None else f", at most {high:,}"


def _anchor(title: str) -> str:
    return "".join(c for c in title.lower() if c.isalnum() or c in "-_ ").replace(" ", "-")
