"""``millhand inspect cascade``: a quick package clears the ordinary, a bigger one the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from msgspec import Struct

from millhand.cli.output import console, json_option, show_json, table
from millhand.contracts import Verdict
from millhand.errors import Unavailable
from millhand.messages import tr
from millhand.models.bench import Candidate, bench
from millhand.models.compute import compute
from millhand.models.package import Package, open_package
from millhand.plugins import Plugins
from millhand.statistics.cascade import Point, Stage, curve
from millhand.statistics.intervals import Share, share
from millhand_quality.inspect.commands.quantise import read_folder
from millhand_quality.inspect.detector import NOVELTY, SCORE
from millhand_quality.inspect.features import IMAGE
from millhand_quality.inspect.judge import judge, ordinary
from millhand_quality.inspect.parameters import read_parameters
from millhand_quality.inspect.pictures import Pixels

THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
"""How ordinary a part must be for the quick package to clear it: fixed before anybody's parts."""
DELTA = 0.05
_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one package says of all parts."""

    ordinary: list[float]
    """Share of the package's good parts held out that look worse: 1 is the most ordinary."""
    verdicts: list[Verdict]
    milliseconds: float


@click.command(
    help=tr(
        "Say what a cascade of two packages would cost and miss, on parts held out.\n"
        "\n"
        "QUICK clears parts that look as ordinary as its threshold asks; BIGGER judges all others, "
        "and a person those that it cannot decide. Each row is a threshold that was fixed "
        "beforehand, so that any may be chosen: the last column holds for all at once, with a "
        "probability of 95 %.\n"
        "\n"
        "\b\n"
        "  millhand inspect cascade models/student models/impeller --good held/good \\\n"
        "      --defective held/scratch --defective held/pit"
    )
)
@click.argument("quick", type=click.Path(path_type=Path))
@click.argument("bigger", type=click.Path(path_type=Path))
@click.option(
    "--good",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=tr("Folder of good parts that nothing was fitted on."),
)
@click.option(
    "--defective",
    required=True,
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=tr("Folder of defective parts; may be given for several."),
)
@click.option(
    "--defect-rate",
    default=0.01,
    show_default=True,
    type=click.FloatRange(0, 1),
    help=tr("Share of parts that are defective on your line; the costs are for it."),
)
@click.option(
    "--on", "accelerator", default="onnxruntime", show_default=True, help=tr("Accelerator.")
)
@json_option
def cascade(
    quick: Path,
    bigger: Path,
    good: Path,
    defective: tuple[Path, ...],
    defect_rate: float,
    accelerator: str,
    as_json: bool,
) -> None:
    """Print the curve of costs and errors."""
    adapter = Plugins.discover().adapter(accelerator)
    on = Candidate(accelerator=adapter.name, target=adapter.target)
    first, second = open_package(quick), open_package(bigger)
    fine = read_folder(good, read_parameters(first.manifest.parameters))
    bad = [one for folder in defective
           for one in read_folder(folder, read_parameters(first.manifest.parameters))]  # fmt: skip
    pictures = [*fine, *bad]
    one, other = _judged(first, on, pictures), _judged(second, on, pictures)
    of_good, of_bad = slice(0, len(fine)), slice(len(fine), None)
    rows = [
        Row(
            threshold=None if good_point.threshold == float("inf") else good_point.threshold,
            cleared=_mixed(defect_rate, good_point, bad_point, 0),
            bigger=_mixed(defect_rate, good_point, bad_point, 1),
            person=_mixed(defect_rate, good_point, bad_point, 2),
            milliseconds=(1 - defect_rate) * good_point.cost + defect_rate * bad_point.cost,
            good_rejected=good_point.wrong,
            lost=_lost(one, other, of_bad, good_point.threshold),
        )
        for good_point, bad_point in zip(
            curve(_stages(one, other, of_good, is_bad=False), THRESHOLDS),
            curve(_stages(one, other, of_bad, is_bad=True), THRESHOLDS),
            strict=True,
        )
    ]
    if as_json:
        show_json(rows)
    else:
        _print(rows)


class Row(Struct, frozen=True, kw_only=True):
    """One threshold: who judges how many parts, at what cost, and what is missed by it."""

    threshold: float | None
    """None where the quick package clears nothing."""
    cleared: float
    """Shares of all parts at the stated rate of defects: by the quick one, the bigger, a person."""
    bigger: float
    person: float
    milliseconds: float
    """Of the machine, a part."""
    good_rejected: Share
    lost: Share
    """Defects that are cleared though the bigger package alone would have stopped them."""


def _mixed(rate: float, good: Point, bad: Point, stage: int) -> float:
    """Return the share of parts that a stage answers where so many are defective."""
    shares = [point.answered[stage] / sum(point.answered) for point in (good, bad)]
    return (1 - rate) * shares[0] + rate * shares[1]


def _judged(package: Package, on: Candidate, pictures: Sequence[Pixels]) -> _Judged:
    parameters = read_parameters(package.manifest.parameters)
    precision = package.graph().precision
    (row,) = bench(package, [on], _SECONDS, threads=(1,), precisions=(precision,))
    if row.measured is None:
        raise Unavailable(row.failed.message if row.failed else "")
    inputs = [{IMAGE: np.ascontiguousarray(picture)} for picture in pictures]
    outputs = compute(package, on, precision, inputs)
    scores = [(float(one[SCORE][0]), float(one[NOVELTY][0])) for one in outputs]
    return _Judged(
        ordinary=[ordinary(parameters, score, novelty) for score, novelty in scores],
        verdicts=[judge(parameters, score, novelty)[0] for score, novelty in scores],
        milliseconds=row.measured.times.p50_ms,
    )


def _stages(quick: _Judged, bigger: _Judged, of: slice, *, is_bad: bool) -> list[Stage]:
    """Describe the stages for parts that are all good, or all defective."""
    verdicts = bigger.verdicts[of]
    return [
        Stage(
            name="quick",
            cost=quick.milliseconds,
            confidence=quick.ordinary[of],
            wrong=[is_bad] * len(verdicts),
        ),
        Stage(
            name="bigger",
            cost=bigger.milliseconds,
            confidence=[float(verdict is not Verdict.NOT_DECIDABLE) for verdict in verdicts],
            wrong=[(verdict is Verdict.NOT_OK) != is_bad for verdict in verdicts],
            threshold=0.5,
        ),
        Stage(
            name="person",
            cost=0.0,
            confidence=[1.0] * len(verdicts),
            wrong=[False] * len(verdicts),
        ),
    ]


def _lost(quick: _Judged, bigger: _Judged, of_bad: slice, threshold: float) -> Share:
    """Count the defects that are cleared and that the bigger one would have stopped.

    The upper end is one-sided and corrected for all thresholds together.
    """
    cleared = [
        sure >= threshold
        for sure, verdict in zip(quick.ordinary[of_bad], bigger.verdicts[of_bad], strict=True)
        if verdict is not Verdict.OK
    ]
    return share(sum(cleared), len(cleared), confidence=1 - 2 * DELTA / len(THRESHOLDS))


def _print(rows: Sequence[Row]) -> None:
    lines = [
        (
            "–" if row.threshold is None else f"{row.threshold:g}",
            f"{row.cleared:.1%}",
            f"{row.bigger:.1%}",
            f"{row.person:.1%}",
            f"{row.milliseconds:.2f}",
            f"{row.good_rejected.count} / {row.good_rejected.of}",
            f"{row.lost.count} / {row.lost.of}",
            f"{row.lost.high:.2%}",
        )
        for row in rows
    ]
    heads = (
        tr("as ordinary as"),
        tr("cleared by QUICK"),
        tr("judged by BIGGER"),
        tr("for a person"),
        tr("ms a part"),
        tr("good rejected"),
        tr("defects cleared that BIGGER stops"),
        tr("surely at most"),
    )
    console().print(table(*heads, rows=lines, right=tuple(range(8))))
