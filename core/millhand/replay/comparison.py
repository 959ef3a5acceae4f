"""What a replay comes to: how many decisions stayed, which turned, who was right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from millhand.contracts.decision import Verdict
from millhand.feedback.pairs import was_good
from millhand.feedback.promotion import MARGIN
from millhand.journal.entries import Entry
from millhand.journal.records import Intent, Review
from millhand.replay.replay import Replayed
from millhand.statistics.betting import NotWorse


@dataclass(slots=True)
class Right:
    """How often a verdict was right of the parts that a person has judged.

    *Not decidable* is never right and never wrong: it left the part to a person.
    """

    right: int = 0
    wrong: int = 0
    undecided: int = 0

    def count(self, verdict: Verdict | None, *, good: bool) -> bool:
        """Count one verdict on a part that was good, or was not; return whether it was right."""
        if verdict not in (Verdict.OK, Verdict.NOT_OK):
            self.undecided += 1
            return False
        right = (verdict is Verdict.OK) is good
        self.right += right
        self.wrong += not right
        return right


@dataclass(slots=True)
class Comparison:
    """Decisions then and now, counted as they come."""

    labels: Mapping[str, bool] = field(default_factory=dict)
    """Decision to whether a person found the part good; see :func:`judged_by_people`."""
    replayed: int = 0
    same: int = 0
    """Equal in everything, bit for bit."""
    turned: list[Replayed] = field(default_factory=list)
    """Those whose verdict is another, in the journal's order."""
    missing: list[tuple[Entry, str]] = field(default_factory=list)
    """Those that could not be decided again, with the reason."""
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many went from the first verdict to the second."""
    largest_change: float = 0.0
    """Of any score, absolute."""
    then: Right = field(default_factory=Right)
    now: Right = field(default_factory=Right)
    not_worse: NotWorse = field(default_factory=lambda: NotWorse(MARGIN))
    """Evidence from the parts that people judged, which they chose: no sample of all parts."""

    def add(self, one: Replayed) -> None:
        """Count one decision."""
        self.replayed += 1
        self.same += one.same
        self.verdicts[_word(one.then.verdict), _word(one.now.verdict)] += 1
        if one.turned:
            self.turned.append(one)
        shared = one.then.scores.keys() & one.now.scores.keys()
        changes = [abs(one.then.scores[name] - one.now.scores[name]) for name in shared]
        self.largest_change = max([self.largest_change, *changes])
        good = self.labels.get(one.entry.id)
        if good is not None:
            self.not_worse.add(
                a_right=self.then.count(one.then.verdict, good=good),
                b_right=self.now.count(one.now.verdict, good=good),
            )


def judged_by_people(entries: Iterable[Entry]) -> dict[str, bool]:
    """Return for each decision that a person reviewed whether the part was good.

    Args:
        entries: intents and reviews, in the journal's order.
    """
    verdicts: dict[str, Verdict | None] = {}
    found: dict[str, bool] = {}
    for entry in entries:
        record = entry.record
        if isinstance(record, Intent):
            verdicts[entry.id] = record.decision.verdict
        elif isinstance(record, Review):
            good = was_good(record, verdicts.get(record.decision))
            if good is not None:
                found[record.decision] = good
    return found


def _word(verdict: Verdict | None) -> str:
    return "" if verdict is None else verdict.value
