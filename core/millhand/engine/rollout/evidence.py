"""What is known of a second model against the live one, kept up to date as the journal grows."""

from __future__ import annotations

from millhand.feedback.pairs import PAIR_KINDS, Pairs
from millhand.feedback.promotion import Proof, better, not_worse
from millhand.journal.journal import Journal
from millhand.scenario.learning import Rollout as Rules


class Evidence:
    """Reads the pairs of one agent's models, each entry once.

    Args:
        journal: the cell's.
        agent: whose models they are.
        rules: margins and levels, as the scenario states them.
    """

    def __init__(self, journal: Journal, agent: str, rules: Rules) -> None:
        self.rules = rules
        self._journal = journal
        self._agent = agent
        self._pairs: Pairs | None = None

    def watch(self, package: str | None) -> None:
        """Look at the pairs with another package from now on; None where there is none."""
        if package is None:
            self._pairs = None
        elif self._pairs is None or self._pairs.package != package:
            self._pairs = Pairs(self._agent, package)

    def of_candidate(self, package: str) -> Proof:
        """Weigh whether a candidate is not worse than the live model. Blocks."""
        return not_worse(
            self._read(package)[0], margin=self.rules.margin, alpha=self.rules.alpha,
            escape_margin=self.rules.escape_margin,
        )  # fmt: skip

    def news_of_previous(self, package: str) -> Proof | None:
        """Weigh whether the model that was live before is better; None without news. Blocks."""
        pairs, told = self._read(package)
        return better(pairs, alpha=self.rules.alpha) if told else None

    def _read(self, package: str) -> tuple[Pairs, int]:
        pairs = self._pairs
        if pairs is None or pairs.package != package:
            pairs = self._pairs = Pairs(self._agent, package)
        entries = self._journal.read(pairs.after, kinds=PAIR_KINDS, limit=None)
        return pairs, pairs.take(entries)
