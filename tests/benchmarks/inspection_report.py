"""The inspection benchmark as Markdown."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import onnx
from inspection_data import BenchmarkSet
from inspection_figures import Array, Locator, darkness_map, trivial_baselines
from inspection_record import Row, Timed
from inspection_times import Pair, file_times, measure

from millhand_quality.inspect.detector import fit_detector
from millhand_quality.inspect.features import (
    FeatureExtractor,
    InputPlan,
    Taps,
    image_spec,
    plan_input,
    record_features,
)
from millhand_quality.inspect.network import FLOAT, Recorder
from millhand_quality.inspect.pictures import Shape
from millhand_quality.inspect.select import CANDIDATES, taps_of
from millhand_quality.inspect.trunk import BLOCKS, trunk_parameters


def _pm(pair: Pair) -> str:
    return f"{pair[0]:.3f}±{pair[1]:.3f}"


def _ms(pair: Pair) -> str:
    return f"{pair[0]:.1f} / {pair[1]:.1f}"


def table(rows: Sequence[Timed]) -> list[str]:
    """Return the table as lines of Markdown."""
    heads = (
        "set", "good pictures", "detector", "input", "cell AUROC", "within-frame pixel AUROC",
        "peak on defect (worst part)", "image AUROC", "fit, CPU s", "ONNX Runtime ms p50 / p99",
        "OpenVINO ms p50 / p99", "MB", "int8 MB", "int8 ONNX Runtime ms", "int8 OpenVINO ms",
        "int8 cell AUROC, change", "draws",
    )  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for timed in rows:
        row = timed.row
        worst = row.over_draws(lambda one: one.worst_peak)[0]
        peak = row.over_draws(lambda one: one.peak)[0]
        image = f"{np.mean(row.image_auroc):.3f}" if row.image_auroc else "not meaningful"
        cells = (
            row.set,
            str(row.pictures),
            row.detector,
            row.input,
            _pm(row.over_draws(lambda one: one.cell_auroc)),
            _pm(row.over_draws(lambda one: one.pixel_auroc)),
            f"{peak:.2f} ({worst:.2f})",
            image,
            f"{row.fit_s:.2f}",
            _ms(timed.fp32.onnxruntime),
            _ms(timed.fp32.openvino),
            f"{row.megabytes:.1f}",
            f"{row.int8_megabytes:.1f}",
            f"{timed.int8.onnxruntime[0]:.1f}",
            f"{timed.int8.openvino[0]:.1f}",
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
        chosen_names.append(f"{best.detector} at {best.input}")
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


def bare_trunk(plan: InputPlan, taps: Taps) -> onnx.ModelProto:
    """Return the trunk without a head, from the same picture."""
    recorder = Recorder()
    name = record_features(recorder, plan, [taps], trunk_parameters())[taps]
    shape = (1, BLOCKS[taps[-1]].channels_out, *plan.grid(taps))
    return recorder.model({"image": image_spec(plan)}, {name: (FLOAT, shape)}, "trunk")


def speed_report() -> list[str]:
    """Time trunk and graphs on a square picture of 256 pixels, and from file to verdict."""
    plan = plan_input(Shape(256, 256, 3), 256)
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (256, 256, 3), np.uint8) for _ in range(8)]
    extractor = FeatureExtractor(plan, taps_of(CANDIDATES))
    features = extractor.stack(pictures)
    graphs = {
        "trunk alone, to block 10": bare_trunk(plan, (10,)),
        "trunk alone, to block 4": bare_trunk(plan, (4,)),
    }
    for name, choices in CANDIDATES.items():
        parts = [str(index) for index in range(8)]
        graphs[f"trunk and {name}"] = fit_detector(plan, choices, features, parts).graph()
    lines = [
        (
            "| graph at 256x256 | ONNX Runtime ms p50 / p99 | OpenVINO ms p50 / p99 | "
            "OpenVINO in its own precision ms p50 / p99 |"
        ),
        "|---|---|---|---|",
    ]
    for name, model in graphs.items():
        times = measure(model, pictures[0])
        cells = map(_ms, (times.onnxruntime, times.openvino, times.openvino_fast))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    smooth = np.repeat(np.repeat(pictures[0][::16, ::16], 16, axis=0), 16, axis=1)
    whole = ", ".join(
        f"{name} {_ms(pair)}"
        for name, pair in file_times(graphs["trunk and diagonal"], smooth).items()
    )
    return [
        *lines,
        "",
        (
            f"File to verdict, a PNG of 256x256 read, decoded and judged by trunk and diagonal, "
            f"ms p50 / p99: {whole}."
        ),
    ]
