"""MQTT adapter for Millhand, on paho-mqtt."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.messages import tr
from millhand.plugins import hookimpl
from millhand.plugins.registrations import AdapterType, Capabilities, Face


@hookimpl
def millhand_capabilities() -> Capabilities:
    """Say that the adapter opens network connections and publishes to devices."""
    return Capabilities(
        network=True,
        writes_hardware=True,
        notes=tr("Connects only to the MQTT brokers that the scenario names."),
    )


@hookimpl
def millhand_adapters() -> Sequence[AdapterType]:
    """Register ``mqtt``; paho-mqtt is imported when the adapter is first used."""
    return (
        AdapterType(
            name="mqtt",
            target="millhand_mqtt.adapter:Mqtt",
            summary=tr("Tags in the messages of an MQTT broker"),
            faces=frozenset({Face.TAGS}),
        ),
    )
