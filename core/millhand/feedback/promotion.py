"""Whether a candidate may be promoted, or a promotion is to be undone: tests that may be watched.

Two models decide the same parts. Where they agree, the pair tells nothing of which is better and
no person need be asked; where they differ, an answer tells. What nobody has answered yet, or could
not tell, counts as the worst that it can be for the model that is to be shown good. The evidence
can then only be lower than with all answers known, so that leaving questions open, or answering
in any order, never promotes (nor brings back) anything; and as the test may be watched, looking
after every answer does not either. See :mod:`millhand.statistics.betting` for the method. For how
often a verdict is right, the bet follows how often the two differ, which all can see
(:mod:`millhand.statistics.betting_on_differences`); how often a defective part passes is rarer
than that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from millhand.feedback.pairs import Criterion, Pair, Pairs, fares

if TYPE_CHECKING:
    from millhand.statistics.betting import NotWorse
    from millhand.statistics.betting_on_differences import NotWorseByDifferences

MARGIN = 0.02
"""How much less often a candidate may be right and still be promoted."""
ALPHA = 0.05
"""Probability that one which is worse by the margin is promoted, ever."""


class Proof(Struct, frozen=True, kw_only=True):
    """What is known of one model against the one that is live."""

    agent: str
    package: str
    pairs: int
    differing: int
    """Pairs with different verdicts."""
    answered: int
    """Of these, how many a person has judged."""
    right: int
    """Of the answered, how often this package was right."""
    live_right: int
    evidence: dict[Criterion, float]
    """1 at the start; 1/alpha is proof."""
    shown: frozenset[Criterion]
    """By which criteria it was shown, now or at an earlier look."""
    open_questions: tuple[str, ...]
    """Decisions that nobody has judged, the oldest first."""

    @property
    def not_worse(self) -> bool:
        """Whether it was shown by every criterion."""
        return self.shown == frozenset(Criterion)


def not_worse(
    pairs: Pairs,
    *,
    margin: float = MARGIN,
    alpha: float = ALPHA,
    escape_margin: float | None = None,
) -> Proof:
    """Weigh whether the other model is not worse than the live one, by every criterion.

    All three have to be shown, each at ``alpha``; a candidate that is worse by the margin in any
    of them is then promoted with a probability of at most ``alpha`` (an intersection-union test,
    Berger, Technometrics 24, 1982), without a correction for their number.

    Args:
        pairs: of the live model and the candidate.
        margin: see :class:`~millhand.statistics.betting.NotWorse`.
        alpha: likewise.
        escape_margin: how much more often it may let a defective part pass; ``margin`` where
            left out.
    """
    margins = dict.fromkeys(Criterion, margin)
    if escape_margin is not None:
        margins[Criterion.NO_ESCAPE] = escape_margin
    return _weigh(pairs, margins, alpha)


def better(pairs: Pairs, *, alpha: float = ALPHA) -> Proof:
    """Weigh whether the other model is better than the live one: reason to go back to it.

    Any of the criteria suffices, so that each is tested at a third of ``alpha`` (Bonferroni).

    Args:
        pairs: of the live model and the one that was live before.
        alpha: probability of going back, ever, from a model that is as good.
    """
    return _weigh(pairs, dict.fromkeys(Criterion, 0.0), alpha / len(Criterion))


def _weigh(pairs: Pairs, margins: Mapping[Criterion, float], alpha: float) -> Proof:
    tests = {criterion: _test(criterion, margin, alpha) for criterion, margin in margins.items()}
    right = live_right = differing = answered = ties = 0
    unknown: list[str] = []
    for decision, pair in pairs.pairs.items():
        if not pair.differs:
            ties += 1
            continue
        differing += 1
        good = pairs.good(decision)
        if good is None:
            if decision not in pairs.reviews:
                unknown.append(decision)
        else:
            answered += 1
            live_right += fares(pair.live, Criterion.RIGHT, good=good)
            right += fares(pair.other, Criterion.RIGHT, good=good)
        for criterion, test in tests.items():
            test.add_ties(ties)
            live, other = _worst(pair, criterion, good)
            test.add(a_right=live, b_right=other)
        ties = 0
    for test in tests.values():
        test.add_ties(ties)
    return Proof(
        agent=pairs.agent,
        package=pairs.package,
        pairs=len(pairs.pairs),
        differing=differing,
        answered=answered,
        right=right,
        live_right=live_right,
        evidence={criterion: test.evidence for criterion, test in tests.items()},
        shown=frozenset(criterion for criterion, test in tests.items() if test.shown),
        open_questions=tuple(unknown),
    )


def _test(criterion: Criterion, margin: float, alpha: float) -> NotWorse | NotWorseByDifferences:
    # with it comes numpy, which few cells need
    from millhand.statistics.betting import NotWorse
    from millhand.statistics.betting_on_differences import NotWorseByDifferences

    if margin > 0 and criterion is not Criterion.NO_ESCAPE:
        return NotWorseByDifferences(margin, alpha)
    return NotWorse(margin, alpha)


def _worst(pair: Pair, criterion: Criterion, good: bool | None) -> tuple[bool, bool]:
    """Say how the two fare; where it is not known what the part was, at the other's worst."""
    found = [
        (fares(pair.live, criterion, good=truth), fares(pair.other, criterion, good=truth))
        for truth in ((True, False) if good is None else (good,))
    ]
    return min(found, key=lambda fare: fare[1] - fare[0])
