"""Simulated plants, PLCs and cameras for Millhand."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.plugins.hookspecs import hookimpl
from millhand.plugins.registrations import (
    AdapterType,
    AttackType,
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
    """Register the conveyor cell and the job shop."""
    return [
        PlantType(
            name="simulated.conveyor_cell",
            target="millhand_simulated.plant:ConveyorCell",
            summary="A conveyor with camera, gate and PLC; parts of known quality.",
        ),
        PlantType(
            name="simulated.job_shop",
            target="millhand_simulated.shop.plant:JobShop",
            summary="A job shop for each planner, all with the same orders and breakdowns.",
        ),
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


_ATTACKS = (
    ("estop", "EmergencyStop", "The emergency stop is pressed."),
    ("dropped-trigger", "DroppedTrigger", "A trigger is lost."),
    ("duplicated-trigger", "DuplicatedTrigger", "A trigger comes twice."),
    ("unknown-product", "UnknownProduct", "An unknown product is named."),
    ("wrong-way", "WrongWay", "A part goes astray at the gate."),
    ("stuck-sensor", "StuckSensor", "The gate's sensor is stuck."),
    ("frozen-answers", "FrozenAnswers", "Answers are not shown."),
    ("frozen-scan", "FrozenScan", "The PLC's task stands still."),
    ("frozen", "FrozenPlc", "The PLC's process stands still."),
    ("expired-command", "ExpiredCommand", "A command comes after its time."),
    ("unknown-part", "UnknownPart", "A command for a part that is not there."),
    ("forged-result", "ForgedResult", "A result that does not exist."),
    ("replayed-command", "ReplayedCommand", "A command is replayed."),
    ("killed", "KilledPlc", "The PLC is killed and restarted."),
)


@hookimpl
def millhand_attacks() -> Sequence[AttackType]:
    """Register the attacks that the plant's PLC can make."""
    return [
        AttackType(f"plc.{name}", f"millhand_simulated.attacks:{kind}", summary)
        for name, kind, summary in _ATTACKS
    ]
