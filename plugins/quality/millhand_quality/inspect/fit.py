"""From a folder of good pictures to a package: the whole of ``millhand inspect fit``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import Source
from millhand.models.package import Package
from millhand_quality.inspect.detector import Detector, LevelChoice, fit_detector, folds
from millhand_quality.inspect.evaluate import Judged, figures, judge_test
from millhand_quality.inspect.features import Body, FeatureExtractor, InputPlan, Taps, plan_input
from millhand_quality.inspect.inspector import GraphRunner, Reading
from millhand_quality.inspect.layout import Layout, read_layout
from millhand_quality.inspect.package import (
    NOVELTY_FACTOR,
    Lineage,
    Measured,
    parameters_of,
    source_of,
    write_inspection_package,
)
from millhand_quality.inspect.parameters import InspectParameters
from millhand_quality.inspect.pictures import (
    Picture,
    UnreadablePicture,
    commonest_shape,
    open_all,
    require_shape,
)
from millhand_quality.inspect.runtime import onnx_library
from millhand_quality.inspect.select import (
    CANDIDATES,
    FITTED_LIMIT,
    Selection,
    damaged_features,
    select,
    spread_out,
    taps_of,
)
from millhand_quality.inspect.split import Division, divide, worst_by_part
from millhand_quality.inspect.student import STUDENT_SHA256, STUDENT_TAP
from millhand_quality.inspect.threshold import Thresholds, calibrate
from millhand_quality.inspect.trunk import Array

AUTO = "auto"
FEWEST_TO_SELECT = 6
"""Parts from which on candidates can be compared; below, the first one is taken."""
DEFAULT_SIZE = 256


@dataclass(frozen=True, slots=True)
class FitRequest:
    """What a person asks for. ``say`` is called with each stage's name and its number of steps."""

    folder: Path
    out: Path
    name: str
    product: str | None = None
    head: str = AUTO
    size: int = DEFAULT_SIZE
    body: Body = "trunk"
    false_reject_rate: float = 0.01
    undecided_rate: float = 0.02
    part_pattern: str | None = None
    resize: bool = False
    seed: int = 0
    licence: str = "LicenseRef-proprietary"
    data_name: str = ""
    data_licence: str = "LicenseRef-proprietary"
    data_recipe: str = ""
    command: str = ""
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """Everything that came of it."""

    package: Package
    detector: Detector
    parameters: InspectParameters
    thresholds: Thresholds
    division: Division
    selection: Selection | None
    judged: tuple[Judged, ...]
    measured: Measured
    skipped: tuple[UnreadablePicture, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of each stage."""


Progress = Callable[[str, int], Callable[[], None]]
"""Called with a stage's name and its number of steps; returns what is called after each step."""


def quietly(_stage: str, _steps: int) -> Callable[[], None]:
    """Show no progress."""
    return lambda: None


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self._last
        self._last = now


def candidates_for(
    head: str, parts: int, body: Body = "trunk"
) -> Mapping[str, tuple[LevelChoice, ...]]:
    """Return the candidates that a choice of head leaves, of those that the body has features for.

    Raises:
        ConfigError: no such head.
    """
    there = {
        name: choices
        for name, choices in CANDIDATES.items()
        if body == "trunk" or all(choice.taps == (STUDENT_TAP,) for choice in choices)
    }
    if head == AUTO:
        few = parts < FEWEST_TO_SELECT
        return dict(list(there.items())[:1]) if few else there
    if head not in there:
        raise ConfigError(
            tr("There is no head {head}.", head=head),
            mend=tr("Choose from: {names}.", names=", ".join((AUTO, *there))),
        )
    return {head: there[head]}


def open_good(
    layout: Layout, request: FitRequest, skipped: list[UnreadablePicture], progress: Progress
) -> list[Picture]:
    """Open the good pictures, each content once.

    Raises:
        ConfigError: sizes differ and may not be resized.
    """
    step = progress(tr("Opening pictures"), len(layout.good))
    opened = {one.sha256: one for one in open_all(layout.good, skipped, step)}
    pictures = list(opened.values())
    if pictures and not request.resize:
        require_shape(pictures, commonest_shape(pictures))
    return pictures


def fit_on(
    division: Division, plan: InputPlan, request: FitRequest, progress: Progress
) -> tuple[str, Detector, Selection | None, Mapping[Taps, Array]]:
    """Choose and fit a detector on the pictures to fit on."""
    fit = division.fit
    parts = [picture.part for picture in fit]
    candidates = candidates_for(request.head, len(set(parts)), plan.body)
    extractor = FeatureExtractor(plan, taps_of(candidates))
    step = progress(tr("Computing features"), len(fit))
    each = []
    for picture in fit:
        each.append(extractor(picture.pixels(plan.frame)))
        step()
    features = {taps: np.stack([one[taps] for one in each]) for taps in extractor.taps}
    if len(candidates) == 1:
        name, selection = next(iter(candidates)), None
    else:
        step = progress(tr("Comparing heads"), len(candidates))
        some = spread_out(len(fit), FITTED_LIMIT)
        damage = damaged_features(extractor, [fit[index] for index in some], request.seed)
        compared = {taps: array[some] for taps, array in features.items()}
        names = [parts[index] for index in some]
        selection = select(plan, candidates, compared, names, damage, step)
        name = selection.chosen
    detector = fit_detector(plan, candidates[name], features, parts)
    return name, detector, selection, features


def _held_out_readings(
    division: Division, plan: InputPlan, runner: GraphRunner, progress: Progress
) -> list[Reading]:
    step = progress(tr("Setting the threshold"), len(division.held_out))
    readings = []
    for picture in division.held_out:
        readings.append(runner(picture.pixels(plan.frame)))
        step()
    return readings


def _cross_validated(
    detector: Detector, division: Division, features: Mapping[Taps, Array]
) -> tuple[list[float], list[float]]:
    """Return scores and novelties of pictures held out in turn, where none can be spared."""
    parts = [picture.part for picture in division.fit]
    choices = [LevelChoice(level.taps, level.head.kind) for level in detector.levels]
    scores, novelties = np.zeros(len(parts)), np.zeros(len(parts))
    for held in folds(parts, 5):
        inside = set(held)
        kept = [index for index in range(len(parts)) if index not in inside]
        without = fit_detector(
            detector.plan,
            choices,
            {taps: features[taps][kept] for taps in {choice.taps for choice in choices}},
            [parts[index] for index in kept],
        )
        maps = without.maps({taps: array[held] for taps, array in features.items()})
        scores[held], novelties[held] = maps.score, maps.novelty
    return scores.tolist(), novelties.tolist()


def set_thresholds(
    detector: Detector,
    division: Division,
    features: Mapping[Taps, Array],
    runner: GraphRunner,
    request: FitRequest,
    progress: Progress,
) -> tuple[Thresholds, float]:
    """Calibrate on held-out parts, or estimate by cross-validation where there are too few.

    Returns:
        The thresholds, and the novelty above which a picture is foreign.
    """
    rates = (request.false_reject_rate, request.undecided_rate)
    if division.held_out:
        readings = _held_out_readings(division, detector.plan, runner, progress)
        scores = worst_by_part(division.held_out, [one.score for one in readings])
        novelties = [one.novelty for one in readings]
        thresholds = calibrate(scores, *rates, "split-conformal")
    else:
        found, novelties = _cross_validated(detector, division, features)
        thresholds = calibrate(worst_by_part(division.fit, found), *rates, "estimate")
    return thresholds, NOVELTY_FACTOR * max(novelties)


def _golden(division: Division, plan: InputPlan, judged: Sequence[Judged]) -> list[Picture]:
    """Return pictures for the golden outputs: two good ones and, if known, a defective one."""
    good = (division.held_out or division.fit)[:2]
    worst = [one.picture for one in sorted(judged, key=lambda one: -one.score)[:1]]
    return [picture for picture in (*good, *worst) if picture.shape == plan.frame] or list(good)


def fit_package(request: FitRequest, progress: Progress = quietly) -> Fitted:
    """Fit, calibrate, test and write a package.

    Raises:
        ConfigError: the folder does not fit, or holds too few good pictures; onnx is missing.
        PackageError: the package's folder exists and may not be replaced.
    """
    onnx_library()
    clock, skipped = _Clock(), list[UnreadablePicture]()
    layout = read_layout(request.folder, request.part_pattern)
    pictures = open_good(layout, request, skipped, progress)
    division = divide(pictures, request.false_reject_rate, request.seed)
    plan = plan_input(commonest_shape(pictures), request.size, request.body)
    clock.lap("open")
    name, detector, selection, features = fit_on(division, plan, request, progress)
    clock.lap("fit")
    model = detector.graph()
    runner = GraphRunner(model.SerializeToString())
    thresholds, novelty = set_thresholds(detector, division, features, runner, request, progress)
    parameters = parameters_of(detector, name, thresholds, novelty)
    clock.lap("calibrate")
    count = len(layout.test_good) + sum(map(len, layout.test_defects.values()))
    step = progress(tr("Judging test pictures"), count) if count else lambda: None
    judged = judge_test(layout, plan, runner, skipped, step)
    times = runner.times_ms(division.fit[0].pixels(plan.frame))
    measured = Measured(figures(judged, parameters), tuple(times))
    clock.lap("test")
    lineage = Lineage(
        request.data_name or layout.root.name, request.data_licence, request.data_recipe
    )
    package = write_inspection_package(
        request.out,
        name=request.name,
        product=request.product,
        model=model,
        parameters=parameters,
        golden=[one.pixels(plan.frame) for one in _golden(division, plan, judged)],
        sources=_sources(division, judged, lineage),
        licence=request.licence,
        measured=measured,
        command=request.command,
        seed=request.seed,
        notes=[*_notes(thresholds, division), *_body_notes(request.body)],
        replace=request.replace,
    )
    clock.lap("write")
    return Fitted(
        package=package,
        detector=detector,
        parameters=parameters,
        thresholds=thresholds,
        division=division,
        selection=selection,
        judged=tuple(judged),
        measured=measured,
        skipped=tuple(skipped),
        seconds=clock.seconds,
    )


def _sources(division: Division, judged: Sequence[Judged], lineage: Lineage) -> list[Source]:
    sources = [source_of(division.fit, lineage, "fitted on")]
    if division.held_out:
        sources.append(source_of(division.held_out, lineage, "threshold set on"))
    if judged:
        sources.append(source_of([one.picture for one in judged], lineage, "tested on"))
    return sources


def _body_notes(body: Body) -> list[str]:
    if body == "trunk":
        return []
    return [f"Features of the general student, SHA-256 {STUDENT_SHA256}, distilled from the trunk."]


def _notes(thresholds: Thresholds, division: Division) -> list[str]:
    if thresholds.enough:
        return []
    return [
        f"A false-reject rate of {thresholds.asked_rate:.2%} was asked for; with "
        f"{division.held_out_parts} held-out parts the rate promised is "
        + (
            f"{thresholds.promised_rate:.2%}."
            if thresholds.guarantee == "split-conformal"
            else "none: the threshold is an estimate from cross-validation."
        )
    ]
