"""When a cell has paid for itself, against what was done before: an interval, by Monte Carlo.

Every figure with a range is drawn from a triangle over it, and how good the cell and the method
before are from what is known of them: of the cell the run itself (Jeffreys' posterior of its
escapes, false rejects and late answers), of the method before what the scenario says. No figure
is better than its assumption, so all of them are listed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from millhand.ledger.costs import HOURS_A_YEAR, Costs
from millhand.ledger.score import Score
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.scenario.economy import Baseline, Economy, Figure

DRAWS = 10_000
_BINS = 30
Draws = NDArray[np.float64]
Draw = Callable[[str, "Figure"], Draws]
"""Draws a figure that is named, and notes that it went in."""


class Assumption(Struct, frozen=True, kw_only=True):
    """A figure that went in."""

    name: str
    low: float
    amount: float
    high: float
    source: str


class Payback(Struct, frozen=True, kw_only=True):
    """What a year saves, and after how many years the investment has come back."""

    currency: str
    method: str
    """What it is compared with."""
    saving_low: float
    saving: float
    saving_high: float
    """Of a year: the 5th, 50th and 95th of a hundred draws."""
    years_low: float | None
    years: float | None
    years_high: float | None
    """Likewise; None where that many draws never pay back."""
    never: float
    """Share of the draws that never pay back."""
    counts: tuple[int, ...]
    """Draws by years to pay back, in equal steps up to ``longest``."""
    longest: float
    assumptions: tuple[Assumption, ...]


def payback_of(
    score: Score, costs: Costs, run_s: float, economy: Economy, *, seed: int = 0
) -> Payback | None:
    """Return the payback; None where the scenario leaves out what it takes.

    Args:
        score: how good the cell was, by the truth.
        costs: what the run's decisions cost.
        run_s: how long it took.
        economy: prices, the method before, the investment, parts a year.
        seed: of the draws.
    """
    baseline, investment, parts = economy.baseline, economy.investment, economy.parts_a_year
    if baseline is None or investment is None or parts is None or economy.escaped_defect is None:
        return None
    rng = np.random.default_rng(seed)
    named: list[tuple[str, Figure]] = []

    def draw(name: str, figure: Figure) -> Draws:
        named.append((name, figure))
        return _triangle(rng, figure)

    escape = draw(tr("an escape"), economy.escaped_defect)
    price = economy.false_reject or economy.scrapped_part
    reject = draw(tr("a false reject"), price) if price is not None else np.zeros(DRAWS)
    hour = (
        draw(tr("an operator's hour"), economy.operator_hour)
        if economy.operator_hour is not None
        else np.zeros(DRAWS)
    )
    defective = _defective(draw, score, baseline)
    before = _before(draw, baseline, defective, escape, reject, hour)
    after = _now(rng, score, defective, escape, reject, _undecided(draw, score, economy, hour))
    a_year = draw(tr("parts a year"), parts)
    running = _running(rng, costs, run_s)
    saving = (before - after) * a_year - running
    put_up = draw(tr("investment"), investment)
    return _summed(saving, put_up, economy.currency, baseline.method, _listed(named))


def _defective(draw: Draw, score: Score, baseline: Baseline) -> Draws:
    if baseline.defective is not None:
        return draw(tr("share that is defective"), baseline.defective)
    share = (score.defective + 0.5) / (score.defective + score.good + 1)
    return np.full(DRAWS, share)


def _before(
    draw: Draw, baseline: Baseline, defective: Draws, escape: Draws, reject: Draws, hour: Draws
) -> Draws:
    """Cost of a part with the method before."""
    seconds = draw(tr("before: seconds a part"), baseline.seconds)
    misses = draw(tr("before: share missed"), baseline.misses)
    rejects = draw(tr("before: share falsely rejected"), baseline.false_rejects)
    cost: Draws = (
        seconds / 3600 * hour + defective * misses * escape + (1 - defective) * rejects * reject
    )
    return cost


def _undecided(draw: Draw, score: Score, economy: Economy, hour: Draws) -> Draws:
    """Cost of a person's looks at what was not decidable, spread over all parts."""
    undecided = score.good_undecided + sum(kind.undecided for kind in score.kinds.values())
    seconds: Draws = draw(tr("seconds for a look"), economy.answer_seconds)
    return seconds / 3600 * hour * (undecided / max(1, score.parts))


def _now(
    rng: np.random.Generator,
    score: Score,
    defective: Draws,
    escape: Draws,
    reject: Draws,
    looks: Draws,
) -> Draws:
    """Cost of a part with the cell, as good as the run leaves one to believe.

    A good part without an answer in time took its default and is lost like a false reject.
    """
    missed = _posterior(rng, score.escapes.count, score.escapes.of)
    lost = score.false_rejects.count + score.good_unanswered
    rejected = _posterior(rng, lost, score.good - score.good_undecided)
    cost: Draws = defective * missed * escape + (1 - defective) * rejected * reject + looks
    return cost


def _running(rng: np.random.Generator, costs: Costs, run_s: float) -> Draws:
    """Cost of energy and computer for a year, day and night."""
    total = np.zeros(DRAWS)
    scale = HOURS_A_YEAR * 3600 / run_s if run_s else 0.0
    for line in costs.lines:
        if line.name != "people":
            total += scale * _between(rng, line.low, line.amount, line.high)
    return total


def _posterior(rng: np.random.Generator, count: int, of: int) -> Draws:
    return rng.beta(count + 0.5, of - count + 0.5, DRAWS)


def _triangle(rng: np.random.Generator, figure: Figure) -> Draws:
    low, high = figure.range
    return _between(rng, low, figure.amount, high)


def _between(rng: np.random.Generator, low: float, amount: float, high: float) -> Draws:
    if low == high:
        return np.full(DRAWS, amount)
    return rng.triangular(low, min(max(amount, low), high), high, DRAWS)


def _listed(named: list[tuple[str, Figure]]) -> tuple[Assumption, ...]:
    return tuple(
        Assumption(
            name=name,
            low=figure.range[0],
            amount=figure.amount,
            high=figure.range[1],
            source=figure.assumption,
        )
        for name, figure in named
    )


def _summed(
    saving: Draws,
    investment: Draws,
    currency: str,
    method: str,
    assumptions: tuple[Assumption, ...],
) -> Payback:
    years = np.where(saving > 0, investment / np.where(saving > 0, saving, 1.0), np.inf)
    low, middle, high = (float(np.quantile(saving, share)) for share in (0.05, 0.5, 0.95))
    quantiles = [float(np.quantile(years, share, method="higher")) for share in (0.05, 0.5, 0.95)]
    finite = years[np.isfinite(years)]
    longest = float(np.quantile(finite, 0.98)) if len(finite) else 0.0
    counts = (
        np.histogram(finite, bins=_BINS, range=(0.0, longest))[0] if longest else np.zeros(0, int)
    )
    ends = [one if np.isfinite(one) else None for one in quantiles]
    return Payback(
        currency=currency,
        method=method,
        saving_low=low,
        saving=middle,
        saving_high=high,
        years_low=ends[0],
        years=ends[1],
        years_high=ends[2],
        never=float(np.mean(~np.isfinite(years))),
        counts=tuple(int(count) for count in counts),
        longest=longest,
        assumptions=assumptions,
    )
