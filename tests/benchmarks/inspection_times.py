"""Milliseconds of graphs on what is installed: one thread, warmed up, p50 and p99."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from PIL import Image

from millhand.models.telemetry import silence
from millhand_quality.inspect.pictures import Pixels, open_picture

Timer = Callable[[], object]
Pair = tuple[float, float]
REPEATS = int(os.environ.get("MILLHAND_BENCH_REPEATS", "50"))
ROUNDS = 5
"""The quickest round counts, so that whatever else ran in between does not."""
WARM_UP = 5


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds, p50 and p99; NaN where a run time is absent."""

    onnxruntime: Pair
    openvino: Pair
    openvino_fast: Pair
    """In the precision that OpenVINO chooses for the processor: 16 bits where it has bf16."""


def percentiles(run: Timer, repeats: int = REPEATS) -> Pair:
    """Return p50 and p99 in milliseconds of the quickest of :data:`ROUNDS` rounds."""
    rounds = [_round(run, repeats) for _ in range(ROUNDS)]
    return min(rounds)


def _round(run: Timer, repeats: int) -> Pair:
    for _ in range(WARM_UP):
        run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter_ns()
        run()
        times.append((time.perf_counter_ns() - start) / 1e6)
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))


def measure(model: onnx.ModelProto, pixels: Pixels) -> Times:
    """Time a graph on what is installed."""
    data, absent = model.SerializeToString(), (float("nan"), float("nan"))
    plain = onnx_runtime(data)
    exact, fast = open_vino(data, exact=True), open_vino(data, exact=False)
    return Times(
        percentiles(lambda: plain(pixels)),
        absent if exact is None else percentiles(lambda: exact(pixels)),
        absent if fast is None else percentiles(lambda: fast(pixels)),
    )


def onnx_runtime(data: bytes) -> Callable[[Pixels], Any]:
    """Open a graph on ONNX Runtime."""
    from millhand_quality.inspect.runtime import open_session

    session = open_session(data)
    return lambda pixels: session.run(None, {"image": pixels})


def open_vino(data: bytes, *, exact: bool) -> Callable[[Pixels], Any] | None:
    """Open a graph on OpenVINO as our accelerator does; None where it is not installed."""
    silence()
    try:
        import openvino
    except ImportError:
        return None
    hints: dict[str, Any] = {
        "INFERENCE_NUM_THREADS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "ENABLE_CPU_PINNING": False,
    }
    if exact:
        hints["INFERENCE_PRECISION_HINT"] = "f32"
    core = openvino.Core()
    request = core.compile_model(core.read_model(data), "CPU", hints).create_infer_request()
    return lambda pixels: request.infer({"image": pixels})


def file_times(model: onnx.ModelProto, pixels: Pixels) -> dict[str, Pair]:
    """Time from a file's name to a score: a PNG of 256x256 read, decoded and judged."""
    data = model.SerializeToString()
    runs = {
        "ONNX Runtime": onnx_runtime(data),
        "OpenVINO": open_vino(data, exact=True),
        "OpenVINO, its own precision": open_vino(data, exact=False),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.png"
        image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]).convert("RGB")
        image.resize((256, 256)).save(path)
        found = {"reading and decoding alone": percentiles(lambda: open_picture(path).pixels())}
        for name, run in runs.items():
            if run is not None:
                found[name] = percentiles(lambda run=run: run(open_picture(path).pixels()))  # type: ignore[misc]
    return found


def machine() -> str:
    """Name the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
        flags = next(line for line in lines if line.startswith("flags")).split()
        wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16")
        extensions = [one for one in wanted if one in flags]
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
    return f"{name} ({', '.join(extensions) or 'no AVX2'}), {os.cpu_count()} cores"
