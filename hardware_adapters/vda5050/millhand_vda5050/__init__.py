"""VDA 5050 vehicles for Millhand: fleet control over MQTT, and a simulated fleet."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.messages import tr
from millhand.plugins import hookimpl
from millhand.plugins.registrations import AdapterType, Capabilities, CommandType, Face, PlantType


@hookimpl
def millhand_capabilities() -> Capabilities:
    """Say that the adapter opens network connections and moves vehicles."""
    return Capabilities(
        network=True,
        writes_hardware=True,
        notes=tr("Connects only to the MQTT brokers that the scenario names."),
    )


@hookimpl
def millhand_adapters() -> Sequence[AdapterType]:
    """Register ``vda5050``; paho-mqtt is imported when the adapter is first used."""
    return (
        AdapterType(
            name="vda5050",
            target="millhand_vda5050.adapter:Vda5050",
            summary=tr("Vehicles that speak VDA 5050 over MQTT"),
            faces=frozenset({Face.ROBOT, Face.TAGS}),
        ),
    )


@hookimpl
def millhand_plants() -> Sequence[PlantType]:
    """Register simulated fleets, which serve beside another plant."""
    return (
        PlantType(
            name="vda5050.fleets",
            target="millhand_vda5050.simulated.plant:SimulatedFleets",
            summary=tr("Simulated vehicles at a broker, for plants that need transports."),
        ),
    )


@hookimpl
def millhand_commands() -> Sequence[CommandType]:
    """Register what lets simulated vehicles drive."""
    return (
        CommandType(
            name="fleet",
            target="millhand_vda5050.simulated.command:fleet",
            summary=tr("Let simulated vehicles drive by VDA 5050."),
            group="simulated",
        ),
    )
