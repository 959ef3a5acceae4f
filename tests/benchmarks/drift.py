"""When drift is found, against when false rejects have doubled: a station that ages, in simulation.

    python tests/benchmarks/drift.py [--model scenarios/casting_cell/models/impeller] [--seeds 5]

Parts of the simulated line are rendered and judged by a package, without PLC and engine. The
station is as new for 400 parts; then the lamp fades and the lens soils, a little more with each
part. Drift is watched as the engine does, with the scenario's defaults: all four values, batches
of 20, 300 parts of warm-up, alpha 1 % for both together. The nominal rate of
false rejects is the package's own; twice it is *exceeded* from the first part on from which the
true rate, taken over 200 good parts as worn as that one, is above it. Everything is seeded.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort

from millhand.engine.drift import picture_values, test_of
from millhand.models.package import open_package
from millhand.scenario.learning import Drift as Rules
from millhand_quality.inspect.parameters import InspectParameters, read_parameters
from millhand_simulated.parts.truth import StationConfig, Wear, photograph
from millhand_simulated.plc.line import LineConfig, LinePlan

FRESH, WEARING = 400, 600
LIGHT, HAZE = 0.7, 0.15
STEPS, GOOD = 12, 200
NEVER = 10**9
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


def doubled_at(judge: Judge) -> tuple[int, float, list[float]]:
    """Return the part at which false rejects exceed twice the nominal rate, it, and the rates."""
    nominal = judge.parameters.promised_rate
    rates = []
    for step in range(STEPS + 1):
        share = step / STEPS
        wear = Wear(
            from_part=1, until_part=1, light=1 - share * (1 - LIGHT), haze=max(share * HAZE, 0)
        )
        found = [values["score"] for values, _ in line(judge, 90, GOOD, 0.0, wear)]
        rates.append(float(np.mean(np.array(found) > judge.parameters.reject_above)))
    over = [step for step, rate in enumerate(rates) if rate > 2 * nominal and step > 0]
    first = FRESH + round(over[0] / STEPS * WEARING) if over else NEVER
    return first, nominal, rates


def alarm_at(judge: Judge, seed: int, rules: Rules) -> tuple[int | None, str, int, int]:
    """Return the part of the alarm, by what, and the false rejects of good parts up to it."""
    tests = [test_of(rules.alpha / len(rules.watch), rules) for _ in rules.watch]
    wear = Wear(from_part=FRESH + 1, until_part=FRESH + WEARING, light=LIGHT, haze=HAZE)
    rejects = good_parts = 0
    parts = line(judge, seed, FRESH + WEARING, 0.12, wear)
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
    said = parser.parse_args()
    judge = Judge(said.model)
    first, nominal, rates = doubled_at(judge)
    print(f"{said.model}: nominal {nominal:.1%} false rejects; by wear, a twelfth a step:")
    print("  " + " ".join(f"{rate:.1%}" for rate in rates))
    print(f"twice the nominal rate is exceeded from part {first} on (wear begins at {FRESH + 1})")
    print(
        "| seed | alarm at part | before twice the rate | false rejects of good parts till then |"
    )
    print("|---:|---:|---|---:|")
    for seed in range(1, said.seeds + 1):
        at, name, rejects, good = alarm_at(judge, seed, Rules())
        early = at is not None and FRESH < at <= first
        word = "false alarm" if at is not None and at <= FRESH else ("yes" if early else "no")
        print(f"| {seed} | {at} ({name}) | {word} | {rejects} of {good} |", flush=True)


if __name__ == "__main__":
    main()
