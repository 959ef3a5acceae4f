"""Simulated fleets in their own process, as a scenario starts them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from millhand.errors import ConfigError
from millhand_mqtt.broker import BrokerConfig
from millhand_mqtt.link import BrokerLink
from millhand_vda5050.simulated.fleet import grid
from millhand_vda5050.simulated.fleets import FleetsConfig
from millhand_vda5050.simulated.plant import SimulatedFleets


def plant(folder: Path, fleets: dict[str, dict[str, str]], **more: Any) -> SimulatedFleets:
    file = folder / "layout.json"
    file.write_text(grid(3, 3).model_dump_json(by_alias=True))
    return SimulatedFleets(FleetsConfig(layout=file, fleets=fleets, **more), folder)


async def test_each_device_gets_the_small_broker_and_what_was_done_is_written(
    tmp_path: Path,
) -> None:
    fleets = {"north": {"n1": "n0-0"}, "south": {"s1": "n0-0", "s2": "n2-2"}}
    async with plant(tmp_path, fleets) as running:
        assert set(running.endpoints) == {"north", "south"}
        (url,) = set(running.endpoints.values())
        heard: set[str] = set()
        config = BrokerConfig.model_validate({"url": url, "protocol": "3.1.1"})
        link = BrokerLink("ear", config, ["uagv/#"], lambda one: heard.add(one.topic))
        await link.start()
        await link.wait_connected(20)
        await link.stop()
    deeds = json.loads((tmp_path / "fleets.json").read_text())
    assert {name: set(deed["vehicles"]) for name, deed in deeds.items()} == {
        "north": {"n1"},
        "south": {"s1", "s2"},
    }
    assert deeds["south"]["conflicts"] == 0


@pytest.mark.parametrize(
    ("fleets", "said"),
    [
        ({"a": {"v": "moon"}}, "moon"),
        ({"a": {"v": "n0-0"}, "b": {"v": "n1-1"}}, "twice"),
    ],
)
async def test_fleets_that_cannot_be_are_refused(
    tmp_path: Path, fleets: dict[str, dict[str, str]], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        async with plant(tmp_path, fleets):
            pass
