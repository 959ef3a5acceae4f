"""The kits themselves: the good pass, and each of these faults is caught by its own promise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from millhand.testing.conformance import AgentKit, TagsCapability, TagsKit
from millhand.testing.conformance.promises import LEVELS, Tier, promise_of
from millhand.testing.conformance.results import FAILED, PASSED, Proven, Trial, merge, stale, tier

ROOT = Path(__file__).resolve().parents[3]
SCALE = ROOT / "docs" / "examples" / "millhand-acme-adapter"

PRELUDE = """
import asyncio
import pytest
from millhand.contracts import Link, Quality, WriteStatus
from millhand.errors import Unavailable
import test_conformance as whole

Scale, ScaleBench, scale_process = whole.Scale, whole.ScaleBench, whole.scale_process


class RaisesWhenAway(Scale):
    async def read(self, tags):
        if self.health().link is not Link.UP:
            raise Unavailable("away")
        return await super().read(tags)


class ForgetsTheUnknown(Scale):
    async def read(self, tags):
        return await super().read([tag for tag in tags if tag in self._tags])


class SendsAgain(Scale):
    async def write(self, permit):
        result = await super().write(permit)
        if result.status is WriteStatus.UNKNOWN:
            await asyncio.sleep(0.3)
            while self.health().link is not Link.UP:
                await asyncio.sleep(0.02)
            await self._send(permit.writes[0])
        return result


class SpendsTooSoon(Scale):
    async def write(self, permit):
        writes = permit.redeem(self._name)

        class Again:
            device = permit.device

            def redeem(self, device):
                return writes

        Again.writes = writes
        return await super().write(Again())


class LeavesATask(Scale):
    async def __aexit__(self, *error):
        self.left = asyncio.get_running_loop().create_task(asyncio.sleep(60), name="left behind")
        await super().__aexit__(*error)


class CallsBadGood(Scale):
    async def _reading(self, tag):
        reading = await super()._reading(tag)
        good = Quality.GOOD if reading.quality is Quality.UNCERTAIN else reading.quality
        return reading._replace(quality=good)


class NoGap(Scale):
    def _sample(self, tag, reading, *, gap=False, **more):
        return super()._sample(tag, reading, gap=False, **more)


class FailsToSay(Scale):
    def health(self):
        import msgspec

        return msgspec.structs.replace(super().health(), fault=None, detail="")


def kit(broken):
    class Bench(ScaleBench):
        def adapter(self, tags, address=None, **options):
            made = super().adapter(tags, address, **options)
            made.__class__ = broken
            return made

    class Broken(whole.TestScale):
        subject = broken.__name__

        @pytest.fixture
        def bench(self, scale_process):
            return Bench(scale_process)

    return Broken


"""

CAUGHT_BY = {
    "RaisesWhenAway": "away_at_start",
    "ForgetsTheUnknown": "one_sample_for_each",
    "SendsAgain": "answer_lost_on_the_way",
    "SpendsTooSoon": "misfits_stay_here",
    "LeavesATask": "leaves_nothing",
    "CallsBadGood": "uncertain_survives",
    "NoGap": "killed_and_back",
    "FailsToSay": "names_the_fault",
}


def test_each_fault_is_caught_by_its_promise(tmp_path: Path) -> None:
    """Eight adapters that are wrong in one way each, on a real socket."""
    for file in ("toy_scale.py", "test_conformance.py"):
        (tmp_path / file).write_bytes((SCALE / "tests" / file).read_bytes())
    classes = "".join(f"class Test{name}(kit({name})):\n    pass\n\n\n" for name in CAUGHT_BY)
    (tmp_path / "test_mutants.py").write_text(PRELUDE + classes)
    settings = ["--import-mode=prepend", "-p", "millhand.testing.conformance.plugin"]
    settings += ["-p", "no:cacheprovider", "-q", "-o", "asyncio_mode=auto", "-c", os.devnull]
    wanted = [
        f"test_mutants.py::Test{name}::{test}"
        for name, caught_by in CAUGHT_BY.items()
        for test in (f"test_{caught_by}", "test_every_change_in_order")
    ]
    results = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, "--rootdir", tmp_path,
         "--conformance", results, *wanted],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SCALE)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )  # fmt: skip
    assert results.exists(), done.stdout + done.stderr
    found = {one["subject"]: one["promises"] for one in json.loads(results.read_text())["trials"]}
    outcomes = {
        name: (found[name][caught_by]["outcome"], found[name]["every_change_in_order"]["outcome"])
        for name, caught_by in CAUGHT_BY.items()
    }
    assert outcomes == dict.fromkeys(CAUGHT_BY, (FAILED, PASSED)), done.stdout[-5000:]


@pytest.mark.parametrize("processes", ["0", "2"])
def test_the_closing_line_counts_a_file_that_is_behind(tmp_path: Path, processes: str) -> None:
    """A run that ends with 1 must not close with a line that says all passed."""
    agent = ROOT / "docs" / "examples" / "millhand-acme-agent"
    settings = ["-q", "-p", "no:cacheprovider", "-c", str(agent / "pyproject.toml")]
    settings += [
        "-n",
        processes,
        "-o",
        "pythonpath=. tests",
        f"--conformance-against={tmp_path / 'none.json'}",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, str(agent / "tests" / "test_conformance.py")],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "none.json lacks what this run has proven" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("10 passed, 1 error in"), done.stdout


def test_opting_out_needs_a_known_capability_and_a_reason() -> None:
    for lacks, wrong in (({"writing": "we do not"}, "no capability"), ({"write": "no"}, "reason")):
        with pytest.raises(TypeError, match=wrong):
            type("Mine", (TagsKit,), {"subject": "mine", "lacks": lacks})
    type("Mine", (TagsKit,), {"subject": "mine", "lacks": {TagsCapability.WRITE: "it only reads"}})


def test_every_test_of_a_kit_is_a_promise_in_words() -> None:
    for kit in (TagsKit, AgentKit):
        for name in dir(kit):
            if name.startswith("test_"):
                found = promise_of(getattr(kit, name))
                assert found is not None, name
                assert found.level in LEVELS
                assert getattr(kit, name).__doc__, name


def trial(peer: str = "peer", *, independent: bool = False, **outcomes: str) -> Trial:
    promises = {
        name: Proven(name, name.partition("_")[0], outcome) for name, outcome in outcomes.items()
    }
    return Trial("tags", "mine", peer, independent, promises)


@pytest.mark.parametrize(
    ("trials", "reached"),
    [
        ([], Tier.NONE),
        ([trial(bronze_a=PASSED, bronze_b=FAILED)], Tier.NONE),
        ([trial(bronze_a=PASSED, bronze_b="lacks: it cannot")], Tier.BRONZE),
        ([trial(bronze_a=PASSED, silver_a="lacks: it cannot")], Tier.BRONZE),
        ([trial(bronze_a=PASSED, silver_a=FAILED, gold_a=PASSED)], Tier.BRONZE),
        ([trial(bronze_a=PASSED, silver_a=PASSED, gold_a=PASSED)], Tier.SILVER),
        ([trial(bronze_a=PASSED, silver_a=PASSED, gold_a=PASSED, independent=True)], Tier.GOLD),
        (
            [
                trial(bronze_a=PASSED, silver_a=PASSED, gold_a=PASSED, independent=True),
                trial("other", bronze_a=PASSED, silver_a=FAILED),
            ],
            Tier.BRONZE,
        ),
    ],
)
def test_the_tier_follows_from_the_results(trials: list[Trial], reached: Tier) -> None:
    assert tier(trials) is reached


def test_a_file_that_does_not_say_what_was_found_is_stale() -> None:
    kept = [trial(bronze_a=PASSED, bronze_b="lacks: it cannot")]
    assert stale(kept, [trial(bronze_a=PASSED)]) == []
    assert stale(kept, [trial(bronze_a=FAILED)]) == [], "the test itself fails"
    for changed in (trial(bronze_b=PASSED), trial(bronze_c=PASSED), trial("new", bronze_a=PASSED)):
        assert len(stale(kept, [changed])) == 1
        assert stale(merge(kept, [changed]), [changed]) == []


def test_running_a_cell_imports_no_pytest() -> None:
    program = "import sys, millhand.engine, millhand.testing; sys.exit('pytest' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
