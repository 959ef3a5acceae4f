"""What an agent is allowed to do right now."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """Modes of an agent, from harmless to acting. The default is ``SHADOW``."""

    OFF = "off"
    SHADOW = "shadow"
    """Decides and is journalled; nothing is written."""
    ADVISE = "advise"
    """Proposes; a person approves. Not for part-bound actions, which cannot wait."""
    CONTROL = "control"

    @property
    def rank(self) -> int:
        """0 for off, up to 3 for control."""
        return _RANKS[self]

    def at_most(self, other: Mode) -> Mode:
        """Return the more harmless of the two modes."""
        return self if self.rank <= other.rank else other


_RANKS = {mode: rank for rank, mode in enumerate(Mode)}
