"""The immutable snapshot that an agent decides on."""

from __future__ import annotations

from msgspec import Struct

from millhand.contracts.frames import Document, Frame
from millhand.contracts.samples import Sample
from millhand.contracts.triggers import Trigger

Memory = dict[str, "None | bool | int | float | str | list[None | bool | int | float | str]"]
"""An agent's own small persistent memory: flat, JSON-like, at most 16 KiB encoded."""


class Observation(Struct, frozen=True, kw_only=True):
    """Everything that a decision may depend on.

    ``samples``, ``frames``, ``documents`` and ``models`` are keyed by the *role* that the agent
    gave them in its :class:`~millhand.contracts.agent.Needs`, never by the scenario's names.
    ``models`` says which package is pinned for each role; the worker hands over the sessions.
    """

    id: str
    """The decision's id, unique in the cell: ``<cell>.<boot>.<number>``."""
    agent: str
    trigger: Trigger
    product: str | None = None
    lot: str | None = None
    samples: dict[str, Sample] = {}
    frames: dict[str, Frame] = {}
    documents: dict[str, Document] = {}
    memory: Memory = {}
    models: dict[str, str] = {}
    budget: dict[str, int] = {}
    """Bounds on work inside ``decide`` as counts (samples, iterations)."""
