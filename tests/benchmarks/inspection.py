"""Accuracy x CPU time x pictures needed x fit time x after int8, of one package in one run.

    python tests/benchmarks/inspection.py                 accuracy of the sets that are there
    python tests/benchmarks/inspection.py --folder DIR    your own, MVTec layout or VisA
    python tests/benchmarks/inspection.py --timing-only   time what was kept, and the whole table

Protocol: split by physical part; pictures to fit on are drawn at random, the spread is over draws;
the choice of input size and detector is made on selection parts, figures are of other parts;
trivial baselines stand beside; time and accuracy are of the same graph at the same input size.
The first part keeps its graphs (``--keep``), the second times those and writes the whole table:
so only minutes of a quiet machine are needed. One thread.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnx
from inspection_data import BALL_SCREW, DEEP_PCB, BenchmarkSet, ball_screw, deep_pcb, own_folder
from inspection_figures import Locator
from inspection_record import Record, Row, Timed
from inspection_report import baseline_report, selection_report, speed_report, table
from inspection_times import machine, measure

from millhand_quality.inspect.detector import fit_detector
from millhand_quality.inspect.features import FeatureExtractor, plan_input
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.pictures import Pixels
from millhand_quality.inspect.quantise import quantised
from millhand_quality.inspect.select import CANDIDATES, auroc, taps_of

KEPT = Path("runs/inspection-benchmark")
HERE = "python tests/benchmarks/inspection.py"


class Bench:
    """One set at one input size: features once, then many draws."""

    def __init__(self, benchmark: BenchmarkSet, size: int) -> None:
        self.set = benchmark
        self.plan = plan_input(benchmark.frame, size)
        self._extractor = FeatureExtractor(self.plan, taps_of(CANDIDATES))
        self.locator = Locator(benchmark)
        start = time.process_time()
        self._fit = self._extractor.stack(one.pixels for one in benchmark.fit)
        self.extract_s = (time.process_time() - start) / len(benchmark.fit)
        self._bad = self._extractor.stack(one.pixels for one in benchmark.test_defective)
        self._good = (
            self._extractor.stack(one.pixels for one in benchmark.test_good)
            if benchmark.test_good
            else {}
        )

    def _drawn(self, pictures: int, seed: int) -> list[int]:
        count = len(self.set.fit)
        chosen = np.random.default_rng(seed).choice(count, min(pictures, count), replace=False)
        return sorted(int(index) for index in chosen)

    def _in_int8(
        self, name: str, taken: Sequence[int], parts: Sequence[str], some: Sequence[Pixels]
    ) -> onnx.ModelProto:
        """Quantise the trunk, fit the head on what it then gives, quantise the whole alike."""
        choices = CANDIDATES[name]
        extractor = FeatureExtractor(
            self.plan, taps_of({name: choices}), change=lambda model: quantised(model, some)
        )
        features = extractor.stack(self.set.fit[index].pixels for index in taken)
        return quantised(fit_detector(self.plan, choices, features, parts).graph(), some)

    def row(
        self, name: str, pictures: int, draws: int
    ) -> tuple[Row, onnx.ModelProto, onnx.ModelProto]:
        """Fit ``draws`` times and judge all test pictures; return the last graphs too."""
        located, image_level, fit_times = [], [], []
        for seed in range(draws):
            taken = self._drawn(pictures, seed)
            parts = [f"{self.set.fit[index].part}/{index}" for index in taken]
            start = time.process_time()
            features = {taps: array[taken] for taps, array in self._fit.items()}
            detector = fit_detector(self.plan, CANDIDATES[name], features, parts)
            fit_times.append(time.process_time() - start + len(taken) * self.extract_s)
            maps = detector.maps(self._bad)
            located.append(self.locator(maps.heat))
            if self._good and self.set.image_level:
                image_level.append(auroc(maps.score, detector.maps(self._good).score))
        model = detector.graph()
        some = [self.set.fit[index].pixels for index in taken[:12]]
        small = self._in_int8(name, taken, parts, some)
        runner = GraphRunner(small.SerializeToString())
        heats = np.stack([runner(one.pixels).heat for one in self.set.test_defective])
        row = Row(
            set=self.set.name,
            pictures=len(taken),
            detector=name,
            frame=(self.plan.frame.height, self.plan.frame.width, self.plan.frame.channels),
            input=f"{self.plan.width}x{self.plan.height}",
            draws=draws,
            located=tuple(located),
            image_auroc=tuple(image_level),
            fit_s=float(np.mean(fit_times)),
            megabytes=model.ByteSize() / 1e6,
            int8_megabytes=small.ByteSize() / 1e6,
            int8_cell=self.locator(heats).cell_auroc,
            same_draw_cell=located[-1].cell_auroc,
        )
        return row, model, small


@dataclass(frozen=True, slots=True)
class Job:
    """One set with the input sizes, numbers of pictures and detectors to try."""

    benchmark: BenchmarkSet
    sizes: dict[int, tuple[str, ...]]
    """Detectors by input size."""
    pictures: tuple[int, ...]
    dear_pictures: tuple[int, ...]
    """For the heads that are dear to fit."""

    def rows(self, size: int) -> list[tuple[str, int]]:
        """Return detectors and numbers of pictures in the table's order."""
        return [
            (name, pictures)
            for name in self.sizes[size]
            for pictures in (self.pictures if name == "diagonal" else self.dear_pictures)
        ]


def jobs(arguments: argparse.Namespace) -> list[Job]:
    """Say what is to be measured: one's own folder, or the sets that are there."""
    every = tuple(CANDIDATES)
    if arguments.folder is not None:
        own = own_folder(arguments.folder, arguments.part_pattern)
        return [Job(own, {arguments.size: every}, (4, 10, 50), (10, 50))]
    found = []
    if BALL_SCREW.is_dir():
        found.append(Job(ball_screw(), {320: every, 384: ("diagonal",)}, (4, 10, 40), (10, 40)))
    if DEEP_PCB.is_dir():
        found.append(Job(deep_pcb(), {512: ("diagonal", "bank", "fused")}, (10, 50), (10, 50)))
    return found


def judge(arguments: argparse.Namespace, record: Record) -> None:
    """Measure accuracy of what was asked for; keep rows, graphs and what stands beside them."""
    wanted = jobs(arguments)
    for job in wanted:
        for size in job.sizes:
            bench = Bench(job.benchmark, size)
            for name, pictures in job.rows(size):
                draws = arguments.draws if name == "diagonal" else arguments.dear_draws
                record.add(*bench.row(name, pictures, draws))
                tell(str(record.rows[-1].detector))
    if any(row.set == "ball screw" for row in record.rows):
        record.notes += ["### Ball screw, selection apart from test", ""]
        for pictures in (4, 10, 40):
            record.notes += selection_report(record.rows, pictures)
        record.notes.append("")
    if wanted:
        record.notes += ["### What no inspection at all would reach", ""]
    for job in wanted:
        record.notes += baseline_report(job.benchmark)
    record.facts = {"command": " ".join([HERE, *sys.argv[1:]]), "date": today()}
    record.save()


def timed(record: Record) -> list[Timed]:
    """Time every row's graphs on a picture of noise."""
    random, found = np.random.default_rng(0), []
    for row, fp32, int8 in record.graphs():
        pixels: Pixels = random.integers(0, 256, row.frame, np.uint8)
        found.append(Timed(row, measure(fp32, pixels), measure(int8, pixels)))
    return found


def today() -> str:
    """Return the date in UTC."""
    return datetime.now(UTC).date().isoformat()


def tell(line: str) -> None:
    """Show progress on standard error."""
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Judge and keep, or time what was kept; print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="your own pictures instead")
    parser.add_argument("--part-pattern", help="first group names the physical part")
    parser.add_argument("--size", type=int, default=256, help="input size for --folder")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--dear-draws", type=int, default=5, help="for heads dear to fit")
    parser.add_argument("--keep", type=Path, default=KEPT, help="folder of rows and graphs")
    parser.add_argument("--timing-only", action="store_true", help="time what --keep holds")
    parser.add_argument("--write", type=Path, help="Markdown file; text up to <!-- table --> stays")
    arguments = parser.parse_args()
    if not arguments.timing_only:
        judge(arguments, Record(arguments.keep))
        tell(f"Kept in {arguments.keep}; now: {HERE} --timing-only")
        return 0
    record = Record.load(arguments.keep)
    if not record.rows:
        tell(f"There were no benchmark pictures under {BALL_SCREW.parent}; name some by --folder.")
        return 0
    head = [
        f"Accuracy: `{record.facts['command']}`, {record.facts['date']}.",
        (
            f"Time: `{HERE} --timing-only`, {today()}, {machine()}, alone, one thread, "
            f"Python {platform.python_version()}."
        ),
        "",
    ]
    body = [*table(timed(record)), "", *record.notes, "", "### Time", "", *speed_report()]
    text = "\n".join([*head, *body, ""])
    sys.stdout.write(text)
    if arguments.write is not None:
        mark = "<!-- table -->\n"
        old = arguments.write.read_text(encoding="utf-8") if arguments.write.exists() else ""
        kept = old.split(mark)[0] if mark in old else ""
        arguments.write.write_text(f"{kept}{mark}{text}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
