"""A checkweigher for Millhand."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.plugins import AgentType, Capabilities, hookimpl


@hookimpl
def millhand_capabilities() -> Capabilities:
    """Say that the plugin only computes."""
    return Capabilities(notes="Reads one value of each part; writes nothing itself.")


@hookimpl
def millhand_agents() -> Sequence[AgentType]:
    """Register the checkweigher."""
    return [
        AgentType(
            name="acme.checkweigher",
            target="millhand_acme_agent.agent:Checkweigher",
            summary="Tells parts of the right weight from others.",
        )
    ]
