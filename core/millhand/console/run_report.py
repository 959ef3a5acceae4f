"""The report of a run as one HTML file that needs nothing else: no script, no font, no network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from millhand import __version__
from millhand.console.control_charts import control_charts
from millhand.console.pages import environment, write_page
from millhand.console.pictures import PictureSource, heat_map_of, picture_of
from millhand.console.words import stage_word, word
from millhand.contracts.plant import PartTruth
from millhand.journal.records import Drifted, ModelMoved
from millhand.ledger.run import Run
from millhand.ledger.score import UNANSWERED, Score
from millhand.ledger.summary import RunSummary
from millhand.ledger.timing import StageTime
from millhand.ledger.worst import worst_cases
from millhand.messages import tr, trn


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
    write_page(file, text)


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
        environment()
        .get_template("run_report.html.j2")
        .render(
            summary=summary,
            cases=cases,
            picture=lambda case: picture_of(
                case.part.intent.observation, case.part.intent.decision, pictures
            ),
            heat_maps=any(
                heat_map_of(case.part.intent.decision) for found in cases.values() for case in found
            ),
            bars=_bars(summary.stages),
            charts=control_charts(run.charts),
            changes=[(_moment(at), _change(change)) for at, change in run.changes],
            deadline_ms=_deadline_ms(run),
            started=_moment(summary.started_utc_ns),
            moment=_moment,
            duration_s=(summary.ended_utc_ns - summary.started_utc_ns) / 1e9,
            headline=headline(summary),
            command=command,
            version=__version__,
        )
    )


def _change(change: ModelMoved | Drifted) -> str:
    """Say in a line what became of a model."""
    if isinstance(change, Drifted):
        return change.reason or f"{change.package}: {word(change.now)}"
    said = tr("{agent}: {package}: {stage}", agent=change.agent, package=change.package,
              stage=word(change.now))  # fmt: skip
    return f"{said} ({change.by}{': ' if change.reason else ''}{change.reason})"


def headline(summary: RunSummary) -> str:
    """Say in a sentence or two how the run went."""
    if not summary.parts and summary.decisions:
        return trn("{count} decision.", "{count} decisions.", summary.decisions)
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
