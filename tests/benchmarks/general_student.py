"""The general student beside the trunk: the same heads and pictures, no picture of any set learnt.

::

    python tests/benchmarks/general_student.py [--draws 5] [--timing-only]
    python tests/benchmarks/general_student.py --beside "first five blocks, half the size"

The student was distilled on generated surfaces and photographs; no picture of the sets below, nor
of the part that they show, is among them. So one student is judged on all. Two baselines cost as
little and were never distilled: the trunk on a picture of half the size, and the trunk's first five
blocks on such a picture, which is what the student starts as. Sets and figures are those of
``tests/benchmarks/inspection.py``; the casting cell's rendered parts are beside them. Every draw
takes other good pictures to fit on, the same for all bodies.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from inspection_data import BenchmarkSet, Shown, ball_screw, deep_pcb
from inspection_figures import Locator

from millhand_quality.inspect.detector import Detector, LevelChoice, fit_detector
from millhand_quality.inspect.features import Body, FeatureExtractor, plan_input
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.pictures import Shape
from millhand_quality.inspect.select import auroc
from millhand_quality.inspect.trunk import Array
from millhand_simulated.parts import DEFECTS, render


@dataclass(frozen=True, slots=True)
class Contender:
    """What gives the features, from a picture of which size."""

    name: str
    body: Body
    scale: float
    taps: tuple[int, ...]

    def extractor(self, frame: Shape, size: int) -> FeatureExtractor:
        """Open it for a camera."""
        plan = plan_input(frame, round(size * self.scale), self.body)
        return FeatureExtractor(plan, [self.taps])


CONTENDERS = (
    Contender("trunk", "trunk", 1.0, (10,)),
    Contender("general student", "student", 1.0, (10,)),
    Contender("general student, with its start", "student", 1.0, (4, 10)),
    Contender("trunk, half the size", "trunk", 0.5, (10,)),
    Contender("first five blocks, half the size", "trunk", 0.5, (4,)),
)


@dataclass(frozen=True, slots=True)
class Job:
    """A set with its input size, good pictures to fit on, and head."""

    shown: BenchmarkSet
    size: int
    good: int
    heads: tuple[str, ...]


def rendered(product: str, good: int = 160, held: int = 100, each: int = 25) -> BenchmarkSet:
    """The casting cell's parts, each in a light and finish of its own."""

    def part(number: int, defect: object = None) -> Shown:
        shown = render(
            product,  # type: ignore[arg-type]
            part_seed=960_000_000 + number,
            family_seed=960_000 + number,
            defect=defect,  # type: ignore[arg-type]
        )
        return Shown(None, str(number), shown.pixels)  # type: ignore[arg-type]

    bad = [part(10_000 + number, kind) for number, kind in enumerate(DEFECTS * each)]
    return BenchmarkSet(
        name=product,
        frame=Shape.of(bad[0].pixels),
        fit=tuple(part(number) for number in range(good)),
        test_good=tuple(part(good + number) for number in range(held)),
        test_defective=tuple(bad),
        cell=64,
        shown=bad[0].pixels.shape[:2],
    )


def jobs() -> Iterator[Job]:
    """Yield what is judged."""
    yield Job(ball_screw(), 320, 40, ("diagonal",))
    yield Job(deep_pcb(), 512, 50, ("bank", "diagonal"))
    for product in ("impeller", "housing"):
        yield Job(rendered(product), 256, 120, ("diagonal", "bank"))


def judged(job: Job, contender: Contender, draws: int) -> Iterator[tuple[str, list[float]]]:
    """Yield each head with its figure of every draw: of cells, or of pictures where rendered."""
    extractor = contender.extractor(job.shown.frame, job.size)
    taps = contender.taps
    fit, bad, good = (
        extractor.stack(one.pixels for one in some) if some else None
        for some in (job.shown.fit, job.shown.test_defective, job.shown.test_good)
    )
    assert fit is not None
    assert bad is not None
    locator = None if job.shown.test_defective[0].mask is None else Locator(job.shown)
    for head in job.heads:
        found = []
        for seed in range(draws):
            taken = np.random.default_rng(seed).choice(len(fit[taps]), job.good, replace=False)
            detector = fit_detector(
                extractor.plan,
                (LevelChoice(taps, head),),
                {taps: fit[taps][taken]},
                [str(place) for place in taken],
                in_units=False,
            )
            found.append(_figure(detector, bad, good, locator))
        yield head, found


def _figure(
    detector: Detector,
    bad: dict[tuple[int, ...], Array],
    good: dict[tuple[int, ...], Array] | None,
    locator: Locator | None,
) -> float:
    maps = detector.maps(bad)
    if locator is not None:
        return locator(maps.heat).cell_auroc
    assert good is not None
    return auroc(maps.score, detector.maps(good).score)


def times(size: int = 256) -> Iterator[tuple[str, float, float, float]]:
    """Yield each contender with a Gaussian: name, ms p50, of the quickest round, megabytes."""
    frame = Shape(size, size, 3)
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (4, size, size, 3), np.uint8)
    runners = []
    for contender in CONTENDERS:
        extractor = contender.extractor(frame, size)
        taps = contender.taps
        detector = fit_detector(
            extractor.plan, (LevelChoice(taps, "diagonal"),), extractor.stack(pixels), "abcd",
            in_units=False,
        )  # fmt: skip
        graph = detector.graph().SerializeToString()
        runners.append((contender.name, GraphRunner(graph), len(graph) / 1e6))
    found: dict[str, list[list[float]]] = {name: [] for name, _, _ in runners}
    for _ in range(7):
        for name, runner, _ in runners:
            runner(pixels[0])
            each = []
            for _ in range(40):
                began = perf_counter()
                runner(pixels[0])
                each.append(1000 * (perf_counter() - began))
            found[name].append(each)
    for name, _, megabytes in runners:
        rounds = [float(np.median(each)) for each in found[name]]
        yield name, min(rounds), min(min(each) for each in found[name]), megabytes


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--timing-only", action="store_true")
    parser.add_argument(
        "--beside", nargs="*", choices=[one.name for one in CONTENDERS], help="trunk and student"
    )
    given = parser.parse_args()
    shown = CONTENDERS
    if given.beside is not None:
        shown = tuple(
            one for at, one in enumerate(CONTENDERS) if at < 2 or one.name in given.beside
        )
    if not given.timing_only:
        _accuracy(given.draws, shown)
    print("\n| with a Gaussian at 256x256, ONNX Runtime, one thread | ms p50 | quickest | MB |")
    print("|---|---:|---:|---:|")
    for name, p50, quickest, megabytes in times():
        print(f"| {name} | {p50:.2f} | {quickest:.2f} | {megabytes:.2f} |", flush=True)
    return 0


def _accuracy(draws: int, contenders: Sequence[Contender]) -> None:
    names = " | ".join(contender.name for contender in contenders)
    print(f"| set | head | good pictures | figure | {names} |")
    print("|---|---|---:|---|" + "---:|" * len(contenders))
    for job in jobs():
        cells = job.shown.test_defective[0].mask is not None
        each = [dict(judged(job, contender, draws)) for contender in contenders]
        for head in job.heads:
            row = [_told(found[head], each[0][head]) for found in each]
            figure = "cell AUROC" if cells else "image AUROC"
            told = f"{job.shown.name} | {head} | {job.good} | {figure}"
            print(f"| {told} | {' | '.join(row)} |",
                  flush=True)  # fmt: skip


def _told(found: Sequence[float], trunk: Sequence[float]) -> str:
    off = 100 * float(np.mean(np.subtract(found, trunk)))
    change = "" if found is trunk else f" ({off:+.1f})"
    return f"{np.mean(found):.3f}±{np.std(found):.3f}{change}"


if __name__ == "__main__":
    sys.exit(main())
