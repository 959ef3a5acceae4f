from __future__ import annotations

import json
from collections.abc import Sequence

from millhand.plugins import AdapterType, AgentType, Capabilities, Face, Plugins, hookimpl
from millhand.plugins.report import Row, as_json, rows


class One:
    __name__ = "one"

    @hookimpl
    def millhand_capabilities(self) -> Capabilities:
        return Capabilities(network=True, writes_hardware=True, notes="PLCs only.")

    @hookimpl
    def millhand_agents(self) -> Sequence[AgentType]:
        return [AgentType("shared.name", "x:Y", "First.")]

    @hookimpl
    def millhand_adapters(self) -> Sequence[AdapterType]:
        return [AdapterType("plc", "x:Z", "A PLC.", frozenset({Face.TAGS, Face.CAMERA}))]


class Two:
    __name__ = "two"

    @hookimpl
    def millhand_agents(self) -> Sequence[AgentType]:
        return [AgentType("shared.name", "x:Y", "Second.")]


class Broken:
    __name__ = "broken"

    @hookimpl
    def millhand_agents(self) -> Sequence[AgentType]:
        raise RuntimeError("no luck")


class Empty:
    __name__ = "empty"


def discover() -> Plugins:
    return Plugins.discover([One(), Two(), Broken(), Empty()], entry_points=False)


def test_every_plugin_has_its_rows() -> None:
    touches = "network, writes to hardware, PLCs only."
    assert rows(discover()) == [
        Row("one", "", "agents", "shared.name", "not used: registered by one and two", touches),
        Row("one", "", "adapters", "plc", "A PLC.", touches),
        Row("two", "", "agents", "shared.name", "not used: registered by one and two", ""),
        Row("broken", "", "", "", "RuntimeError: no luck.", ""),
        Row("empty", "", "", "", "registers nothing", ""),
    ]


def test_the_same_as_json() -> None:
    found = as_json(discover())
    assert json.loads(json.dumps(found)) == found
    one = found["plugins"][0]
    assert one["provides"]["adapters"] == [
        {"name": "plc", "summary": "A PLC.", "faces": ["camera", "tags"]}
    ]
    assert found["clashes"] == [
        {"kind": "agents", "name": "shared.name", "plugins": ["one", "two"]}
    ]
    assert found["plugins"][2]["error"] == "RuntimeError: no luck."
