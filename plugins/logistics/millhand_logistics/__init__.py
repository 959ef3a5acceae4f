"""Logistics agents for Millhand."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.messages import tr
from millhand.plugins import hookimpl
from millhand.plugins.registrations import AgentType, Capabilities, CommandType


@hookimpl
def millhand_capabilities() -> Capabilities:
    """State that the plugin reads shops and writes what it is told to, and reaches nothing else."""
    return Capabilities(notes="`millhand plan` reads a shop and may write a picture of its plan.")


@hookimpl
def millhand_agents() -> Sequence[AgentType]:
    """Register the agents."""
    return (
        AgentType(
            name="logistics.fleet",
            target="millhand_logistics.fleet.agent:FleetAgent",
            summary=tr("Gives transport orders to vehicles and leads them there."),
        ),
    )


@hookimpl
def millhand_commands() -> Sequence[CommandType]:
    """Register ``millhand plan``."""
    return (
        CommandType(
            name="plan",
            target="millhand_logistics.schedule.commands.plan:plan",
            summary=tr("Plan a shop: when each operation runs on which machine, and why."),
        ),
    )
