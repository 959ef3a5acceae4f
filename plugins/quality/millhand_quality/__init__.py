"""Quality inspection agents for Millhand."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.messages import tr
from millhand.plugins import hookimpl
from millhand.plugins.registrations import AgentType, Capabilities, CommandType


@hookimpl
def millhand_capabilities() -> Capabilities:
    """State that the plugin reads pictures and models and reaches nothing else."""
    return Capabilities(notes="`millhand inspect fit` reads pictures and writes a package.")


@hookimpl
def millhand_agents() -> Sequence[AgentType]:
    """Register the agents; each is imported in its worker."""
    return (
        AgentType(
            name="quality.inspect",
            target="millhand_quality.inspect.agent:InspectAgent",
            summary=tr("Tells good parts from others by a picture, taught by good ones alone."),
        ),
    )


@hookimpl
def millhand_commands() -> Sequence[CommandType]:
    """Register ``millhand inspect fit`` and ``millhand inspect score``."""
    return (
        CommandType(
            name="fit",
            group="inspect",
            target="millhand_quality.inspect.commands.fit:fit",
            summary=tr("Make a model package from a folder of good pictures."),
        ),
        CommandType(
            name="score",
            group="inspect",
            target="millhand_quality.inspect.commands.score:score",
            summary=tr("Judge pictures with a package and say why."),
        ),
    )
