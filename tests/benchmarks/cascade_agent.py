"""A cascade in the agent: what it clears, what it misses, and its time from file to verdict.

::

    python tests/benchmarks/cascade_agent.py [--product impeller] [--on openvino] [--exact no]
    python tests/benchmarks/cascade_agent.py --quick PACKAGE --quick-precision int8 --timing-only

Parts are rendered, each under a light and finish of its own that no package was fitted on. One half
is to choose by: of the thresholds fixed beforehand in ``millhand inspect cascade`` the one that
clears most is taken whose rate of lost defects (cleared, though the bigger package stops them) is
surely below ``--lost-at-most``, with 95 % for all together (Learn then Test, Bonferroni).
The other half reports. Times are of the agent itself with both packages opened by the accelerator:
a PNG is read, decoded and decided, by turns with the bigger package alone. A line has 1 % defects.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scenario_inspection import DEFECTS, FIRST_FAMILY, FIRST_SEED, MODELS

from millhand.contracts import Decision, Frame, FrameRef, Observation, PartTrigger, Verdict
from millhand.models.package import open_package
from millhand.models.sessions import OpenedModel, open_model
from millhand.plugins import Plugins
from millhand.statistics.intervals import share
from millhand_quality.inspect.agent import MODEL, QUICK, InspectAgent
from millhand_quality.inspect.commands.cascade import DELTA, THRESHOLDS
from millhand_quality.inspect.config import InspectConfig
from millhand_quality.inspect.pictures import Pixels, open_picture
from millhand_simulated.parts import render

DEFECT_RATE = 0.01
NEVER = 1.0
"""A share that no part reaches: the bigger package decides all, and the quick one is asked."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the quick package and the bigger one say of a part."""

    defective: bool
    ordinary: float
    bigger: Verdict


def pictures(product: str, good: int, defective: int, half: int) -> Iterator[tuple[Pixels, bool]]:
    """Render one half of the parts."""
    kinds = [None] * good + [kind for kind in DEFECTS for _ in range(defective)]
    for number, kind in enumerate(kinds):
        seed = (half + 2) * 1_000_000 + number
        shown = render(
            product,  # type: ignore[arg-type]
            part_seed=FIRST_SEED + seed,
            family_seed=FIRST_FAMILY + seed,
            defect=kind,
        )
        yield shown.pixels, kind is not None


def observation(pixels: Pixels) -> Observation:
    """Show the picture to the agent as the engine does."""
    height, width, channels = pixels.shape
    ref = FrameRef(
        camera="camera", sha256="00" * 32, height=height, width=width, channels=channels,
        frame_seq=1,
    )  # fmt: skip
    trigger = PartTrigger(
        source="plc.trigger", trigger_seq=1, part_id="part", plc_tick=1, detected_utc_ns=1,
        detected_monotonic_ns=1,
    )  # fmt: skip
    return Observation(
        id="benchmark.1.1",
        agent="inspector",
        trigger=trigger,
        product="part",
        frames={"frame": Frame(ref, pixels)},
    )


def ask(models: dict[str, OpenedModel], shown: Iterator[tuple[Pixels, bool]]) -> list[Told]:
    """Let the agent ask both of every part."""
    agent = InspectAgent(InspectConfig(clear_from=NEVER))
    told = []
    for pixels, defective in shown:
        decision = agent.decide(observation(pixels), models)
        assert decision.verdict is not None
        bigger = decision.verdict
        if MODEL not in decision.models:
            bigger = _alone(models, pixels)
        told.append(Told(defective, decision.scores[QUICK], bigger))
    return told


def _alone(models: dict[str, OpenedModel], pixels: Pixels) -> Verdict:
    decision = InspectAgent(InspectConfig()).decide(observation(pixels), models)
    assert decision.verdict is not None
    return decision.verdict


def lost_at(told: Sequence[Told], threshold: float) -> tuple[int, int, float]:
    """Return lost defects, of how many, and how many surely at most for all thresholds at once."""
    stopped = [one for one in told if one.defective and one.bigger is not Verdict.OK]
    lost = sum(one.ordinary >= threshold for one in stopped)
    return lost, len(stopped), share(lost, len(stopped), 1 - 2 * DELTA / len(THRESHOLDS)).high


def cleared_at(told: Sequence[Told], threshold: float, *, defective: bool) -> float:
    """Return which share the quick package clears."""
    some = [one.ordinary >= threshold for one in told if one.defective is defective]
    return float(np.mean(some))


def times(models: dict[str, OpenedModel], files: Sequence[Path]) -> dict[str, tuple[float, float]]:
    """Return milliseconds from file to verdict, middle and mean, by the way that parts go.

    Cleared at once, passed on, and one model alone; the file is read and decoded in each.
    """
    agents = {
        "cleared": InspectAgent(InspectConfig(clear_from=1e-9)),
        "passed on": InspectAgent(InspectConfig(clear_from=NEVER)),
        "bigger alone": InspectAgent(InspectConfig()),
    }
    found: dict[str, list[float]] = {name: [] for name in agents}
    for turn in range(8):
        for path in files:
            for name, agent in agents.items():
                began = time.perf_counter()
                decision = agent.decide(observation(open_picture(path).pixels()), models)
                took = 1000 * (time.perf_counter() - began)
                if turn and _went(decision) == name:
                    found[name].append(took)
    return {
        name: (float(np.median(some)), float(np.mean(some))) for name, some in found.items() if some
    }


def streamed(
    models: dict[str, OpenedModel], files: Sequence[Path], clear_from: float
) -> tuple[list[float], float]:
    """Return milliseconds from file to verdict of each part of a line, and the share cleared.

    One agent with a real threshold, parts in the order in which they come, after one round of
    warming up: caches hold what they hold on a line where most parts are cleared.
    """
    agent, took, cleared = InspectAgent(InspectConfig(clear_from=clear_from)), [], 0
    for turn in range(3):
        for path in files:
            began = time.perf_counter()
            decision = agent.decide(observation(open_picture(path).pixels()), models)
            if turn:
                took.append(1000 * (time.perf_counter() - began))
                cleared += MODEL not in decision.models
    return took, cleared / len(took)


def _went(decision: Decision) -> str:
    if MODEL not in decision.models:
        return "cleared"
    return "passed on" if QUICK in decision.models else "bigger alone"


def main() -> int:
    """Print the curve, what is chosen, and how it does on the other half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--product", default="impeller")
    parser.add_argument("--quick", type=Path, help="package; the scenario's small student")
    parser.add_argument("--quick-precision", help="of its graphs; the accelerator's choice")
    parser.add_argument("--on", default="openvino")
    parser.add_argument("--exact", choices=("yes", "no"), default="yes", help="of OpenVINO")
    parser.add_argument("--good", type=int, default=200)
    parser.add_argument("--defective", type=int, default=60, help="of each of six kinds")
    parser.add_argument("--lost-at-most", type=float, default=0.03)
    parser.add_argument("--timing-only", action="store_true")
    parser.add_argument("--stream", type=float, help="a line's time only, at this threshold")
    given = parser.parse_args()
    adapter = Plugins.discover().adapter(given.on).load()
    settings = {"threads": 1} | ({"exact": given.exact == "yes"} if given.on == "openvino" else {})
    accelerator = adapter("cpu", adapter.Config(**settings))
    quick = given.quick or MODELS / "students" / given.product
    models = {
        QUICK: open_model(open_package(quick), accelerator, given.quick_precision),
        MODEL: open_model(open_package(MODELS / given.product), accelerator),
    }
    try:
        if given.stream is not None:
            _stream(models, given.product, given.stream)
            return 0
        ms = _times(models, given.product)
        used = {name: model.used.precision for name, model in models.items()}
        print(f"{given.product} on {given.on} {settings}, {used}, file to verdict, ms p50 (mean): "
              + ", ".join(f"{name} {p50:.2f} ({mean:.2f})"
                          for name, (p50, mean) in ms.items()))  # fmt: skip
        if not given.timing_only:
            halves = [
                ask(models, pictures(given.product, given.good, given.defective, half))
                for half in (0, 1)
            ]
            _print(halves, {name: mean for name, (_, mean) in ms.items()}, given.lost_at_most)
    finally:
        for model in models.values():
            model.close()
        accelerator.close()
    return 0


def _times(models: dict[str, OpenedModel], product: str) -> dict[str, tuple[float, float]]:
    with tempfile.TemporaryDirectory(prefix="millhand-cascade-") as folder:
        files = []
        for number, (pixels, _) in enumerate(pictures(product, 12, 0, 7)):
            files.append(Path(folder) / f"{number}.png")
            Image.fromarray(pixels).save(files[-1])
        return times(models, files)


def _stream(models: dict[str, OpenedModel], product: str, clear_from: float) -> None:
    """Print a line's time for files that are packed (PNG), lossy (JPEG) and plain (BMP)."""
    parts = list(pictures(product, 198, 0, 8))
    defective = list(pictures(product, 0, 1, 8))[:2]
    parts = [*parts[:99], defective[0], *parts[99:], defective[1]]
    print(f"{product}, {len(parts)} parts of a line with 1 % defects, cleared from {clear_from:g}:")
    with tempfile.TemporaryDirectory(prefix="millhand-cascade-") as folder:
        for kind in ("png", "jpg", "bmp"):
            files = [Path(folder) / f"{number:03}.{kind}" for number in range(len(parts))]
            for path, (pixels, _) in zip(files, parts, strict=True):
                Image.fromarray(pixels).save(path, quality=95)
            took, cleared = streamed(models, files, clear_from)
            p50, p99 = np.quantile(took, (0.5, 0.99))
            kilobytes = files[0].stat().st_size / 1000
            print(f"  {kind}, {kilobytes:.0f} kB: mean {np.mean(took):.2f} ms, "
                  f"p50 {p50:.2f}, p99 {p99:.2f}; {cleared:.1%} cleared")  # fmt: skip


def _print(halves: Sequence[Sequence[Told]], ms: dict[str, float], most: float) -> None:
    choose, report = halves
    print("\n| as ordinary as | good cleared | mean ms, 1 % defects | lost, to choose by "
          "| surely at most | lost, reported |")  # fmt: skip
    print("|---:|---:|---:|---:|---:|---:|")
    chosen = None
    for threshold in THRESHOLDS:
        lost, of, high = lost_at(choose, threshold)
        again, also, _ = lost_at(report, threshold)
        shares = [cleared_at(report, threshold, defective=bad) for bad in (False, True)]
        cleared = (1 - DEFECT_RATE) * shares[0] + DEFECT_RATE * shares[1]
        mean = cleared * ms["cleared"] + (1 - cleared) * ms["passed on"]
        chosen = threshold if chosen is None and high <= most else chosen
        print(
            f"| {threshold:g} | {shares[0]:.1%} | {mean:.2f} | {lost} / {of} | {high:.2%} "
            f"| {again} / {also} |"
        )
    word = "none: no certificate is possible" if chosen is None else f"{chosen:g}"
    print(f"\nChosen, surely at most {most:.1%} of stopped defects lost: {word}.")


if __name__ == "__main__":
    sys.exit(main())
