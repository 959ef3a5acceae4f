"""Accuracy x CPU time x pictures needed x fit time x after int8, of one package in one run.

    python tests/benchmarks/inspection.py                      the sets that are there
    python tests/benchmarks/inspection.py --folder DIR         your own, MVTec layout or VisA
    python tests/benchmarks/inspection.py --write docs/reference/benchmarks-inspection.md

Protocol: split by physical part; pictures to fit on are drawn at random, the spread is over draws;
the choice of input size and detector is made on selection parts, figures are of other parts;
trivial baselines stand beside; time and accuracy are of the same graph at the same input size.
One thread. Interleave nothing else on the machine when the times matter.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import onnx
from inspection_data import BALL_SCREW, DEEP_PCB, BenchmarkSet, ball_screw, deep_pcb, own_folder
from inspection_figures import Array, Located, Locator, darkness_map, trivial_baselines

from millhand.models.telemetry import silence
from millhand_quality.inspect.detector import fit_detector
from millhand_quality.inspect.features import (
    FeatureExtractor,
    InputPlan,
    Taps,
    image_spec,
    plan_input,
    record_features,
)
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.network import FLOAT, Recorder
from millhand_quality.inspect.pictures import Pixels, open_picture
from millhand_quality.inspect.quantise import quantised
from millhand_quality.inspect.select import CANDIDATES, auroc, taps_of
from millhand_quality.inspect.trunk import BLOCKS, trunk_parameters

Timer = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of a graph, p50 and p99, one thread; NaN where a runtime is absent."""

    onnxruntime: tuple[float, float]
    openvino: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the means over draws, and their standard deviations."""

    set: str
    pictures: int
    detector: str
    plan: InputPlan
    draws: int
    located: tuple[Located, ...]
    image_auroc: tuple[float, ...]
    fit_s: float
    times: Times
    megabytes: float
    int8_ms: float
    int8_megabytes: float
    int8_cell: float
    same_draw_cell: float

    def over_draws(self, figure: Callable[[Located], float]) -> tuple[float, float]:
        """Return mean and standard deviation of a figure."""
        values = [figure(one) for one in self.located]
        return float(np.mean(values)), float(np.std(values))


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

    def row(self, name: str, pictures: int, draws: int) -> Row:
        """Fit ``draws`` times, judge all test pictures, measure the last graph."""
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
        return Row(
            set=self.set.name,
            pictures=len(taken),
            detector=name,
            plan=self.plan,
            draws=draws,
            located=tuple(located),
            image_auroc=tuple(image_level),
            fit_s=float(np.mean(fit_times)),
            times=measure(model, some[0]),
            megabytes=model.ByteSize() / 1e6,
            int8_ms=measure(small, some[0]).onnxruntime[0],
            int8_megabytes=small.ByteSize() / 1e6,
            int8_cell=self.locator(heats).cell_auroc,
            same_draw_cell=located[-1].cell_auroc,
        )


REPEATS = int(os.environ.get("MILLHAND_BENCH_REPEATS", "60"))


def percentiles(run: Timer, repeats: int = REPEATS) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds, warmed up."""
    for _ in range(8):
        run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter_ns()
        run()
        times.append((time.perf_counter_ns() - start) / 1e6)
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))


def measure(model: onnx.ModelProto, pixels: Pixels) -> Times:
    """Time a graph on what is installed."""
    data = model.SerializeToString()
    return Times(_onnx_runtime(data, pixels), _open_vino(data, pixels))


def _onnx_runtime(data: bytes, pixels: Pixels) -> tuple[float, float]:
    from millhand_quality.inspect.runtime import open_session

    session = open_session(data)
    return percentiles(lambda: session.run(None, {"image": pixels}))


def _open_vino(data: bytes, pixels: Pixels) -> tuple[float, float]:
    silence()
    try:
        import openvino
    except ImportError:
        return float("nan"), float("nan")
    core = openvino.Core()
    hints = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    request = core.compile_model(core.read_model(data), "CPU", hints).create_infer_request()
    return percentiles(lambda: request.infer({"image": pixels}))


def bare_trunk(plan: InputPlan, taps: Taps) -> onnx.ModelProto:
    """Return the trunk without a head, from the same picture."""
    recorder = Recorder()
    name = record_features(recorder, plan, [taps], trunk_parameters())[taps]
    shape = (1, BLOCKS[taps[-1]].channels_out, *plan.grid(taps))
    return recorder.model({"image": image_spec(plan)}, {name: (FLOAT, shape)}, "trunk")


def file_to_verdict(path: Path, row_model: onnx.ModelProto) -> tuple[float, float]:
    """Time from a file's name to a score: read, decode, one graph."""
    runner = GraphRunner(row_model.SerializeToString())
    return percentiles(lambda: runner(open_picture(path).pixels()))


# --- the report ---


def _pm(pair: tuple[float, float]) -> str:
    return f"{pair[0]:.3f}±{pair[1]:.3f}"


def table(rows: Sequence[Row]) -> list[str]:
    """Return the table as lines of Markdown."""
    heads = (
        "set", "good pictures", "detector", "input", "cell AUROC", "within-frame pixel AUROC",
        "peak on defect (worst part)", "image AUROC", "fit, CPU s", "ONNX Runtime ms p50 / p99",
        "OpenVINO ms p50 / p99", "MB", "int8 MB", "int8 ONNX Runtime ms", "int8 cell AUROC, change",
        "draws",
    )  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        worst = row.over_draws(lambda one: one.worst_peak)[0]
        peak = row.over_draws(lambda one: one.peak)[0]
        image = f"{np.mean(row.image_auroc):.3f}" if row.image_auroc else "not meaningful"
        cells = (
            row.set,
            str(row.pictures),
            row.detector,
            f"{row.plan.width}x{row.plan.height}",
            _pm(row.over_draws(lambda one: one.cell_auroc)),
            _pm(row.over_draws(lambda one: one.pixel_auroc)),
            f"{peak:.2f} ({worst:.2f})",
            image,
            f"{row.fit_s:.2f}",
            "{:.1f} / {:.1f}".format(*row.times.onnxruntime),
            "{:.1f} / {:.1f}".format(*row.times.openvino),
            f"{row.megabytes:.1f}",
            f"{row.int8_megabytes:.1f}",
            f"{row.int8_ms:.1f}",
            f"{row.int8_cell:.3f}, {row.int8_cell - row.same_draw_cell:+.3f}",
            str(row.draws),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _restricted(row: Row, parts: Sequence[str]) -> tuple[float, float]:
    """Return mean cell AUROC and mean worst peak over draws, of some parts."""
    cell = np.mean([[one.cell_by_part[part] for part in parts] for one in row.located])
    worst = np.mean([min(one.peak_by_part[part] for part in parts) for one in row.located])
    return float(cell), float(worst)


def selection_report(rows: Sequence[Row], pictures: int) -> list[str]:
    """Choose on two parts, report on the other three; then every way of choosing the two."""
    of = [row for row in rows if row.pictures == pictures and row.set == "ball screw"]
    parts = sorted(of[0].located[0].cell_by_part)
    found, chosen_names = [], []
    for pair in itertools.combinations(parts, 2):
        rest = [part for part in parts if part not in pair]
        best = max(of, key=lambda row: sum(_restricted(row, pair)))
        found.append(_restricted(best, rest))
        chosen_names.append(f"{best.detector} at {best.plan.width}x{best.plan.height}")
    first = found[0]
    cells, worsts = zip(*found, strict=True)
    chosen = (
        f"- {pictures} good pictures. Chosen on {parts[0]} and {parts[1]}: {chosen_names[0]}. "
        f"On the other three: cell AUROC {first[0]:.3f} (mean of parts), peak on pitting in the "
        f"worst part {first[1]:.2f}."
    )
    every = (
        f"  All {len(found)} ways of choosing two: cell AUROC {np.mean(cells):.3f} "
        f"(lowest {min(cells):.3f}), worst peak {np.mean(worsts):.2f} (lowest {min(worsts):.2f}); "
        f"chosen: {', '.join(sorted(set(chosen_names)))}."
    )
    return [chosen, every]


def baseline_report(benchmark: BenchmarkSet) -> list[str]:
    """Say what no inspection at all would reach."""
    whole = ", ".join(f"{name} {area:.3f}" for name, area in trivial_baselines(benchmark).items())
    heats = np.stack([_small(darkness_map(one.pixels)) for one in benchmark.test_defective])
    located = Locator(benchmark)(heats)
    line = (
        f"- {benchmark.name}: image AUROC of {whole or 'nothing'}; local contrast alone: "
        f"cell AUROC {located.cell_auroc:.3f}, peak {located.peak:.2f} ({located.worst_peak:.2f})."
    )
    return [line]


def _small(heat: Array) -> Array:
    """Keep the largest of 4 by 4 pixels."""
    rows, columns = heat.shape[0] // 4, heat.shape[1] // 4
    blocks = heat[: rows * 4, : columns * 4].reshape(rows, 4, columns, 4)
    return np.asarray(blocks.max(axis=(1, 3)), np.float32)


def speed_report(pixels: Pixels) -> list[str]:
    """Time trunk and graphs on a square picture of 256 pixels."""
    from millhand_quality.inspect.pictures import Shape

    plan = plan_input(Shape(256, 256, 3), 256)
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (256, 256, 3), np.uint8) for _ in range(8)]
    extractor = FeatureExtractor(plan, taps_of(CANDIDATES))
    features = extractor.stack(pictures)
    lines = [
        "| graph at 256x256 | ONNX Runtime ms p50 / p99 | OpenVINO ms p50 / p99 |",
        "|---|---|---|",
    ]
    graphs = {
        "trunk alone, to block 10": bare_trunk(plan, (10,)),
        "trunk alone, to block 4": bare_trunk(plan, (4,)),
    }
    for name, choices in CANDIDATES.items():
        parts = [str(index) for index in range(8)]
        graphs[f"trunk and {name}"] = fit_detector(plan, choices, features, parts).graph()
    for name, model in graphs.items():
        times = measure(model, pictures[0])
        lines.append(
            f"| {name} | {times.onnxruntime[0]:.1f} / {times.onnxruntime[1]:.1f} "
            f"| {times.openvino[0]:.1f} / {times.openvino[1]:.1f} |"
        )
    with_file = _file_time(graphs["trunk and diagonal"], pixels)
    whole = (
        f"File to verdict (PNG of 256x256 read, decoded and judged by trunk and diagonal, ONNX "
        f"Runtime): p50 {with_file[0]:.1f} ms, p99 {with_file[1]:.1f} ms."
    )
    return [*lines, "", whole]


def _file_time(model: onnx.ModelProto, pixels: Pixels) -> tuple[float, float]:
    import tempfile

    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.png"
        image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]).convert("RGB")
        image.resize((256, 256)).save(path)
        return file_to_verdict(path, model)


def machine() -> str:
    """Name the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
        flags = next(line for line in lines if line.startswith("flags")).split()
        extensions = [one for one in ("avx2", "avx512f", "avx512_vnni") if one in flags]
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
    return f"{name} ({', '.join(extensions) or 'no AVX2'})"


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


def run(arguments: argparse.Namespace) -> list[str]:
    """Measure what was asked for and return the report; empty where there are no pictures."""
    wanted = jobs(arguments)
    rows: list[Row] = []
    for job in wanted:
        for size in job.sizes:
            bench = Bench(job.benchmark, size)
            for name, pictures in job.rows(size):
                draws = arguments.draws if name == "diagonal" else arguments.dear_draws
                rows.append(bench.row(name, pictures, draws))
                tell(table(rows[-1:])[-1])
    if not rows:
        return []
    report = table(rows)
    if any(row.set == "ball screw" for row in rows):
        report += ["", "### Ball screw, selection apart from test", ""]
        for pictures in (4, 10, 40):
            report += selection_report(rows, pictures)
    report += ["", "### What no inspection at all would reach", ""]
    for job in wanted:
        report += baseline_report(job.benchmark)
    return [*report, "", "### Time", "", *speed_report(wanted[0].benchmark.fit[0].pixels)]


def tell(line: str) -> None:
    """Show progress on standard error."""
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Run, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="your own pictures instead")
    parser.add_argument("--part-pattern", help="first group names the physical part")
    parser.add_argument("--size", type=int, default=256, help="input size for --folder")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--dear-draws", type=int, default=5, help="for heads dear to fit")
    parser.add_argument("--write", type=Path, help="Markdown file; text up to <!-- table --> stays")
    arguments = parser.parse_args()
    report = run(arguments)
    if not report:
        tell(f"There are no benchmark pictures under {BALL_SCREW.parent}; name some by --folder.")
        return 0
    when = datetime.now(UTC).date().isoformat()
    command = " ".join(["python", "tests/benchmarks/inspection.py", *sys.argv[1:]])
    head = [
        f"`{command}`, {when}, {machine()}, one thread, Python {platform.python_version()}.",
        "",
    ]
    text = "\n".join([*head, *report, ""])
    sys.stdout.write(text)
    if arguments.write is not None:
        mark = "<!-- table -->\n"
        old = arguments.write.read_text(encoding="utf-8") if arguments.write.exists() else ""
        kept = old.split(mark)[0] if mark in old else ""
        arguments.write.write_text(f"{kept}{mark}{text}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
