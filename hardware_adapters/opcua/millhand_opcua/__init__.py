"""OPC UA adapter for Millhand, on asyncua."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.messages import tr
from millhand.plugins import hookimpl
from millhand.plugins.registrations import AdapterType, Capabilities, Face


@hookimpl
def millhand_capabilities() -> Capabilities:
    """Say that the adapter opens network connections and writes into controllers."""
    return Capabilities(
        network=True,
        writes_hardware=True,
        notes=tr("Connects only to the OPC UA servers that the scenario names."),
    )


@hookimpl
def millhand_adapters() -> Sequence[AdapterType]:
    """Register ``opcua``; asyncua is imported when the adapter is first used."""
    return (
        AdapterType(
            name="opcua",
            target="millhand_opcua.adapter:OpcUa",
            summary=tr("Tags of an OPC UA server"),
            faces=frozenset({Face.TAGS}),
            schemes=("opc.tcp",),
        ),
    )
