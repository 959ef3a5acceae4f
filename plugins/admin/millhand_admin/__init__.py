"""Clerical agents for Millhand: documents, tickets, reports."""

from __future__ import annotations

from millhand.plugins import hookimpl
from millhand.plugins.registrations import Capabilities


@hookimpl
def millhand_capabilities() -> Capabilities:
    """State that papers are read and nothing is reached."""
    return Capabilities(notes="Reads documents that the scenario's devices receive.")
