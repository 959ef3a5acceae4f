"""Re-running what was recorded: the same observation through an agent, and what it says now."""

from millhand.replay.candidate import with_candidates
from millhand.replay.comparison import Comparison, judged_by_people
from millhand.replay.replay import Replayed, decide_again, decided_by, replay

__all__ = [
    "Comparison",
    "Replayed",
    "decide_again",
    "decided_by",
    "judged_by_people",
    "replay",
    "with_candidates",
]
