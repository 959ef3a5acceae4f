"""Tables of keys from a JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from generator.markdown import line, plain, table

Node = dict[str, Any]
_ANY = 2**53
"""Bounds above this only say that a number must fit into the machine."""


@dataclass
class KeyWriter:
    """Walks the schema from the top and writes a section for each part when it is first met."""

    document: Node
    seen: dict[str, str] = field(default_factory=dict)
    """Name of a part to where it stands first."""
    waiting: list[tuple[str, str]] = field(default_factory=list)

    def sections(self) -> Iterator[str]:
        """Describe the whole, and then each part where it is first met, depth first."""
        yield "## The whole file\n"
        yield self.properties(self.document, "")
        yield from self.parts("##")

    def parts(self, level: str) -> Iterator[str]:
        """Describe the parts that were met and not described yet."""
        while self.waiting:
            name, place = self.waiting.pop(0)
            part = self.part(name)
            later, self.waiting = self.waiting, []
            yield f"{level} {place}\n"
            yield plain(part.get("description", "")) + "\n"
            yield from self._short_forms(part, place)
            yield self.properties(_long(part), place)
            self.waiting += later  # what stands within this part comes next

    def part(self, name: str) -> Node:
        """Return a part by its name in the schema."""
        found: Node = self.document["$defs"][name]
        return found

    def _short_forms(self, part: Node, place: str) -> Iterator[str]:
        short = [one for one in part.get("anyOf", []) if one is not _long(part)]
        if short:
            forms = " or ".join(self._type(one, place) for one in short)
            yield f"Short form: {forms}.\n"

    def properties(self, part: Node, place: str) -> str:
        """Lay out the keys of a part as a table."""
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
        part = self.part(name)
        if "enum" in part:
            return ", ".join(f"`{one}`" for one in part["enum"])
        if name not in self.seen:
            self.seen[name] = place
            self.waiting.append((name, place))
        words = place if self.seen[name] == place else f"as {self.seen[name]}"
        return f"[{words}](#{_anchor(self.seen[name])})"


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
