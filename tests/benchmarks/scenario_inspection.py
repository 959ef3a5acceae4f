"""The scenario's packages on parts whose light and finish no model was fitted on.

    python tests/benchmarks/scenario_inspection.py
    python tests/benchmarks/scenario_inspection.py --good 200 --defective 5 --product impeller
    python tests/benchmarks/scenario_inspection.py --write docs/reference/benchmarks-scenario.md
    python tests/benchmarks/scenario_inspection.py --timing-only --write …   the section of times

Every picture is a part of its own under a light and finish of its own, rendered from seeds. The
agent judges it as in a cell, with the package that the scenario uses. A defect counts as one that
has to be seen from 12 square pixels at 10 % contrast on; smaller or fainter ones stand apart. The
small student and the trunk with a Gaussian on block 10 judge the same pictures. Not decidable is
never counted as right: it is diverted, and neither an escape nor a find.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnx
from inspection_times import machine, measure
from numpy.typing import NDArray

from millhand.contracts import Frame, FrameRef, Observation, PartTrigger, Verdict
from millhand.models.package import Package, open_package
from millhand.models.sessions import OpenedModel, open_model
from millhand.plugins import Plugins
from millhand_quality.inspect.agent import InspectAgent
from millhand_quality.inspect.config import InspectConfig
from millhand_quality.inspect.distil.config import TrunkTeacherConfig
from millhand_quality.inspect.distil.figures import auroc_interval
from millhand_quality.inspect.distil.teacher import TrunkTeacher
from millhand_quality.inspect.evaluate import wilson
from millhand_quality.inspect.parameters import read_parameters
from millhand_quality.inspect.select import auroc
from millhand_simulated.parts import DEFECTS, PRODUCTS, Defect, Product, render

MODELS = Path(__file__).parents[2] / "scenarios" / "casting_cell" / "models"
FIRST_FAMILY = 500_000
"""Families of the scenario's station; plans use none from here on."""
FIRST_SEED = 900_000_000
SMALLEST_AREA_PX2, LOWEST_CONTRAST = 12.0, 0.10
"""A defect of this area and contrast, or more, must not escape."""
TEACHER_FAMILIES = range(20_000, 20_150)
TIME = "## Time"


@dataclass(frozen=True, slots=True)
class Part:
    """A rendered part: what the camera shows and what is true."""

    pixels: NDArray[np.uint8]
    defect: Defect | None
    area_px2: float
    contrast: float

    @property
    def must_be_seen(self) -> bool:
        """Whether its defect is large and strong enough to count."""
        return self.area_px2 >= SMALLEST_AREA_PX2 and self.contrast >= LOWEST_CONTRAST


@dataclass(frozen=True, slots=True)
class Judged:
    """A part and what the agent said of it; the picture is not kept."""

    defect: Defect | None
    must_be_seen: bool
    area_px2: float
    contrast: float
    verdict: Verdict
    score: float
    student: tuple[Verdict, float]
    """What the small student said."""
    teacher: float
    """The trunk's score."""


def parts(product: Product, good: int, defective: int) -> Iterator[Part]:
    """Render good parts, and of each kind until so many must be seen."""
    number = 0

    def next_part(defect: Defect | None) -> Part:
        nonlocal number
        number += 1
        shown = render(
            product,
            part_seed=FIRST_SEED + number,
            family_seed=FIRST_FAMILY + number,
            defect=defect,
        )
        return Part(shown.pixels, defect, shown.area_px2, shown.contrast)

    for _ in range(good):
        yield next_part(None)
    for kind in DEFECTS:
        left = defective
        while left:
            part = next_part(kind)
            left -= part.must_be_seen
            yield part


class Inspection:
    """The agent with the package that the scenario uses for a product, on one thread."""

    def __init__(self, product: Product, models: Path = MODELS) -> None:
        self._agent = InspectAgent(InspectConfig())
        adapter = Plugins.discover().adapter("onnxruntime").load()
        self._accelerator = adapter("cpu", adapter.Config(threads=1))
        self.package: Package = open_package(models / product)
        self.model: OpenedModel = open_model(self.package, self._accelerator)
        self._product = product

    def __call__(self, pixels: NDArray[np.uint8]) -> tuple[Verdict, float]:
        """Judge one picture; return verdict and score."""
        height, width, channels = pixels.shape
        ref = FrameRef(
            camera="camera",
            sha256="00" * 32,
            height=height,
            width=width,
            channels=channels,
            frame_seq=1,
        )
        trigger = PartTrigger(
            source="plc.trigger",
            trigger_seq=1,
            part_id="part",
            plc_tick=1,
            detected_utc_ns=1,
            detected_monotonic_ns=1,
        )
        observation = Observation(
            id="benchmark.1.1",
            agent="inspector",
            trigger=trigger,
            product=self._product,
            frames={"frame": Frame(ref, pixels)},
        )
        decision = self._agent.decide(observation, {"model": self.model})
        assert decision.verdict is not None
        return decision.verdict, decision.scores["score"]

    def close(self) -> None:
        """Close the session."""
        self.model.close()
        self._accelerator.close()


def trunk_teacher(product: Product) -> TrunkTeacher:
    """Fit the trunk on good parts, as the plan's teacher was."""
    teacher = TrunkTeacher(TrunkTeacherConfig())
    teacher.study(
        [render(product, part_seed=seed, family_seed=seed).pixels for seed in TEACHER_FAMILIES]
    )
    return teacher


def judge_parts(
    inspection: Inspection, student: Inspection, teacher: TrunkTeacher, found: Iterator[Part]
) -> list[Judged]:
    """Let the agent with both packages, and the trunk, judge every part."""
    judged = []
    for part in found:
        verdict, score = inspection(part.pixels)
        taught = float(teacher.label([{"image": part.pixels}])[0]["score"][0])
        judged.append(
            Judged(
                part.defect,
                part.must_be_seen,
                part.area_px2,
                part.contrast,
                verdict,
                score,
                student(part.pixels),
                taught,
            )
        )
    return judged


def escapes(judged: Sequence[Judged]) -> list[Judged]:
    """Return parts whose defect has to be seen and that passed as good."""
    return [one for one in judged if one.must_be_seen and one.verdict is Verdict.OK]


def share(judged: Sequence[Judged], verdict: Verdict) -> tuple[int, int, float, float]:
    """Return how many of how many have a verdict, and the 95 % interval of the share."""
    hits = sum(one.verdict is verdict for one in judged)
    low, high = wilson(hits, len(judged))
    return hits, len(judged), low, high


# --- the report ---


def report(product: Product, inspection: Inspection, judged: list[Judged]) -> str:
    """Return one product's section."""
    good = [one for one in judged if one.defect is None]
    must = [one for one in judged if one.must_be_seen]
    size = sum(
        path.stat().st_size for path in inspection.package.folder.rglob("*") if path.is_file()
    )
    parameters = read_parameters(inspection.package.manifest.parameters)
    rejected = share(good, Verdict.NOT_OK)
    undecided = share(judged, Verdict.NOT_DECIDABLE)
    asked = parameters.asked_rate
    holds = "holds" if rejected[2] <= asked <= rejected[3] else "does not hold"
    lines = [
        f"## {product}",
        "",
        (
            f"Package `{inspection.package.id}`, {size / 1e6:.2f} MB. {len(good):,} good parts, "
            f"{len(must)} defects to be seen, {len(judged) - len(good) - len(must)} below."
        ),
        "",
        f"- Escapes of defects that have to be seen: **{len(escapes(judged))}** of {len(must)}.",
        f"- False rejects: {_share(rejected)}; asked for {asked:.1%}, which the interval {holds}.",
        (
            f"- Not decidable, all parts of this test: {_share(undecided)}; "
            f"of good parts: {_share(share(good, Verdict.NOT_DECIDABLE))}."
        ),
        *_compared(good, must),
        _student(judged),
        "",
        *_kinds(judged),
    ]
    return "\n".join(lines)


def _compared(good: list[Judged], must: list[Judged]) -> list[str]:
    """Say how package, student and trunk order the same parts."""
    scores: dict[str, Callable[[Judged], float]] = {
        "The scenario's package": lambda one: one.score,
        "Small student": lambda one: one.student[1],
        "Trunk with PaDiM on block 10, 150 pictures": lambda one: one.teacher,
    }
    lines = []
    for name, score in scores.items():
        bad_scores, good_scores = (
            np.array([score(one) for one in group], np.float32) for group in (must, good)
        )
        value = auroc(bad_scores, good_scores)
        low, high = auroc_interval(value, len(must), len(good))
        found = (bad_scores > np.quantile(good_scores, 0.99)).mean()
        lines.append(
            f"- {name}: AUROC {value:.4f} ({low:.4f} to {high:.4f}), "
            f"{found:.1%} of the defects above 99 % of the good parts."
        )
    return lines


def _student(judged: list[Judged]) -> str:
    """Say what the small student would have let through."""
    alone = [replace(one, verdict=one.student[0]) for one in judged]
    good = [one for one in alone if one.defect is None]
    must = sum(one.must_be_seen for one in alone)
    return (
        f"- The small student alone: {len(escapes(alone))} escapes of {must}, false rejects "
        f"{_share(share(good, Verdict.NOT_OK))}, not decidable "
        f"{_share(share(good, Verdict.NOT_DECIDABLE))} of good parts."
    )


def _kinds(judged: list[Judged]) -> list[str]:
    lines = [
        (
            "| kind | to be seen | rejected | diverted | escaped | lowest score | below limit | "
            "rejected or diverted |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind in DEFECTS:
        must = [one for one in judged if one.defect == kind and one.must_be_seen]
        below = [one for one in judged if one.defect == kind and not one.must_be_seen]
        counts = [
            sum(one.verdict is verdict for one in must)
            for verdict in (Verdict.NOT_OK, Verdict.NOT_DECIDABLE, Verdict.OK)
        ]
        cells = (
            kind.replace("_", " "),
            str(len(must)),
            *map(str, counts),
            f"{min((one.score for one in must), default=float('nan')):.2f}",
            str(len(below)),
            str(sum(one.verdict is not Verdict.OK for one in below)),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _share(found: tuple[int, int, float, float]) -> str:
    hits, count, low, high = found
    return f"{hits} of {count:,} ({hits / count:.2%}, interval {low:.2%} to {high:.2%})"


def run(product: Product, good: int, defective: int) -> str:
    """Measure one product and return its section."""
    inspection, teacher = Inspection(product), trunk_teacher(product)
    student = Inspection(product, MODELS / "students")
    try:
        judged = judge_parts(inspection, student, teacher, parts(product, good, defective))
        return report(product, inspection, judged)
    finally:
        for one in (teacher, student, inspection):
            one.close()


def times(products: Sequence[Product]) -> str:
    """Time the packages' graphs on what is installed and return the section."""
    lines = [
        (
            f"`python tests/benchmarks/scenario_inspection.py --timing-only` on {machine()}, "
            f"{today()}; graphs alone, one thread, the quickest of five rounds."
        ),
        "",
        (
            "| package | ONNX Runtime ms p50 / p99 | OpenVINO ms p50 / p99 | "
            "OpenVINO in its own precision ms p50 / p99 |"
        ),
        "|---|---|---|---|",
    ]
    for product in products:
        pixels = np.ascontiguousarray(next(parts(product, 1, 0)).pixels)
        for name in (product, f"students/{product}"):
            package = open_package(MODELS / name)
            found = measure(onnx.load(package.path(package.graph("fp32"))), pixels)
            pairs = (found.onnxruntime, found.openvino, found.openvino_fast)
            cells = " | ".join(f"{p50:.2f} / {p99:.2f}" for p50, p99 in pairs)
            lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def today() -> str:
    """Return the date in UTC."""
    return datetime.now(UTC).date().isoformat()


def write(path: Path, accuracy: str | None, timing: str | None) -> None:
    """Write one part of the page and keep the other."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    before, _, after = old.partition(f"\n{TIME}\n")
    kept = (accuracy or before).rstrip("\n"), (timing or after).strip("\n")
    path.write_text(f"{kept[0]}\n\n{TIME}\n\n{kept[1]}\n", encoding="utf-8")


def main() -> int:
    """Run, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--good", type=int, default=2000)
    parser.add_argument("--defective", type=int, default=60, help="of each kind, to be seen")
    parser.add_argument("--product", choices=PRODUCTS, action="append")
    parser.add_argument("--timing-only", action="store_true", help="time the packages, no more")
    parser.add_argument("--write", type=Path, help="Markdown file; the other part of it stays")
    arguments = parser.parse_args()
    products = arguments.product or PRODUCTS
    if arguments.timing_only:
        section = times(products)
        sys.stdout.write(f"{section}\n")
        if arguments.write:
            write(arguments.write, None, section)
        return 0
    command = (
        f"python tests/benchmarks/scenario_inspection.py --good {arguments.good} "
        f"--defective {arguments.defective}"
    )
    sections = [
        "# The scenario's packages on unseen parts",
        "",
        *(__doc__ or "").strip().splitlines()[7:],
        "",
        (
            f"`{command}` on {machine()}, {today()}. Intervals are "
            "Wilson's at 95 %; those of AUROC after Hanley and McNeil."
        ),
    ]
    for product in products:
        sections += ["", run(product, arguments.good, arguments.defective)]
        sys.stdout.write(f"{sections[-1]}\n\n")
        sys.stdout.flush()
    if arguments.write:
        write(arguments.write, "\n".join(sections), None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
