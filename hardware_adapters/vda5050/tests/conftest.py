from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from time import monotonic_ns
from typing import Any

import pytest
import pytest_asyncio

from millhand.contracts import SkillProgress, SkillStatus
from millhand.testing.permits import permit_for
from millhand_mqtt import testing
from millhand_mqtt.broker import BrokerConfig
from millhand_vda5050.adapter import Vda5050
from millhand_vda5050.layout import Layout
from millhand_vda5050.simulated.fleet import SimulatedFleet, grid
from millhand_vda5050.simulated.world import Character
from millhand_vda5050.wire.codec import Topic, Version

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = Path(
    os.environ.get("MILLHAND_VDA5050_SCHEMAS")
    or ROOT.parent / "shared" / "data" / "logistics" / "vda5050"
)
"""A copy of the specification's ``json_schemas`` by version: 2.1.0/, main/ (3.0.0 with fixes)."""
FOLDERS = {Version.V2: "2.1.0", Version.V3: "main"}
QUICK: dict[str, Any] = {"retry_limit_s": 0.1, "request_timeout_s": 0.5, "keepalive_s": 1}
BRISK = Character(speed=30.0, acceleration=120.0, handling_s=0.1)
"""Vehicles that do in a fraction of a second what takes real ones a minute."""


def published(version: Version, topic: Topic) -> dict[str, Any]:
    path = PUBLISHED / FOLDERS[version] / f"{topic.value}.schema"
    if path.exists():
        text = path.read_text(encoding="utf-8")
    elif version is Version.V2:
        # An independent library ships those of 2.1.
        folder = resources.files("vda5050.validation") / "schemas"
        text = (folder / f"{topic.value}.json").read_text(encoding="utf-8")
    else:
        pytest.skip("set MILLHAND_VDA5050_SCHEMAS to the schemas of VDA 5050 3.x")
    schema: dict[str, Any] = json.loads(text)
    if topic is Topic.FACTSHEET and version is Version.V2:
        # As published, an *array* must be one of three texts, which none can be.
        features = schema["properties"]["protocolFeatures"]["properties"]
        blocking = features["agvActions"]["items"]["properties"]["blockingTypes"]
        blocking["items"] = {"type": "string", "enum": blocking.pop("enum")}
    return schema


@pytest.fixture(scope="session")
def schema_of() -> Callable[[Version, Topic], dict[str, Any]]:
    """Return a published schema, or skip."""
    return published


@pytest.fixture
def layout() -> Layout:
    return grid(6, 4)


@pytest.fixture
def mosquitto(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Return a maker of brokers; all are killed in the end."""
    if testing.BINARY is None:
        pytest.skip(testing.MISSING)
    made: list[testing.Mosquitto] = []

    def make(*lines: str) -> testing.Mosquitto:
        made.append(testing.Mosquitto(tmp_path, *lines))
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest_asyncio.fixture
async def broker(mosquitto: Any) -> testing.Mosquitto:
    started: testing.Mosquitto = mosquitto()
    await started.start()
    return started


@pytest.fixture
def eventually() -> Callable[..., Any]:
    async def wait_until(condition: Callable[[], Any], timeout_s: float = 20) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.01)

    return wait_until


class Cell:
    """Fleet control and the fleet that it controls, at one broker."""

    def __init__(self, control: Vda5050, fleet: Any) -> None:
        self.control = control
        self.fleet = fleet

    async def value(self, tag: str) -> Any:
        (sample,) = await self.control.read([tag])
        return sample.value

    async def perform(
        self, skill: str, deadline_s: float = 20.0, **goal: Any
    ) -> list[SkillProgress]:
        return [one async for one in self.start(skill, deadline_s, **goal)]

    def start(
        self, skill: str, deadline_s: float = 20.0, **goal: Any
    ) -> AsyncIterator[SkillProgress]:
        permit = permit_for("agvs", (f"skill.{skill}", json.dumps(goal)))
        deadline = monotonic_ns() + int(deadline_s * 1e9)
        return self.control.perform(permit, skill, goal, deadline)

    async def ends(self, skill: str, deadline_s: float = 20.0, **goal: Any) -> SkillStatus:
        last = (await self.perform(skill, deadline_s, **goal))[-1]
        assert last.done
        return SkillStatus(last.status)


@pytest.fixture
def cell_of() -> Callable[[Vda5050], Cell]:
    """Return what performs skills with an adapter."""
    return lambda control: Cell(control, None)


@pytest.fixture
def cell(layout: Layout, tmp_path: Path) -> Callable[..., Any]:
    @asynccontextmanager
    async def open_cell(
        broker: Any, starts: dict[str, str], *, character: Character = BRISK, **options: Any
    ) -> AsyncIterator[Cell]:
        file = tmp_path / "layout.json"
        file.write_text(layout.model_dump_json(by_alias=True))
        columns = ("name", "online", "node", "order", "update", "idle", "charge", "doubt", "faults")
        tags = {f"{who}.{what}": f"{who}.{what}" for who in ("fleet", *starts) for what in columns}
        config = Vda5050.Config.model_validate(
            {
                "url": broker.url,
                "vehicles": {serial: serial for serial in starts},
                "layout": str(file),
                "confirm_s": 1.0,
                **QUICK,
                **options,
            }
        )
        fleet = SimulatedFleet(
            starts,
            layout,
            BrokerConfig.model_validate({"url": broker.url, **QUICK}),
            version=config.version,
            character=character,
            state_every_s=0.2,
        )
        models = {name: Vda5050.Tag.model_validate(tag) for name, tag in tags.items()}
        async with fleet, Vda5050("agvs", config, models) as control:
            await fleet.wait_connected(20)
            await control.wait_connected(20)
            one = Cell(control, fleet)
            async with asyncio.timeout(20):
                while not all(await one.value("fleet.online")):
                    await asyncio.sleep(0.02)
            yield one

    return open_cell
