"""Clerical agents for Millhand: documents, tickets, reports."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.messages import tr
from millhand.plugins import hookimpl
from millhand.plugins.registrations import AgentType, Capabilities


@hookimpl
def millhand_capabilities() -> Capabilities:
    """State that papers are read and nothing is reached."""
    return Capabilities(notes="Reads documents that the scenario's devices receive.")


@hookimpl
def millhand_agents() -> Sequence[AgentType]:
    """Register the agents; each is imported in its worker."""
    return (
        AgentType(
            name="admin.documents",
            target="millhand_admin.documents.agent:DocumentsAgent",
            summary=tr("Reads, checks and matches papers, and makes drafts or asks."),
        ),
    )
