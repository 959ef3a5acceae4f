"""Re-running what was recorded: the same observation through an agent, and what it says now."""

from millhand.replay.replay import Replayed, replay

__all__ = ["Replayed", "replay"]
