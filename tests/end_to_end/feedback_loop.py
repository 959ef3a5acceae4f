"""The whole feedback loop on the simulated line, told as it happens, with figures.

    python dev.py loop [--folder runs/loop] [--json]

The casting cell inspects impellers. Then its lamp fades and its lens soils, and stay so. Drift is
found, the certificate is void and nothing passes on the model's word; a person (who knows the
simulation's truth) answers what is asked; a new head is fitted on the pictures of the good parts;
it decides in the shadow until it is shown to be no worse, or a person has seen enough; it is
promoted, and rolled back in the end. Everything goes the way that it goes in a plant: the PLC over
OPC UA, orders through the inbox, the package fitted by ``millhand inspect fit``. Nothing is timed
but the roll-back.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import structlog
from PIL import Image

from millhand.contracts import Disposition, Verdict
from millhand.engine.drift import DECIDED_BY_MODEL
from millhand.engine.simulation import Simulation
from millhand.errors import Unavailable
from millhand.feedback import orders
from millhand.feedback.orders import OrderKind
from millhand.feedback.pairs import PAIR_KINDS, Criterion, Pairs
from millhand.feedback.promotion import Proof, not_worse
from millhand.feedback.review import answer
from millhand.journal.blobs import BlobReader
from millhand.journal.entries import Entry
from millhand.journal.places import BLOBS, INBOX
from millhand.journal.records import AnswerKind, Cause, Drifted, Intent, ModelMoved, Shadowed, Stage
from millhand.ledger.score import DetectionLimit, Standing, standing
from millhand.models.package import open_package

ROOT = Path(__file__).resolve().parents[2]
AGENT = "inspector"
WEAR_FROM, WEAR_UNTIL = 181, 441
PARTS = 4000
GOOD_PICTURES = 100
MOST_PAIRS = 300
AFTERWARDS = 120
BACK = 12
MARGIN_LOOK = 20
OPTIONS: dict[str, Any] = {
    "parts": PARTS,
    "seed": 3,
    "takt_ticks": 14,
    "camera_to_gate_ticks": 60,
    "defect_rate": 0.12,
    "challenges": [],
    "runs": [{"product": "impeller", "parts": PARTS}],
    "station": {
        "families": [500000, 501000],
        "wear": {"from_part": WEAR_FROM, "until_part": WEAR_UNTIL, "light": 0.7, "haze": 0.15},
    },
}
RULES = """\
    deadline: 400 ms
    drift: {batch: 20, warm_up: 160}
    rollout: {margin: 2 %, escape_margin: 2 %}
"""
"""A drifted model rejects too much, so it lets less pass than a sound one: hence the 2 % there."""


@dataclass
class Rate:
    """So many of so many."""

    count: int = 0
    of: int = 0

    def __str__(self) -> str:
        return f"{self.count} of {self.of}" + (f" ({self.count / self.of:.1%})" if self.of else "")


@dataclass
class Story:
    """What happened, in figures."""

    nominal: float = 0.0
    before: Rate = field(default_factory=Rate)
    """False rejects of good parts before anything changed."""
    until_alarm: Rate = field(default_factory=Rate)
    alarm_at: int = 0
    alarm_by: str = ""
    passed_while_void: int = 0
    void_would_reject: Rate = field(default_factory=Rate)
    """Good parts that the void model would have rejected, once the wear has come to its end."""
    answers_to_teach: int = 0
    pictures: int = 0
    fit_s: float = 0.0
    pairs: int = 0
    differing: int = 0
    answers_to_prove: int = 0
    evidence: float = 0.0
    not_shown: list[str] = field(default_factory=list)
    """By which criteria it was not shown that the new model is not worse."""
    afterwards: Rate = field(default_factory=Rate)
    escapes: Rate = field(default_factory=Rate)
    """After the promotion, of all parts with a defect that has to be found."""
    rollback_ms: float = 0.0
    first_decision_ms: float = 0.0
    triggers: int = 0
    dispositions: int = 0


class Loop:
    """The cell while the story is told."""

    def __init__(
        self, simulation: Simulation, cell: Path, say: Callable[[str], None], most_pairs: int
    ) -> None:
        self.simulation = simulation
        self.most_pairs = most_pairs
        self.cell = cell
        self.say = say
        self.story = Story()
        self.original = open_package(cell / "models" / "impeller")
        self._truth: dict[str, Standing] = {}

    # --- what it sees ---

    @property
    def journal(self) -> Any:
        """The running engine's journal."""
        return self.simulation.engine.journal

    async def entries(self, kind: str, after: int = 0) -> AsyncIterator[Entry]:
        """Follow one kind of entry about the inspector."""
        async for entry in self.journal.cursor(after, kinds=(kind,)):
            if entry.subject == AGENT:
                yield entry

    def intents(self, after: int = 0, before: int | None = None) -> list[tuple[str, Intent]]:
        """Return what was decided between two places of the journal, in order."""
        found = self.journal.read(
            after, before=before, kinds=("intent",), subject=AGENT, limit=None
        )
        return [(one.id, one.record) for one in found if isinstance(one.record, Intent)]

    def decided(self, after: int = 0, before: int | None = None) -> list[Intent]:
        """Return those that the agent itself has decided: not the late and missed ones."""
        found = (one for _, one in self.intents(after, before))
        return [one for one in found if one.cause in DECIDED_BY_MODEL]

    def really(self, part: str) -> Standing:
        """Say what only the person who holds the part can know."""
        if part not in self._truth:
            (truth,) = self.simulation.plant.truth([part])
            self._truth[part] = standing(truth, DetectionLimit())
        return self._truth[part]

    def good(self, part: str) -> bool:
        """Whether a person lets it pass: a mark below the limit is no defect."""
        return self.really(part) is not Standing.DEFECTIVE

    def false_rejects(self, intents: Iterable[Intent]) -> Rate:
        """Count good parts that the model called not OK, whatever came of them."""
        rate = Rate()
        for intent in intents:
            if intent.decision.verdict is None:
                continue
            if self.really(part_of(intent)) is not Standing.GOOD:
                continue
            rate.of += 1
            rate.count += intent.decision.verdict is Verdict.NOT_OK
        return rate

    # --- what people do ---

    async def answer(self, decision: str, intent: Intent) -> bool:
        """Answer truly what a part is; return whether it is good."""
        good, verdict = self.good(part_of(intent)), intent.decision.verdict
        right = verdict in (Verdict.OK, Verdict.NOT_OK) and (verdict is Verdict.OK) is good
        kind = AnswerKind.AGREE if right else AnswerKind.DISAGREE
        label = "" if right else ("ok" if good else "defect")
        await asyncio.to_thread(answer, self.journal, decision, kind, by="Ann", label=label)
        return good

    def order(self, kind: OrderKind, **more: Any) -> None:
        """Order something of the models, as the command line does."""
        orders.order(self.simulation.folder / INBOX, AGENT, kind, by="Ann", **more)

    async def moved(self, now: Stage, after: int) -> Entry:
        """Wait until a model has come to a stage."""
        async for entry in self.entries("model", after):
            if isinstance(entry.record, ModelMoved) and entry.record.now is now:
                return entry
        raise AssertionError("the journal was closed")

    # --- the chapters ---

    async def drift_is_found(self) -> Entry:
        """Wait for drift, and count what came before."""
        drift = await anext(self.entries("drift"))
        found = drift.record
        assert isinstance(found, Drifted)
        story, before = self.story, self.decided(before=drift.seq)
        story.before = self.false_rejects(one for one in before if seq_of(one) < WEAR_FROM)
        story.until_alarm = self.false_rejects(one for one in before if seq_of(one) >= WEAR_FROM)
        story.alarm_at, story.alarm_by = seq_of(before[-1]) + 1, found.value
        self.say(
            f"Drift: {found.value} at part {story.alarm_at} (wear began at {WEAR_FROM}). "
            f"False rejects of good parts before the wear {story.before}, from then to the alarm "
            f"{story.until_alarm}; the package promises {story.nominal:.1%}. "
            "The certificate is void."
        )
        return drift

    async def people_answer(self, drift: Entry) -> list[Intent]:
        """Answer what is asked until there are enough good parts as they look now."""
        good: list[Intent] = []
        async for entry in self.entries("intent", drift.seq - 1):
            intent = entry.record
            assert isinstance(intent, Intent)
            if intent.cause is not Cause.VOID or seq_of(intent) < WEAR_UNTIL:
                continue
            self.story.answers_to_teach += 1
            if await self.answer(entry.id, intent):
                good.append(intent)
            if len(good) == GOOD_PICTURES:
                break
        void = [one for one in self.decided(drift.seq - 1) if one.cause is Cause.VOID]
        passed = [one for one in void if one.disposition is Disposition.PASS]
        self.story.passed_while_void = len(passed)
        worn = (one for one in void if seq_of(one) >= WEAR_UNTIL)
        self.story.void_would_reject = self.false_rejects(worn)
        self.say(
            f"{len(void)} parts were not decidable, {len(passed)} of them passed. Ann answered "
            f"{self.story.answers_to_teach}. The void model would have rejected "
            f"{self.story.void_would_reject} of the good ones."
        )
        return good

    async def a_new_head_is_fitted(self, good: list[Intent]) -> str:
        """Fit a package on the pictures of good parts; return its folder in the scenario."""
        pictures = self.cell / "data" / "now" / "train" / "good"
        pictures.mkdir(parents=True)
        await asyncio.to_thread(self.simulation.engine.blobs.flush)
        reader = BlobReader(self.simulation.folder / BLOBS)
        for intent in good:
            ref = intent.observation.frames["frame"].ref
            with contextlib.suppress(Unavailable):  # the last part's may still be under way
                Image.fromarray(reader.load_frame(ref)).save(pictures / f"{part_of(intent)}.png")
                self.story.pictures += 1
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "millhand.cli", "inspect", "fit", str(pictures.parents[1]),
            "--out", str(self.cell / "models" / "refreshed"), "--product", "impeller",
            "--head", "padim", "--name", "refreshed-impeller",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        self.story.fit_s = time.monotonic() - started
        self.say(
            f"A new head was fitted on {self.story.pictures} pictures in {self.story.fit_s:.0f} s."
        )
        return "models/refreshed"

    async def it_is_shown_in_the_shadow(self, folder: str) -> str:
        """Let it watch, answer what differs, until it is shown to be no worse."""
        after = self.journal.head
        self.order(OrderKind.SHADOW, folder=folder)
        candidate = (await self.moved(Stage.SHADOW, after)).record
        assert isinstance(candidate, ModelMoved)
        proof = await self._answer_what_differs(candidate.package, after)
        story = self.story
        story.pairs, story.differing, story.answers_to_prove = (
            proof.pairs,
            proof.differing,
            proof.answered,
        )
        story.evidence = min(proof.evidence.values())
        self.say(
            f"In the shadow: {proof.pairs} pairs, {proof.differing} differ, {proof.answered} "
            f"answered: right {proof.right} times against {proof.live_right}. Not worse by two "
            f"points: shown {', '.join(sorted(proof.shown)) or 'in nothing'}; not shown "
            f"{', '.join(sorted(set(Criterion) - proof.shown)) or 'in nothing'}."
        )
        story.not_shown = sorted(set(Criterion) - proof.shown)
        return candidate.package

    async def _answer_what_differs(self, package: str, after: int) -> Proof:
        pairs, read = Pairs(AGENT, package), 0
        async for entry in self.entries("shadowed", after):
            said = entry.record
            assert isinstance(said, Shadowed)
            read += 1
            if said.fault or said.verdict is not said.live:
                (found,) = self.journal.read(kinds=("intent",), id=entry.id, limit=1)
                await self.answer(entry.id, found.record)
            if read % MARGIN_LOOK == 0:
                pairs.take(self.journal.read(pairs.after, kinds=PAIR_KINDS, limit=None))
                rules = self.simulation.scenario.file.agents[AGENT].rollout
                proof = not_worse(
                    pairs,
                    margin=rules.margin,
                    alpha=rules.alpha,
                    escape_margin=rules.escape_margin,
                )
                if proof.not_worse or read >= self.most_pairs:
                    return proof
        raise AssertionError("the journal was closed")

    async def it_is_promoted(self, package: str) -> None:
        """Promote, by the engine's own weighing or a person's word, and see how it does."""
        after = self.journal.head
        despite = "" if not self.story.not_shown else "the old one lets nothing pass at all"
        self.order(OrderKind.PROMOTE, despite=despite)
        live = await self.moved(Stage.LIVE, after)
        seen = 0
        async for entry in self.entries("intent", live.seq):
            intent = entry.record
            assert isinstance(intent, Intent)
            seen += package in intent.decision.models.values()
            if seen == AFTERWARDS:
                break
        now = [one for one in self.decided(live.seq) if package in one.decision.models.values()]
        self.story.afterwards = self.false_rejects(now)
        bad = [one for one in now if not self.good(part_of(one))]
        passed = sum(one.disposition is Disposition.PASS for one in bad)
        self.story.escapes = Rate(passed, len(bad))
        self.say(
            f"Promoted. False rejects of good parts now {self.story.afterwards}; of parts with a "
            f"defect that has to be found {self.story.escapes} passed."
        )

    async def it_is_rolled_back(self) -> None:
        """Go back, and see how long that took and that nothing was lost."""
        after, ordered = self.journal.head, time.monotonic()
        self.order(OrderKind.ROLLBACK, despite="to show that it can be done")
        live = await self.moved(Stage.LIVE, after)
        self.story.rollback_ms = (time.monotonic() - ordered) * 1e3
        back = 0
        async for entry in self.entries("intent", live.seq):
            intent = entry.record
            assert isinstance(intent, Intent)
            if self.original.id in intent.decision.models.values():
                back += 1
                if back == 1:
                    self.story.first_decision_ms = (time.monotonic() - ordered) * 1e3
            if back == BACK:
                break
        seqs = sorted(seq_of(one) for _, one in self.intents())
        self.story.triggers, self.story.dispositions = seqs[-1], len(seqs)
        assert seqs == list(range(1, seqs[-1] + 1)), "one disposition for each trigger"
        self.say(
            f"Rolled back: from order to record {self.story.rollback_ms:.0f} ms, to the next part "
            f"decided by the old model {self.story.first_decision_ms:.0f} ms. "
            f"{self.story.dispositions} dispositions for {self.story.triggers} triggers."
        )


def part_of(intent: Intent) -> str:
    """Return the id of the part."""
    return str(getattr(intent.observation.trigger, "part_id", ""))


def seq_of(intent: Intent) -> int:
    """Return the number of the part, from 1."""
    return int(getattr(intent.observation.trigger, "trigger_seq", 0))


def prepared(folder: Path) -> Path:
    """Copy the casting cell, with a shorter memory of what is usual."""
    cell = folder / "cell"
    ignored = shutil.ignore_patterns("journal", "data", "*.png")
    shutil.copytree(ROOT / "scenarios" / "casting_cell", cell, ignore=ignored)
    file = cell / "scenario.yaml"
    text = file.read_text(encoding="utf-8")
    anchor = "    deadline: 120 ms\n"
    assert anchor in text
    others, guard = text.index("  bores:\n"), text.index("\nguard:\n")
    text = text[:others] + text[guard:]  # what else the cell watches is another story
    file.write_text(text.replace(anchor, RULES), encoding="utf-8")
    return cell


async def tell(folder: Path, say: Callable[[str], None], most_pairs: int) -> Story:
    """Run the whole loop in an empty folder."""
    cell = prepared(folder)
    async with Simulation(cell, folder=folder / "run", options=OPTIONS) as simulation:
        loop = Loop(simulation, cell, say, most_pairs)
        loop.story.nominal = float(loop.original.manifest.parameters["promised_rate"])
        line = asyncio.create_task(simulation.run_line())
        try:
            drift = await loop.drift_is_found()
            good = await loop.people_answer(drift)
            package = await loop.it_is_shown_in_the_shadow(await loop.a_new_head_is_fitted(good))
            await loop.it_is_promoted(package)
            await loop.it_is_rolled_back()
        finally:
            line.cancel()
            await asyncio.wait([line])
        return loop.story


def main() -> None:
    """Tell the story, or print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("runs") / f"loop-{time.time_ns()}")
    parser.add_argument("--json", action="store_true", help="print the figures alone")
    parser.add_argument("--pairs", type=int, default=MOST_PAIRS, help="most pairs in the shadow")
    said = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    said.folder.mkdir(parents=True)
    start = time.monotonic()

    def say(text: str) -> None:
        if not said.json:
            print(f"{time.monotonic() - start:5.0f} s  {text}", flush=True)

    story = asyncio.run(tell(said.folder, say, said.pairs))
    if said.json:
        print(json.dumps(asdict(story), indent=2))


if __name__ == "__main__":
    main()
