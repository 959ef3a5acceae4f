"""The chapters of the story, one after another, on a cell that runs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from cell import AGENT, WEAR_FROM, WEAR_UNTIL
from lesson import distilled, write_lesson
from story import Rate, Story, part_of, seq_of

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
from millhand_quality.inspect.pictures import Pixels

GOOD_PICTURES = 300
MOST_PAIRS = 600
AFTERWARDS = 120
BACK = 12
MARGIN_LOOK = 20
PATIENCE_S = 600.0
"""Longest that a chapter may take on a busy machine."""


_T = TypeVar("_T")


class Stuck(Exception):
    """The story does not go on: says in which chapter, and how the cell stands."""


class Loop:
    """The cell while the story is told."""

    def __init__(
        self,
        simulation: Simulation,
        cell: Path,
        line: asyncio.Task[Any],
        say: Callable[[str], None],
        most_pairs: int,
    ) -> None:
        self.simulation = simulation
        self.most_pairs = most_pairs
        self.cell = cell
        self.line = line
        self.say = say
        self.story = Story()
        self.original = open_package(cell / "models" / "impeller")
        self.story.nominal = float(self.original.manifest.parameters["promised_rate"])
        self._truth: dict[str, Standing] = {}

    async def told(self) -> None:
        """Tell it from the first part to the way back.

        Raises:
            Stuck: a chapter does not end, or the line has.
        """
        self.say(f"The line runs; its lamp and lens begin to age at part {WEAR_FROM}.")
        drift = await self._within(self.drift_is_found())
        good = await self._within(self.people_answer(drift))
        folder = await self._within(self.a_new_student_is_distilled(good))
        package = await self._within(self.it_is_shown_in_the_shadow(folder))
        await self._within(self.it_is_promoted(package))
        await self._within(self.it_is_rolled_back())

    async def _within(self, chapter: Coroutine[Any, Any, _T]) -> _T:
        """Await a chapter as long as the line runs and patience lasts."""
        task = asyncio.create_task(chapter, name=chapter.__name__)
        await asyncio.wait({task, self.line}, timeout=PATIENCE_S, return_when="FIRST_COMPLETED")
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait([task])
        if self.line.done():
            why = f"the line has ended: {self.line.exception() or 'all parts are through'}"
        else:
            why = f"{PATIENCE_S:.0f} s have passed"
        causes = Counter(intent.cause.value for _, intent in self.intents())
        raise Stuck(f"{chapter.__name__}: {why}. Decisions: {dict(causes)}")

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

    async def false_rejects(self, intents: Iterable[Intent]) -> Rate:
        """Count good parts that the model called not OK, whatever came of them."""
        return await asyncio.to_thread(self._false_rejects, intents)

    def _false_rejects(self, intents: Iterable[Intent]) -> Rate:
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
        good = await asyncio.to_thread(self.good, part_of(intent))
        verdict = intent.decision.verdict
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
        story.before = await self.false_rejects(one for one in before if seq_of(one) < WEAR_FROM)
        story.until_alarm = await self.false_rejects(
            one for one in before if seq_of(one) >= WEAR_FROM
        )
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
        self.story.void_would_reject = await self.false_rejects(worn)
        self.say(
            f"{len(void)} parts were not decidable, {len(passed)} of them passed. Ann answered "
            f"{self.story.answers_to_teach}. The void model would have rejected "
            f"{self.story.void_would_reject} of the good ones."
        )
        return good

    async def a_new_student_is_distilled(self, good: list[Intent]) -> str:
        """Distil on the pictures of good parts; return the package's folder in the scenario."""
        data, out = self.cell / "data" / "now", self.cell / "models" / "refreshed"
        await asyncio.to_thread(self.simulation.engine.blobs.flush)
        story, pictures = self.story, self._pictures(good)
        story.pictures = await asyncio.to_thread(write_lesson, data, pictures)
        started = time.monotonic()
        story.student = await distilled(data, out)
        story.distil_s = time.monotonic() - started
        said = ", ".join(f"{name} {value:.3f}" for name, value in story.student.items())
        self.say(
            f"A new student was distilled from {story.pictures} pictures and artificial damage in "
            f"{story.distil_s:.0f} s, beside the running line: {said}."
        )
        return str(out.relative_to(self.cell))

    def _pictures(self, good: list[Intent]) -> Iterator[tuple[str, Pixels]]:
        reader = BlobReader(self.simulation.folder / BLOBS)
        for intent in good:
            with contextlib.suppress(Unavailable):  # the last part's may still be under way
                yield part_of(intent), reader.load_frame(intent.observation.frames["frame"].ref)

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
        self.story.afterwards = await self.false_rejects(now)
        bad = await asyncio.to_thread(lambda: [one for one in now if not self.good(part_of(one))])
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
