"""A cascade in the agent: what it clears, what it misses, and its time from file to verdict.

::

    python tests/benchmarks/cascade_agent.py [--product impeller] [--on openvino] [--exact no]

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


def times(models: dict[str, OpenedModel], files: Sequence[Path]) -> dict[str, float]:
    """Return milliseconds from file to verdict: cleared at once, passed on, and one model alone."""
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
    return {name: float(np.median(some)) for name, some in found.items() if some}


def _went(decision: Decision) -> str:
    if MODEL not in decision.models:
        return "cleared"
    return "passed on" if QUICK in decision.models else "bigger alone"


def main() -> int:
    """Print the curve, what is chosen, and how it does on the other half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--product", default="impeller")
    parser.add_argument("--quick", type=Path, help="package; the scenario's small student")
    parser.add_argument("--on", default="openvino")
    parser.add_argument("--exact", choices=("yes", "no"), default="yes", help="of OpenVINO")
    parser.add_argument("--good", type=int, default=200)
    parser.add_argument("--defective", type=int, default=60, help="of each of six kinds")
    parser.add_argument("--lost-at-most", type=float, default=0.03)
    parser.add_argument("--timing-only", action="store_true")
    given = parser.parse_args()
    adapter = Plugins.discover().adapter(given.on).load()
    settings = {"threads": 1} | ({"exact": given.exact == "yes"} if given.on == "openvino" else {})
    accelerator = adapter("cpu", adapter.Config(**settings))
    quick = given.quick or MODELS / "students" / given.product
    models = {
        QUICK: open_model(open_package(quick), accelerator),
        MODEL: open_model(open_package(MODELS / given.product), accelerator),
    }
    try:
        ms = _times(models, given.product)
        print(f"{given.product} on {given.on} {settings}, file to verdict, ms p50: "
              + ", ".join(f"{name} {value:.2f}" for name, value in ms.items()))  # fmt: skip
        if not given.timing_only:
            halves = [
                ask(models, pictures(given.product, given.good, given.defective, half))
                for half in (0, 1)
            ]
            _print(halves, ms, given.lost_at_most)
    finally:
        for model in models.values():
            model.close()
        accelerator.close()
    return 0


def _times(models: dict[str, OpenedModel], product: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="millhand-cascade-") as folder:
        files = []
        for number, (pixels, _) in enumerate(pictures(product, 12, 0, 7)):
            files.append(Path(folder) / f"{number}.png")
            Image.fromarray(pixels).save(files[-1])
        return times(models, files)


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
