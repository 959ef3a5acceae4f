"""When drift is found, against when false rejects have doubled: a station that ages, in simulation.

    python tests/benchmarks/drift.py [--model scenarios/casting_cell/models/impeller] [--seeds 5]
    python tests/benchmarks/drift.py --wearing 2400 --alarms-only     the same wear, slower

Parts of the simulated line are rendered and judged by a package, without PLC and engine. The
station is as new for 400 parts; then the lamp fades and the lens soils, a little more with each
part. Drift is watched as the engine does, with the scenario's defaults: all four values, batches
of 20, 300 parts of warm-up, alpha 1 % for all together. The nominal rate of false rejects is the
package's own. The true rate is taken by wear over 300 good parts, and once more at each alarm's
wear over 400 others, each part under a light and finish of its own, with intervals (Clopper and
Pearson, 95 %): the alarm is in time where it is at most twice the nominal one. What a refresh then
does says ``drift_refresh.py``. Everything is seeded.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from millhand.engine.drift import picture_values, test_of
from millhand.models.package import open_package
from millhand.scenario.learning import Drift as Rules
from millhand.statistics.intervals import Share, share
from millhand_quality.inspect.parameters import InspectParameters, read_parameters
from millhand_simulated.parts import DEFECTS, render
from millhand_simulated.parts.truth import StationConfig, Wear, photograph
from millhand_simulated.plc.line import LineConfig, LinePlan

FRESH = 400
LIGHT, HAZE = 0.7, 0.15
STEPS, GOOD = 12, 300
NEVER = 9.0
Seen = tuple[dict[str, float], bool]


class Judge:
    """A package on ONNX Runtime, one thread."""

    def __init__(self, folder: Path) -> None:
        package = open_package(folder)
        self.product = package.manifest.product or "impeller"
        self.parameters: InspectParameters = read_parameters(package.manifest.parameters)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(str(package.path(package.graph())), options)
        self._names = [one.name for one in self._session.get_outputs()]

    def __call__(self, pixels: np.ndarray) -> tuple[float, float]:
        """Return score and novelty of a picture."""
        outputs = self._session.run(None, {self._session.get_inputs()[0].name: pixels})
        found = dict(zip(self._names, outputs, strict=True))
        return float(found["score"][0]), float(found["novelty"][0])


def line(judge: Judge, seed: int, parts: int, defective: float, wear: Wear) -> Iterator[Seen]:
    """Yield what is watched of each part, and whether it was good."""
    runs = ({"product": judge.product, "parts": parts},)
    plan = LinePlan(LineConfig(seed=seed, parts=parts, defect_rate=defective, runs=runs))
    first = 500_000 + 1000 * seed
    station = StationConfig(families=(first, first + 1000), wear=wear)
    for number in range(1, parts + 1):
        part = plan.part(number)
        pixels = photograph(part, station)
        score, novelty = judge(pixels)
        values = {"score": score, "novelty": novelty, **picture_values(pixels)}
        yield values, part.defect is None


def pictures(
    product: str, first: int, count: int, worn: float, *, defective: bool = False
) -> Iterator[NDArray[np.uint8]]:
    """Render parts, each under a light and finish of its own, as a station worn so far sees them.

    Args:
        product: which part.
        first: number of the first; other numbers are other parts.
        count: how many.
        worn: 0 as new, 1 at the end of the wear.
        defective: whether they have a defect, of all kinds in turn.
    """
    wear = Wear(from_part=1, until_part=1, light=1 - worn * (1 - LIGHT), haze=worn * HAZE)
    for number in range(count):
        shown = render(
            product,  # type: ignore[arg-type]
            part_seed=930_000_000 + first + number,
            family_seed=600_000 + first + number,
            defect=DEFECTS[number % len(DEFECTS)] if defective else None,
        )
        yield wear.seen(shown.pixels, 1) if worn else shown.pixels


def rejected(judge: Judge, first: int, count: int, worn: float) -> Share:
    """Return the true rate of false rejects at so much wear."""
    scores = [judge(pixels)[0] for pixels in pictures(judge.product, first, count, worn)]
    return share(int(np.sum(np.array(scores) > judge.parameters.reject_above)), count)


def doubled_at(judge: Judge) -> float:
    """Print the true rate by wear; return the share of the wear at which it exceeds twice."""
    twice = 2 * judge.parameters.promised_rate
    over = NEVER
    for step in range(STEPS + 1):
        rate = rejected(judge, 10_000 * step, GOOD, step / STEPS)
        print(f"  {step:2} twelfths worn: {_told(rate)}", flush=True)
        if step and rate.rate > twice:
            over = min(over, step / STEPS)
    return over


def _told(rate: Share) -> str:
    return f"{rate.rate:.1%} ({rate.low:.1%} to {rate.high:.1%})"


def alarm_at(
    judge: Judge, seed: int, rules: Rules, wearing: int
) -> tuple[int | None, str, int, int]:
    """Return the part of the alarm, by what, and the false rejects of good parts up to it."""
    tests = [test_of(rules.alpha / len(rules.watch), rules) for _ in rules.watch]
    wear = Wear(from_part=FRESH + 1, until_part=FRESH + wearing, light=LIGHT, haze=HAZE)
    rejects = good_parts = 0
    parts = line(judge, seed, FRESH + wearing, 0.12, wear)
    for number, (values, good) in enumerate(parts, 1):
        if number > FRESH:
            good_parts += good
            rejects += good and values["score"] > judge.parameters.reject_above
        for name, test in zip(rules.watch, tests, strict=True):
            if test.add(values[name]):
                return number, name, rejects, good_parts
    return None, "", rejects, good_parts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=Path("scenarios/casting_cell/models/impeller")
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--wearing", type=int, default=600, help="parts from new to worn")
    parser.add_argument("--alarms-only", action="store_true")
    said = parser.parse_args()
    judge = Judge(said.model)
    nominal = judge.parameters.promised_rate
    print(f"{said.model}: nominal {nominal:.1%} false rejects; worn from part {FRESH + 1} on, "
          f"in {said.wearing} parts")  # fmt: skip
    if not said.alarms_only:
        print(f"twice the nominal rate is exceeded from {doubled_at(judge):.0%} of the wear on")
    print("\n| seed | alarm at part | wear there | by | true rate of false rejects there "
          "| at most twice | false rejects till then |")  # fmt: skip
    print("|---:|---:|---:|---|---|---|---:|")
    early = 0
    for seed in range(1, said.seeds + 1):
        at, name, rejects, good = alarm_at(judge, seed, Rules(), said.wearing)
        if at is None or at <= FRESH:
            word = "no alarm" if at is None else "false alarm"
            print(f"| {seed} | {at} | | {name} | | {word} | |", flush=True)
            continue
        worn = (at - FRESH) / said.wearing
        rate = rejected(judge, 200_000 + 10_000 * seed, 400, worn)
        early += rate.rate <= 2 * nominal
        word = "yes" if rate.rate <= 2 * nominal else "no"
        print(f"| {seed} | {at} | {worn:.0%} | {name} | {_told(rate)} | {word} "
              f"| {rejects} of {good} |", flush=True)  # fmt: skip
    print(f"\nNot above twice the rate at the alarm: {early} of {said.seeds}, "
          f"{_told(share(early, said.seeds))}.")  # fmt: skip


if __name__ == "__main__":
    main()
