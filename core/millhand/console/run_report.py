"""The report of a run as one HTML file that needs nothing else: no script, no font, no network."""

from __future__ import annotations

import datetime as dt
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from numpy.typing import NDArray

from millhand import __version__
from millhand.console.pictures import frame_uri, heat_map_uri
from millhand.console.words import case_note, case_title, stage_word, word
from millhand.contracts.decision import HeatMap
from millhand.contracts.frames import FrameRef
from millhand.contracts.plant import PartTruth
from millhand.ledger.run import Run
from millhand.ledger.score import UNANSWERED, Score
from millhand.ledger.summary import RunSummary
from millhand.ledger.timing import StageTime
from millhand.ledger.worst import MISTAKES, Case, worst_cases
from millhand.messages import tr, trn

PictureSource = Callable[[FrameRef], "NDArray[np.uint8] | None"]
"""Gives the pixels of a frame, ``(height, width, channels) uint8``, or None where they are gone."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame with its heat map, both as data URIs, ready to be laid over each other."""

    frame: str
    heat: str | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A stage as a bar: all in per cent of the longest time."""

    stage: str
    start: float
    width: float
    p99: float
    took_p50_ms: float
    took_p99_ms: float
    ended_p50_ms: float
    ended_p99_ms: float


def write_run_report(
    file: Path,
    summary: RunSummary,
    run: Run,
    *,
    truth: Iterable[PartTruth] = (),
    pictures: PictureSource | None = None,
    command: str = "",
) -> None:
    """Write the report to ``file``, whole or not at all.

    Args:
        file: where the report goes; its folder is made where it is missing.
        summary: the run in figures.
        run: the run part by part.
        truth: what the parts really were, where a simulation knows it.
        pictures: gives the pixels of a frame; without it the report has no pictures.
        command: what makes this report again, for its foot.
    """
    text = render_run_report(summary, run, truth=truth, pictures=pictures, command=command)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)


def render_run_report(
    summary: RunSummary,
    run: Run,
    *,
    truth: Iterable[PartTruth] = (),
    pictures: PictureSource | None = None,
    command: str = "",
) -> str:
    """Return the report as HTML; see :func:`write_run_report`."""
    cases = worst_cases(run.parts, {part.part_id: part for part in truth})
    return (
        _environment()
        .get_template("run_report.html.j2")
        .render(
            summary=summary,
            cases=cases,
            picture=lambda case: _picture(case, pictures),
            heat_maps=any(_heat_map(case) for found in cases.values() for case in found),
            bars=_bars(summary.stages),
            deadline_ms=_deadline_ms(run),
            started=_moment(summary.started_utc_ns),
            duration_s=(summary.ended_utc_ns - summary.started_utc_ns) / 1e9,
            headline=headline(summary),
            command=command,
            version=__version__,
        )
    )


def headline(summary: RunSummary) -> str:
    """Say in a sentence or two how the run went."""
    parts = trn("{count} part", "{count} parts", summary.parts)
    said = [tr("{parts} inspected.", parts=parts)]
    if summary.score is not None:
        said = [_escapes(parts, summary.score)]
    unanswered = sum(summary.causes.get(str(cause), 0) for cause in UNANSWERED)
    if unanswered:
        said.append(
            trn(
                "{count} part got no answer in time.",
                "{count} parts got no answer in time.",
                unanswered,
            )
        )
    return " ".join(said)


def _escapes(parts: str, score: Score) -> str:
    if score.escapes.count == 0:
        return tr(
            "{parts} inspected; none of the {defective} defective ones got through.",
            parts=parts,
            defective=score.defective,
        )
    return tr(
        "{parts} inspected; {count} of the {defective} defective ones got through.",
        parts=parts,
        count=score.escapes.count,
        defective=score.defective,
    )


def _picture(case: Case, pictures: PictureSource | None) -> Picture | None:
    frames = case.part.intent.observation.frames
    if not frames or pictures is None:
        return None
    heat = _heat_map(case)
    role = heat.frame if heat is not None and heat.frame in frames else next(iter(frames))
    ref = frames[role].ref
    pixels = pictures(ref)
    if pixels is None:
        return None
    return Picture(
        frame=frame_uri(pixels),
        heat=heat_map_uri(heat) if heat is not None else None,
        width=ref.width,
        height=ref.height,
    )


def _heat_map(case: Case) -> HeatMap | None:
    explanations = case.part.intent.decision.explanations
    return next((found for found in explanations if isinstance(found, HeatMap)), None)


def _bars(stages: Iterable[StageTime]) -> list[Bar]:
    stages = list(stages)
    longest = max((stage.ended.p99_ms for stage in stages), default=0.0) or 1.0
    bars, before = [], 0.0
    for stage in stages:
        end = stage.ended.p50_ms
        bars.append(
            Bar(
                stage=stage_word(stage.stage),
                start=100 * before / longest,
                width=100 * max(end - before, 0.0) / longest,
                p99=100 * stage.ended.p99_ms / longest,
                took_p50_ms=stage.took.p50_ms,
                took_p99_ms=stage.took.p99_ms,
                ended_p50_ms=end,
                ended_p99_ms=stage.ended.p99_ms,
            )
        )
        before = end
    return bars


def _deadline_ms(run: Run) -> float | None:
    return min((part.intent.deadline_ns for part in run.parts), default=0) / 1e6 or None


def _moment(utc_ns: int) -> str:
    moment = dt.datetime.fromtimestamp(utc_ns // 1_000_000_000, dt.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("millhand.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "tr": tr,
        "trn": trn,
        "word": word,
        "case_title": case_title,
        "case_note": case_note,
        "mistakes": MISTAKES,
        "inf": math.inf,
    }
    environment.filters |= _FILTERS
    return environment


def percent(rate: float) -> str:
    """Write a rate of 0 to 1 as per cent, with as many digits as it deserves."""
    digits = 2 if rate < 0.01 else 1
    text = f"{100 * rate:.{digits}f}".rstrip("0").rstrip(".")
    return f"{text}\u202f%"


def milliseconds(value: float) -> str:
    """Write milliseconds with three digits or so."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


_FILTERS: dict[str, Callable[..., Any]] = {
    "percent": percent,
    "ms": milliseconds,
    "whole": lambda value: f"{value:,}".replace(",", "\u202f"),
    "money": lambda value: f"{value:,.2f}".replace(",", "\u202f").replace("-", "\u2212"),
}
