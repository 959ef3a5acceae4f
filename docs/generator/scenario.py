"""The page on ``scenario.yaml``, from the schema that editors and ``millhand check`` know."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from generator.keys import KeyWriter
from generator.markdown import HEAD, plain
from millhand.plugins import Plugins
from millhand.scenario.json_schema import schema

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
    writer = KeyWriter(schema(own_plugins()))
    return "\n".join(["# scenario.yaml\n", HEAD, INTRODUCTION, *_sections(writer)])


def _sections(writer: KeyWriter) -> Iterator[str]:
    yield from writer.sections()
    for offer in OFFERED:
        yield from _offered(writer, *offer)


def own_plugins() -> Plugins:
    """Find the plugins of this repository, whatever else is installed."""
    folders = [*ROOT.glob("plugins/*/millhand_*"), *ROOT.glob("hardware_adapters/*/millhand_*")]
    modules = [importlib.import_module(folder.name) for folder in sorted(folders)]
    return Plugins.discover(modules, entry_points=False)


def _offered(
    writer: KeyWriter, part: str, key: str, title: str, place: str, below: str
) -> Iterator[str]:
    """Describe what plugins add to a part."""
    yield f"## {title}\n"
    where = f"`{place}.{below}`" if below else f"`{place}`"
    yield f"Further keys of {where}, by `{key}`.\n"
    rules = {
        rule["if"]["properties"][key]["const"]: rule["then"]
        for rule in writer.part(part).get("allOf", [])
    }
    for choice in writer.part(part)["properties"][key]["anyOf"]:
        name = choice.get("const")
        if name is None:
            continue
        yield f"### {key}: {name}\n"
        yield plain(choice["description"]) + "\n"
        options = rules.get(name, {})
        options = options.get("properties", {}).get(below, {}) if below else options
        yield writer.properties(options, name) if options.get("properties") else "No options.\n"
        yield from writer.parts("####")
