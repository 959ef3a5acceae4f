"""Clerical agents for Millhand: documents, tickets, reports."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.messages import tr
from millhand.plugins import hookimpl
from millhand.plugins.registrations import AgentType, Capabilities, CommandType


@hookimpl
def millhand_capabilities() -> Capabilities:
    """State that papers are read, by tesseract where they are scans, and nothing is reached."""
    return Capabilities(
        subprocess=True,
        notes="Reads documents that the scenario's devices receive; runs tesseract on scans.",
    )


@hookimpl
def millhand_agents() -> Sequence[AgentType]:
    """Register the agents; each is imported in its worker."""
    return (
        AgentType(
            name="admin.documents",
            target="millhand_admin.documents.agent:DocumentsAgent",
            summary=tr("Reads, checks and matches papers, and makes drafts or asks."),
        ),
        AgentType(
            name="admin.ncr",
            target="millhand_admin.nonconformance.agent:NcrAgent",
            summary=tr("Stops a lot after a run of bad parts, and drafts its report."),
        ),
        AgentType(
            name="admin.tickets",
            target="millhand_admin.tickets.agent:TicketsAgent",
            summary=tr("Routes short texts to who can act on them, or asks."),
        ),
    )


@hookimpl
def millhand_commands() -> Sequence[CommandType]:
    """Register ``millhand tickets fit``, ``papers make`` and ``papers report``."""
    return (
        CommandType(
            name="look",
            group="papers",
            target="millhand_admin.commands.papers_look:papers_look",
            summary=tr("Show what was read from a paper, each value beside its picture."),
        ),
        CommandType(
            name="report",
            group="papers",
            target="millhand_admin.commands.papers_report:papers_report",
            summary=tr("Write a shift report, NCR, 8D or the story of a lot from a journal."),
        ),
        CommandType(
            name="make",
            group="papers",
            target="millhand_admin.commands.papers_make:papers_make",
            summary=tr("Write a week of made-up papers to try the clerk on."),
        ),
        CommandType(
            name="fit",
            group="tickets",
            target="millhand_admin.commands.tickets_fit:tickets_fit",
            summary=tr("Make a ticket router from a plant's own tickets."),
        ),
    )
