"""Scales for Millhand that speak lines over TCP."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.plugins import AdapterType, Capabilities, Face, hookimpl


@hookimpl
def millhand_capabilities() -> Capabilities:
    """Say that scales are on the network and that their tare can be set."""
    return Capabilities(
        network=True,
        writes_hardware=True,
        notes="Connects only to the scales that the scenario names.",
    )


@hookimpl
def millhand_adapters() -> Sequence[AdapterType]:
    """Register the scale."""
    return [
        AdapterType(
            name="acme.scale",
            target="millhand_acme_adapter.adapter:Scale",
            summary="Weight and tare of a scale on TCP (MT-SICS: SI, TA).",
            faces=frozenset({Face.TAGS}),
        )
    ]
