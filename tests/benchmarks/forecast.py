"""Forecasts of the student against statsforecast, on families of demand that it never saw.

    python tests/benchmarks/forecast.py accuracy     # on held-out families
    python tests/benchmarks/forecast.py speed        # 10,000 articles, CPU seconds

Errors are of the demand of the next periods together, over each series' own scale (mean absolute
change times the root of the periods). CPU time.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Callable

import numpy as np

from millhand_logistics.replenish.candidates import Floats
from millhand_logistics.replenish.forecast import outlook, outlooks
from millhand_logistics.replenish.student.families import HELD_OUT, SEASON, TRAINED, WEEKS, draw

SPANS = (4, 13)


def library() -> dict[str, Callable[[Floats, int], float]]:
    """Return forecasts by the library's models: the total of the next periods."""
    from statsforecast import models

    made = {
        "AutoETS": models.AutoETS(season_length=1),
        "AutoTheta": models.AutoTheta(season_length=1),
        "Theta": models.Theta(season_length=1),
        "SES, optimised": models.SimpleExponentialSmoothingOptimized(),
        "Croston, optimised": models.CrostonOptimized(),
        "TSB": models.TSB(alpha_d=0.1, alpha_p=0.1),
        "Seasonal naive": models.SeasonalNaive(season_length=SEASON),
    }

    def forecast(model: object) -> Callable[[Floats, int], float]:
        def run(history: Floats, periods: int) -> float:
            found = model.forecast(y=history, h=periods)  # type: ignore[attr-defined]
            return float(np.maximum(np.nan_to_num(found["mean"]), 0.0).sum())

        return run

    return {name: forecast(model) for name, model in made.items()}


def scales(series: Floats, periods: int) -> Floats:
    change = np.abs(np.diff(series, axis=1)).mean(axis=1)
    found: Floats = np.maximum(change, 0.05 * series.mean(axis=1) + 1e-9) * np.sqrt(periods)
    return found


def student(past: Floats, periods: int) -> tuple[Floats, Floats]:
    """Return what is expected, and what demand is to stay within nine times of ten."""
    names = [str(i) for i in range(len(past))]
    found = outlooks(dict(zip(names, past, strict=True)), dict.fromkeys(names, periods), SEASON)
    return (
        np.array([found[name].mean for name in names]),
        np.array([found[name].upto(0.9) for name in names]),
    )


def accuracy(each: int, seeds: int) -> None:
    """Print errors by model, over held-out families and seeds."""
    by_model: dict[str, list[list[float]]] = {}
    inside: list[bool] = []
    for seed in range(seeds):
        row: dict[str, list[float]] = {}
        for periods in SPANS:
            series = draw(HELD_OUT, each, 9000 + seed)
            past, came = series[:, : WEEKS - periods], series[:, WEEKS - periods :].sum(axis=1)
            scale = scales(past, periods)
            mean, upto = student(past, periods)
            row.setdefault("student", []).extend(np.abs(mean - came) / scale)
            inside += list(came <= upto + 1e-9)
            for name, forecast in library().items():
                got = np.array([forecast(history, periods) for history in past])
                row.setdefault(name, []).extend(np.abs(got - came) / scale)
        for name, errors in row.items():
            by_model.setdefault(name, []).append(errors)
    print(f"{seeds} seeds x {each} series of each of {len(HELD_OUT)} families, spans {SPANS}")
    for name, runs in sorted(by_model.items(), key=lambda item: np.mean(item[1])):
        means = [float(np.mean(errors)) for errors in runs]
        squares = [float(np.sqrt(np.mean(np.square(errors)))) for errors in runs]
        half = 1.96 * np.std(means, ddof=1) / np.sqrt(len(means)) if len(means) > 1 else 0.0
        print(f"{name:20s} {np.mean(means):.3f} ± {half:.3f}   root square {np.mean(squares):.3f}")
    print(f"{'family':20s} student   best of the library")
    for number, family in enumerate(HELD_OUT):
        by_family = {
            name: float(np.mean([_of(errors, number, each) for errors in runs]))
            for name, runs in by_model.items()
        }
        mine = by_family.pop("student")
        best = min(by_family, key=by_family.__getitem__)
        print(f"{family:20s} {mine:.3f}     {by_family[best]:.3f} {best}")
    print(f"within what was said for 90 %: {100 * np.mean(inside):.1f} % of {len(inside)}")


def _of(errors: list[float], family: int, each: int) -> float:
    """Return the mean error of one family, over the spans."""
    table = np.array(errors).reshape(len(SPANS), len(HELD_OUT), each)
    return float(table[:, family].mean())


def speed(articles: int) -> None:
    """Print the CPU time of a forecast of many articles, and of the library's for a few."""
    families = TRAINED | HELD_OUT
    series = draw(families, articles // len(families) + 1, 1)[:articles]
    names = [str(i) for i in range(articles)]
    spans = {name: 1 + i % 8 for i, name in enumerate(names)}
    outlook(series[0], 4, SEASON)
    begun = time.process_time()
    outlooks(dict(zip(names, series, strict=True)), spans, SEASON)
    print(f"student: {articles} articles in {time.process_time() - begun:.1f} s of CPU")
    some = 50
    for name, forecast in library().items():
        forecast(series[0], 4)
        begun = time.process_time()
        for history in series[:: articles // some][:some]:
            forecast(history, 4)
        took = (time.process_time() - begun) / some * articles
        print(f"{name}: {took:.0f} s for as many, by {some} of them")


def main() -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("accuracy", "speed"))
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--articles", type=int, default=10_000)
    given = parser.parse_args()
    if given.what == "accuracy":
        accuracy(given.each, given.seeds)
    else:
        speed(given.articles)


if __name__ == "__main__":
    main()
