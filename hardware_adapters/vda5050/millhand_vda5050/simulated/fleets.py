"""Several fleets at one broker: what the process serves that a scenario's simulation starts.

``python -m millhand_vda5050.simulated --config fleets.json`` writes one JSON line once all vehicles
are at the broker, lets them drive, and ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from millhand.errors import ConfigError, MillhandError
from millhand.isolate.server_process import watch_parent
from millhand.messages import tr
from millhand.scenario.units import Duration
from millhand_mqtt.broker import BrokerConfig
from millhand_vda5050.layout import Layout
from millhand_vda5050.simulated.broker import PROTOCOL, embedded_broker, free_port
from millhand_vda5050.simulated.fleet import SimulatedFleet
from millhand_vda5050.simulated.world import Character
from millhand_vda5050.wire.codec import Version

_CONNECT_S = 30.0


class FleetsConfig(BaseModel):
    """Fleets of simulated vehicles at one broker, all on the same ways, each with them alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: Path = Field(description="JSON file with nodes and edges.")
    fleets: dict[str, dict[str, str]] = Field(
        min_length=1,
        description="For each device of the scenario its vehicles: serial number and the node "
        "where it stands in the beginning.",
    )
    broker: str = Field(
        default="",
        description="URL of an MQTT broker; left out, a small one (amqtt, MQTT 3.1.1) is started.",
    )
    version: Version = Field(default=Version.V2, description="Version of VDA 5050.")
    manufacturer: str = Field(default="millhand", description="As in their topics.")
    pace: float = Field(default=1.0, gt=0, le=7200, description="Times faster than real time.")
    speed: float = Field(default=1.5, gt=0, le=100, description="Speed in m/s.")
    handling: Duration = Field(default=30.0, description="How long picking or dropping takes.")
    state_every: Duration = Field(
        default=1.0, description="Longest real time between two states of a vehicle."
    )
    deeds: Path | None = Field(
        default=None, description="File that gets what the vehicles really did, at the end."
    )


def check_fleets(config: FleetsConfig) -> Layout:
    """Return the layout that the fleets drive on.

    Raises:
        ConfigError: it cannot be read, a vehicle stands nowhere, or a serial number is there twice.
    """
    layout = Layout.load(config.layout)
    serials = [serial for fleet in config.fleets.values() for serial in fleet]
    twice = next((serial for serial in serials if serials.count(serial) > 1), None)
    if twice is not None:
        raise ConfigError(
            tr("The serial number {serial} is given twice.", serial=twice),
            mend=tr("Give each vehicle a serial number of its own: it is part of its topics."),
        )
    for fleet in config.fleets.values():
        for serial, node in fleet.items():
            if node not in layout.nodes:
                raise ConfigError(
                    tr("{serial} stands at {node}, which the layout has not.",
                       serial=serial, node=node),
                    mend=tr("Name a node of {file}.", file=config.layout),
                )  # fmt: skip
    return layout


def _deeds(fleets: dict[str, SimulatedFleet]) -> dict[str, object]:
    """Return what vehicles really did, by device: actions, orders, metres, conflicts."""
    return {
        device: {
            "conflicts": fleet.world.conflicts,
            "vehicles": {
                serial: {
                    "executed": one.executed,
                    "orders": len(one.begun),
                    "duplicates": one.duplicates,
                    "travelled_m": round(one.travelled, 1),
                    "charge_percent": round(one.charge, 1),
                }
                for serial, one in fleet.vehicles.items()
            },
        }
        for device, fleet in fleets.items()
    }


async def _run(config: FleetsConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    watch_parent(lambda: loop.call_soon_threadsafe(stop.set))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    layout = check_fleets(config)
    async with AsyncExitStack() as stack:
        options = {"url": config.broker}
        if not config.broker:
            url = await stack.enter_async_context(embedded_broker(free_port()))
            options = {"url": url, "protocol": PROTOCOL}
        broker = BrokerConfig.model_validate(options)
        fleets = {
            device: await stack.enter_async_context(_fleet(config, starts, layout, broker))
            for device, starts in config.fleets.items()
        }
        for fleet in fleets.values():
            await fleet.wait_connected(_CONNECT_S)
        sys.stdout.write(json.dumps({"url": options["url"]}) + "\n")
        sys.stdout.flush()
        await stop.wait()
        if config.deeds is not None:
            config.deeds.write_text(json.dumps(_deeds(fleets), indent=1), encoding="utf-8")


def _fleet(
    config: FleetsConfig, starts: dict[str, str], layout: Layout, broker: BrokerConfig
) -> SimulatedFleet:
    return SimulatedFleet(
        starts,
        layout,
        broker,
        version=config.version,
        manufacturer=config.manufacturer,
        character=Character(speed=config.speed, handling_s=config.handling),
        state_every_s=config.state_every,
        pace=config.pace,
    )


def main(config_file: Path) -> int:
    """Let vehicles drive until told to end; return the exit code, 2 for a configuration error."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        config = FleetsConfig.model_validate_json(config_file.read_bytes())
        asyncio.run(_run(config))
    except (OSError, ValidationError, MillhandError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0
