"""After the alarm: what a refresh from people's answers does to false rejects and escapes.

::

    python tests/benchmarks/drift_refresh.py [--seeds 5] [--answers 300]

The station of ``tests/benchmarks/drift.py`` has aged and stays so. Of the parts that follow the
alarm, people have called some hundreds good. Two refreshes are made of their pictures: *limits*
keeps the package's graph and sets its thresholds anew (split conformal, as at the first fit);
*head* is ``millhand inspect fit`` on them. Old and refreshed packages then judge the same parts,
which no answer came from: good ones and, in equal shares, all kinds of defect. A false reject is a
good part found not OK, an escape a defective one found OK; not decidable is neither, and stands
beside. The truth is the simulation's. Every seed takes other answers, parts, lights and finishes.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from drift import Judge, pictures
from numpy.typing import NDArray
from PIL import Image

from millhand.contracts import Verdict
from millhand.statistics.intervals import share
from millhand_quality.inspect.fit import FitRequest, fit_package
from millhand_quality.inspect.judge import judge
from millhand_quality.inspect.package import NOVELTY_FACTOR
from millhand_quality.inspect.parameters import InspectParameters
from millhand_quality.inspect.threshold import calibrate

Picture = NDArray[np.uint8]
SHARES = (0.0, 0.25, 0.5, 1.0)
"""How far the wear has come: not at all, about where the alarm is raised, and on."""
OLD, LIMITS, HEAD = "old", "limits", "head"


@dataclass
class Tally:
    """Verdicts counted over seeds."""

    good: int = 0
    rejected: int = 0
    good_undecided: int = 0
    defective: int = 0
    escaped: int = 0
    defective_undecided: int = 0

    def add(self, verdict: Verdict, defective: bool) -> None:
        """Count one part."""
        undecided = verdict is Verdict.NOT_DECIDABLE
        if defective:
            self.defective += 1
            self.escaped += verdict is Verdict.OK
            self.defective_undecided += undecided
        else:
            self.good += 1
            self.rejected += verdict is Verdict.NOT_OK
            self.good_undecided += undecided

    def row(self) -> str:
        """Return the row's figures: false rejects, undecided of good, escapes, undecided."""
        return " | ".join((
            _told(self.rejected, self.good), f"{self.good_undecided / self.good:.1%}",
            _told(self.escaped, self.defective),
            f"{self.defective_undecided / self.defective:.1%}",
        ))  # fmt: skip


def _told(count: int, of: int) -> str:
    found = share(count, of)
    return f"{found.rate:.1%} ({found.low:.1%} to {found.high:.1%})"


def new_limits(old: Judge, answered: Sequence[Picture]) -> InspectParameters:
    """Set the thresholds anew on pictures that people called good; the graph stays."""
    said = [old(pixels) for pixels in answered]
    scores, novelties = [one[0] for one in said], [one[1] for one in said]
    limits = calibrate(
        scores, old.parameters.asked_rate, old.parameters.undecided_rate, "split-conformal"
    )
    return old.parameters.model_copy(update={
        "pass_up_to": limits.pass_up_to, "reject_above": limits.reject_above,
        "novelty_above": NOVELTY_FACTOR * max(novelties), "calibration": tuple(sorted(scores)),
    })  # fmt: skip


def new_head(old: Judge, answered: Sequence[Picture], head: str) -> Judge:
    """Fit a package on pictures that people called good, as ``millhand inspect fit`` does."""
    with tempfile.TemporaryDirectory(prefix="millhand-refresh-") as folder:
        good = Path(folder) / "pictures" / "train" / "good"
        good.mkdir(parents=True)
        for number, pixels in enumerate(answered):
            Image.fromarray(pixels).save(good / f"{number:04}.png")
        request = FitRequest(
            folder=Path(folder) / "pictures", out=Path(folder) / "package", name="refreshed",
            product=old.product, head=head,
            false_reject_rate=old.parameters.asked_rate,
            undecided_rate=old.parameters.undecided_rate,
        )  # fmt: skip
        return Judge(fit_package(request).package.folder)


def tally(
    tallies: dict[tuple[float, str], Tally],
    old: Judge,
    worn: float,
    seed: int,
    told: argparse.Namespace,
) -> None:
    """Refresh at one wear with one seed's answers, and count what all say of its parts."""
    first = 1_000_000 * seed + 200_000 * SHARES.index(worn)
    answers = list(pictures(old.product, first, told.answers, worn)) if worn else []
    by = {OLD: (old, old.parameters)}
    if worn:
        fresh = new_head(old, answers, told.head)
        by |= {LIMITS: (old, new_limits(old, answers)), HEAD: (fresh, fresh.parameters)}
    for defective, count in ((False, told.good), (True, told.defective)):
        start = first + (150_000 if defective else 100_000)
        for pixels in pictures(old.product, start, count, worn, defective=defective):
            said = {id(one): one(pixels) for one in {id(j): j for j, _ in by.values()}.values()}
            for name, (asked, parameters) in by.items():
                verdict, _ = judge(parameters, *said[id(asked)])
                tallies.setdefault((worn, name), Tally()).add(verdict, defective)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=Path("scenarios/casting_cell/models/impeller")
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--answers", type=int, default=300, help="parts that people called good")
    parser.add_argument("--head", default="padim-fine")
    parser.add_argument("--good", type=int, default=200, help="of each seed and wear")
    parser.add_argument("--defective", type=int, default=60)
    told = parser.parse_args()
    old, tallies = Judge(told.model), dict[tuple[float, str], Tally]()
    print(f"{told.model}, {told.seeds} seeds, each {told.answers} answers and "
          f"{told.good} + {told.defective} parts at each wear; 95 % intervals\n")  # fmt: skip
    print("| wear | package | false rejects | good undecided | escapes | defective undecided |")
    print("|---:|---|---|---:|---|---:|")
    for worn in SHARES:
        for seed in range(1, told.seeds + 1):
            tally(tallies, old, worn, seed, told)
        for name in (OLD, LIMITS, HEAD):
            if (worn, name) in tallies:
                print(f"| {worn:.0%} | {name} | {tallies[worn, name].row()} |", flush=True)


if __name__ == "__main__":
    main()
