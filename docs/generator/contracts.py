"""The page on the contracts: what agents and adapters implement and exchange."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import millhand.contracts
from generator.markdown import HEAD, plain
from generator.structs import described

ROOMS = {
    "agent": "Agents",
    "observation": "Observations",
    "triggers": "Triggers",
    "samples": "Samples",
    "frames": "Pictures and documents",
    "decision": "Decisions",
    "events": "Events",
    "modes": "Modes",
    "adapters": "Adapters",
    "command": "Commands, writes and answers",
    "plant": "Simulated plants",
}
"""Modules of ``millhand.contracts`` in the order of the page."""


def page() -> str:
    """Write the page."""
    return "\n".join(_sections())


def _sections() -> Iterator[str]:
    yield "# Contracts\n"
    yield HEAD
    yield (
        "Import them from `millhand.contracts`. Records are immutable `msgspec` structs. How to "
        "use them: [write an agent](../how-to/write-an-agent.md), "
        "[write an adapter](../how-to/write-an-adapter.md).\n"
    )
    public = set(millhand.contracts.__all__)
    for room, title in ROOMS.items():
        module = importlib.import_module(f"millhand.contracts.{room}")
        names = [name for name in vars(module) if name in public or room == "plant"]
        yield f"## {title}\n"
        yield plain(module.__doc__ or "") + "\n"
        yield from described(module, names)
