"""One simulated vehicle in a process of its own: ``vehicle_peer.py PORT BROKER_URL``."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import structlog

from millhand_mqtt.broker import BrokerConfig
from millhand_vda5050.simulated.fleet import SimulatedFleet, grid
from millhand_vda5050.simulated.world import Character


def fleet_at(url: str) -> SimulatedFleet:
    return SimulatedFleet(
        {"agv1": "n0-0"},
        grid(6, 1),
        BrokerConfig.model_validate({"url": url, "retry_limit_s": 0.1}),
        character=Character(speed=4.0, acceleration=40.0, handling_s=0.1),
        state_every_s=0.2,
    )


async def answer(question: dict[str, Any], fleet: SimulatedFleet, url: str) -> Any:
    if question["do"] == "anew":
        await fleet.__aexit__(None, None, None)
        fleet = fleet_at(url)
        await fleet.__aenter__()
        await fleet.wait_connected(20)
        return fleet, {"done": True}
    truth = fleet.vehicles["agv1"]
    return fleet, {
        "at": truth.state(0).last_node,
        "moving": truth.moving,
        "begun": len(truth.begun),
    }


async def main() -> None:
    url = sys.argv[2]
    fleet = fleet_at(url)
    await fleet.__aenter__()
    await fleet.wait_connected(20)
    print(json.dumps({"ready": 0}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        fleet, told = await answer(json.loads(line), fleet, url)
        print(json.dumps(told), flush=True)
    await fleet.__aexit__(None, None, None)


structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
asyncio.run(main())
