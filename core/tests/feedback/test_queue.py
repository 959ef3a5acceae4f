"""What is asked teaches most, and yet the rates that come of the answers are unbiased."""

from __future__ import annotations

import numpy as np
import pytest

from millhand.feedback.queue import Ground, Rates, Weighed, Worth, draw, weighed_rate

PARTS, RUNS = 2000, 60


def simulate(rng, salt: str) -> tuple[float, float, float]:
    """Ask about 2,000 parts; return the true error rate, the weighed and the naive estimate."""
    disagrees = rng.uniform(size=PARTS) < 0.05
    near = rng.uniform(size=PARTS) < 0.10
    wrong = rng.uniform(size=PARTS) < np.where(disagrees, 0.40, np.where(near, 0.10, 0.01))
    answers = []
    for number in range(PARTS):
        worth = Worth(
            decision=f"cell.1.{number}",
            disagrees=bool(disagrees[number]),
            margin=0.01 if near[number] else 0.9,
        )
        asked = draw(worth, Rates(audit=0.05), salt=salt)
        if asked is not None:
            answers.append(Weighed(wrong=bool(wrong[number]), chance=asked.chance))
    naive = sum(one.wrong for one in answers) / len(answers)
    return float(wrong.mean()), weighed_rate(answers, PARTS), naive


def test_the_weighed_rate_is_unbiased_and_the_naive_one_is_not():
    rng = np.random.default_rng(41)
    runs = np.array([simulate(rng, f"run{run}") for run in range(RUNS)])
    for column, biased in ((1, False), (2, True)):
        error = runs[:, column] - runs[:, 0]
        standard = error.std(ddof=1) / np.sqrt(RUNS)
        assert bool(abs(error.mean()) > 3 * standard) is biased


def test_the_draw_can_be_repeated_and_is_as_frequent_as_it_says():
    rates = Rates(audit=0.1)
    worths = [Worth(decision=f"cell.1.{number}", margin=0.9) for number in range(4000)]
    drawn = [draw(worth, rates) for worth in worths]
    assert drawn == [draw(worth, rates) for worth in worths]
    assert sum(one is not None for one in drawn) / 4000 == pytest.approx(0.1, abs=0.02)


def test_disagreement_comes_before_abstention_before_margin_before_audit():
    everything = Rates(audit=1.0, abstention=1.0, margin=1.0)
    worths = [
        Worth(decision="d", disagrees=True, abstained=True),
        Worth(decision="d", abstained=True, novelty=3.0),
        Worth(decision="d", abstained=True, novelty=0.1),
        Worth(decision="d", margin=0.01, novelty=2.0),
        Worth(decision="d", margin=0.09),
        Worth(decision="d", margin=0.9),
    ]
    found = [draw(worth, everything) for worth in worths]
    urgencies = [one.urgency for one in found if one is not None]
    assert urgencies == sorted(urgencies, reverse=True)
    assert found[0] is not None
    assert found[0].ground is Ground.DISAGREEMENT


def test_a_part_that_could_never_be_asked_about_is_refused():
    with pytest.raises(ValueError, match="rates"):
        Rates(audit=0.0)
