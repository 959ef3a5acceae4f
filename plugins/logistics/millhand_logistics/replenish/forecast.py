"""Demand over the next periods: what is expected, and what it may come to.

One student forecasts all articles side by side (:mod:`~millhand_logistics.replenish.student`).
What demand may come to is what the same forecasts have missed in the series' own past, stretched
by what the student learnt about how much more the future holds: no distribution is assumed, nothing
is drawn at random. A history too short for that has the spread of its own periods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from millhand_logistics.replenish.candidates import NAMES, Floats
from millhand_logistics.replenish.student.shipped import weights
from millhand_logistics.replenish.student.weigh import expected, look, weigh

FEWEST = 8
"""Past forecasts with fewer of which the spread is that of the demand itself."""
LONGEST = 260
"""Periods of history that are looked at: five years of weeks."""
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Outlook:
    """Demand of some periods together."""

    method: str
    mean: float
    totals: Floats
    """What it may come to, in order; each is as likely as another."""

    def upto(self, share: float) -> float:
        """Return what demand stays within with a probability of ``share``.

        The finite sample is allowed for as in conformal prediction: of n windows the
        ⌈(n + 1)·share⌉th counts.
        """
        rank = int(np.ceil((len(self.totals) + 1) * share)) - 1
        return float(self.totals[min(max(rank, 0), len(self.totals) - 1)])

    def beyond(self, quantity: float) -> float:
        """Return how probable it is that demand exceeds a quantity."""
        return float((self.totals > quantity + 1e-9).mean())


def outlooks(
    histories: Mapping[str, Floats], periods: Mapping[str, int], season: int = 1
) -> dict[str, Outlook]:
    """Forecast many articles at once.

    Args:
        histories: demand by period, oldest first, of each article.
        periods: how many of the next are forecast together, at least 1, for each article.
        season: periods after which demand repeats; 1: it does not.
    """
    found: dict[str, Outlook] = {}
    by_span: dict[int, list[str]] = {}
    for name, history in histories.items():
        if len(history) == 0:
            found[name] = Outlook("none", 0.0, np.zeros(1))
        else:
            by_span.setdefault(periods[name], []).append(name)
    for span, names in sorted(by_span.items()):
        names.sort(key=lambda name: len(histories[name]))
        for at in range(0, len(names), _AT_ONCE):
            some = names[at : at + _AT_ONCE]
            told = _forecast([histories[name] for name in some], span, season)
            found.update(zip(some, told, strict=True))
    return found


def outlook(history: Floats, periods: int, season: int = 1) -> Outlook:
    """Forecast one article, as :func:`outlooks` does."""
    return outlooks({"": np.asarray(history, dtype=float)}, {"": periods}, season)[""]


def _forecast(histories: Sequence[Floats], periods: int, season: int) -> list[Outlook]:
    length = min(LONGEST, max(len(history) for history in histories))
    series = np.full((len(histories), length), np.nan)
    for row, history in zip(series, histories, strict=True):
        row[length - min(len(history), length) :] = history[-length:]
    learnt = weights()
    seen = look(series, periods, season)
    shares = weigh(seen, learnt)
    mean, missed = expected(seen, shares)
    return [
        _outlook(
            NAMES[int(shares[i].argmax())],
            float(mean[i]),
            learnt.stretch * missed[i][~np.isnan(missed[i])],
            series[i][~np.isnan(series[i])],
            periods,
        )
        for i in range(len(histories))
    ]


def _outlook(method: str, mean: float, missed: Floats, history: Floats, periods: int) -> Outlook:
    if len(missed) < FEWEST:
        missed = (history - history.mean()) * np.sqrt(periods)
    return Outlook(method, mean, np.sort(np.maximum(mean + missed, 0.0)))
