"""Simulated plants, PLCs and cameras for Millhand."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.plugins.hookspecs import hookimpl
from millhand.plugins.registrations import (
    AdapterType,
    Capabilities,
    CommandType,
    Face,
    PlantType,
)


@hookimpl
def millhand_capabilities() -> Capabilities:
    """Say that the plant runs as a process of its own and listens on the network."""
    return Capabilities(
        network=True,
        subprocess=True,
        notes="A simulated plant listens on loopback unless its host says otherwise.",
    )


@hookimpl
def millhand_plants() -> Sequence[PlantType]:
    """Register the conveyor cell."""
    return [
        PlantType(
            name="simulated.conveyor_cell",
            target="millhand_simulated.plant:ConveyorCell",
            summary="A conveyor with camera, gate and PLC; parts of known quality.",
        )
    ]


@hookimpl
def millhand_adapters() -> Sequence[AdapterType]:
    """Register the camera that renders the part which the PLC names, and the reject gantry."""
    return [
        AdapterType(
            name="simulated.camera",
            target="millhand_simulated.camera:SimulatedCamera",
            summary="Renders the part that the PLC says is before it.",
            faces=frozenset({Face.CAMERA}),
        ),
        AdapterType(
            name="simulated.gantry",
            target="millhand_simulated.gantry.adapter:SimulatedGantry",
            summary="Takes parts from the belt and drops them into bins.",
            faces=frozenset({Face.ROBOT}),
        ),
    ]


@hookimpl
def millhand_commands() -> Sequence[CommandType]:
    """Register what writes rendered parts as pictures."""
    return [
        CommandType(
            name="pictures",
            target="millhand_simulated.parts.command:pictures",
            summary="Render parts, good and defective, as a folder of pictures.",
            group="simulated",
        )
    ]
