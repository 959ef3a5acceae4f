"""Many simulated vehicles at one broker, driven by one clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from millhand_mqtt.broker import BrokerConfig
from millhand_vda5050.layout import Layout
from millhand_vda5050.simulated.presence import VehicleAtBroker
from millhand_vda5050.simulated.vehicle import SimulatedVehicle
from millhand_vda5050.simulated.world import Character, World
from millhand_vda5050.wire.codec import Version

STEP_S = 0.1
_LONGEST_STEP_S = 0.5


class SimulatedFleet:
    """Vehicles that stand at ``starts`` in the beginning, and drive while it is entered.

    Args:
        starts: serial number to node.
        layout: where they can drive.
        broker: where they are found.
        version: of the protocol.
        character: what kind of vehicles they are.
        state_every_s: longest time between two states of one vehicle, in real seconds.
        pace: simulated seconds in a real one.
    """

    def __init__(
        self,
        starts: Mapping[str, str],
        layout: Layout,
        broker: BrokerConfig,
        *,
        version: Version = Version.V2,
        manufacturer: str = "millhand",
        character: Character | None = None,
        state_every_s: float = 1.0,
        pace: float = 1.0,
    ) -> None:
        self.world = World()
        self.at_broker: dict[str, VehicleAtBroker] = {}
        for serial, node in starts.items():
            place = layout.nodes[node]
            vehicle = SimulatedVehicle(
                serial,
                node,
                (place.x, place.y),
                self.world,
                character or Character(),
                map_id=place.map or layout.map,
                pace=pace,
            )
            self.at_broker[serial] = VehicleAtBroker(
                vehicle, broker, version=version, manufacturer=manufacturer
            )
        self._state_every_s = state_every_s
        self._pace = pace
        self._due: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def vehicles(self) -> Mapping[str, SimulatedVehicle]:
        """The vehicles by serial number."""
        return {serial: one.vehicle for serial, one in self.at_broker.items()}

    async def __aenter__(self) -> Self:
        await asyncio.gather(*(one.start() for one in self.at_broker.values()))
        began = time.monotonic()
        share = self._state_every_s / max(1, len(self.at_broker))
        self._due = {serial: began + share * i for i, serial in enumerate(self.at_broker)}
        self._task = asyncio.create_task(self._run(), name="simulated fleet")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._task is not None:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
        finally:
            await asyncio.gather(*(one.stop() for one in self.at_broker.values()))

    async def wait_connected(self, timeout_s: float) -> None:
        """Return when all vehicles are at the broker.

        Raises:
            Unavailable: one is not in time.
        """
        await asyncio.gather(
            *(one.link.wait_connected(timeout_s) for one in self.at_broker.values())
        )

    async def _run(self) -> None:
        """Step all vehicles on a schedule that does not drift, and let them speak when due."""
        due = before = time.monotonic()
        while True:
            due = max(due + STEP_S, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            now = time.monotonic()
            passed_s = min(now - before, _LONGEST_STEP_S) * self._pace
            before = now
            for one in self.at_broker.values():
                one.vehicle.step(passed_s)
            await self._speak(now)

    async def _speak(self, now: float) -> None:
        for serial, one in self.at_broker.items():
            if one.link.up and (one.vehicle.news or now >= self._due[serial]):
                self._due[serial] = now + self._state_every_s
                await one.tell()


def grid(columns: int, rows: int, spacing_m: float = 4.0) -> Layout:
    """Return a grid of two-way edges, its nodes named ``n<column>-<row>``."""
    nodes = {
        f"n{column}-{row}": {"x": column * spacing_m, "y": row * spacing_m}
        for column in range(columns)
        for row in range(rows)
    }
    edges: list[dict[str, str]] = []
    for column in range(columns):
        for row in range(rows):
            if column + 1 < columns:
                edges.append({"from": f"n{column}-{row}", "to": f"n{column + 1}-{row}"})
            if row + 1 < rows:
                edges.append({"from": f"n{column}-{row}", "to": f"n{column}-{row + 1}"})
    return Layout.model_validate({"nodes": nodes, "edges": edges})


def spread(layout: Layout, count: int) -> dict[str, str]:
    """Place ``count`` vehicles on nodes far apart: serial number to node."""
    names: Sequence[str] = list(layout.nodes)
    return {f"agv{number + 1:03d}": names[number * len(names) // count] for number in range(count)}
