"""A second model beside the live one: in the shadow, as canary, promoted, and the way back.

The live model's worker is never asked for anything but live decisions. The other one has a worker
of its own with the same agent in it. Promotion exchanges the two between two triggers: what is
under way ends where it began, and the one that was live stays warm for the way back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from millhand.contracts import Decision, Observation
from millhand.engine.asking import Asker
from millhand.engine.cell import Cell
from millhand.engine.drift import DriftWatch
from millhand.engine.resident import Resident
from millhand.engine.rollout.evidence import Evidence
from millhand.engine.rollout.placed import (
    Placed,
    changed,
    differs,
    end,
    stands_beside,
    still_used,
    verified,
)
from millhand.engine.rollout.seat import Seat
from millhand.engine.runner import AgentRunner
from millhand.engine.work import Work
from millhand.errors import MillhandError, NotAllowed
from millhand.feedback.promotion import Proof
from millhand.feedback.queue import uniform
from millhand.feedback.stages import Standing
from millhand.isolate.messages import AgentSpec
from millhand.isolate.wire import WorkerLost
from millhand.journal.entries import NewEntry, new_entry
from millhand.journal.records import Cause, ModelMoved, Shadowed, Stage
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.models.package import Package

ENGINE = "millhand"
"""Who moves a model where no person does."""
_PATIENCE = 4
"""Deadlines that a shadow may take for a decision that nobody waits for."""

MakeWorker = Callable[[AgentSpec, Callable[[], bool]], Resident]
"""Makes a worker for a spec, not yet started, and sees to its end; is told whether it is live."""


@dataclass(frozen=True, slots=True)
class Start:
    """How an agent's models stand when the engine starts."""

    spec: AgentSpec
    """How the live worker is built, with the models that are live."""
    folders: tuple[str, ...] = ()
    """Packages that were promoted, as ``spec`` has them."""
    alone: bool = True
    """Whether no other agent lives in that worker."""


class Rollout:
    """The life of one agent's models.

    Args:
        cell: the running cell.
        runner: the agent's.
        start: how its worker is built.
        folder: the scenario's; candidates lie below it.
        original: how the worker is built with the scenario's own packages.
        evidence: what is known of a second model against the live one.
        drift: watches what the models see.
        asker: puts a question where two models differ.
        make: makes a worker for a second model.
    """

    def __init__(
        self,
        cell: Cell,
        runner: AgentRunner,
        start: Start,
        *,
        folder: Path,
        original: AgentSpec,
        evidence: Evidence,
        drift: DriftWatch,
        asker: Asker,
        make: MakeWorker,
    ) -> None:
        self.live = Placed(runner.seat, start.spec, "", folders=start.folders, alone=start.alone)
        self.candidate: Placed | None = None
        self.previous: Placed | None = None
        self.evidence = evidence
        self.drift = drift
        self._asker = asker
        self._cell = cell
        self._runner = runner
        self._folder = folder
        self._original = original
        self._make = make

    @property
    def agent(self) -> str:
        """Whose models they are."""
        return self._runner.name

    # --- orders ---

    async def shadow(self, folder: str, by: str) -> None:
        """Open a candidate in a worker of its own and let it decide beside the live model.

        Raises:
            ConfigError: it does not lie below the scenario's folder, or fits no place.
            PackageError: it is not whole, or does not reproduce its golden outputs.
        """
        package = await asyncio.to_thread(self._verified, folder)
        if package.id in self._runner.packages.values():
            raise NotAllowed(tr("{package} is live already.", package=package.id))
        await self._write(self._move(package.id, folder, Stage.CANDIDATE, by))
        placed = await self._open([package], Stage.SHADOW, folder=folder)
        try:
            await self._retire_candidate(by)
            await self._write(self._move(placed.package, folder, Stage.SHADOW, by))
        except BaseException:
            await placed.seat.thinker.stop()
            raise
        self.live.package = changed(self.live.seat.opened, placed.seat.opened)
        self._put_candidate(placed)

    async def canary(self, share: float, by: str) -> None:
        """Let the candidate decide a share of the parts.

        Raises:
            NotAllowed: there is no candidate.
        """
        candidate = self._candidate()
        move = self._move(candidate.package, candidate.folder, Stage.CANARY, by, share=share)
        await self._write(move)
        candidate.stage, candidate.share = Stage.CANARY, share
        self._cell.alarms.clear("canary_withdrawn", self.agent)

    async def promote(self, by: str, despite: str = "") -> None:
        """Exchange the live model for the candidate, from the next trigger on.

        Raises:
            NotAllowed: there is no candidate, or no proof that it is not worse.
        """
        candidate = self._candidate()
        if not despite:
            await self._demand_proof(candidate)
        await self._exchange(candidate, by, despite)

    async def rollback(self, by: str, reason: str = "") -> None:
        """Exchange the live model for the one that was live before.

        Raises:
            NotAllowed: there is none.
        """
        if self.previous is None:
            raise NotAllowed(
                tr("There is no earlier model of {agent} to go back to.", agent=self.agent)
            )
        await self._exchange(self.previous, by, reason)

    async def fall_back(self, folder: str, reason: str) -> None:
        """Put another package in the live one's place, whose certificate is void.

        Raises:
            NotAllowed: it is the live one.
            ConfigError, PackageError: it cannot be opened.
        """
        package = await asyncio.to_thread(self._verified, folder)
        if package.id in self._runner.packages.values():
            raise NotAllowed(tr("{package} is live already.", package=package.id))
        placed = await self._open([package], Stage.SHADOW, folder=folder)
        self.live.package = changed(self.live.seat.opened, placed.seat.opened)
        await self._exchange(placed, ENGINE, reason)

    async def retire(self, by: str, reason: str = "") -> None:
        """Take the candidate away.

        Raises:
            NotAllowed: there is none.
        """
        self._candidate()
        await self._retire_candidate(by, reason)

    async def restore(self, standing: Standing) -> None:
        """Open again what stood beside the live model when the engine was stopped.

        Raises:
            MillhandError: one of them cannot be opened.
        """
        if standing.previous is not None:
            packages = [self._verified(one) for one in standing.previous.folders]
            self.previous = await self._open(packages, Stage.RETIRED, anew=True)
            self.previous.package = standing.previous.package
            self.live.package = standing.live
            self._watch_beside()
        candidate = standing.candidate
        if candidate is not None:
            package = self._verified(candidate.folder)
            placed = await self._open([package], candidate.now, folder=candidate.folder)
            placed.share = candidate.share
            self.live.package = changed(self.live.seat.opened, placed.seat.opened)
            self._put_candidate(placed)

    # --- beside the live one; called by the runner, on the loop ---

    def chosen(self, work: Work, observation: Observation) -> Seat | None:
        """Return the candidate's seat where it is the canary's turn."""
        candidate = self.candidate
        if candidate is None or candidate.stage is not Stage.CANARY:
            return None
        if not candidate.seat.thinker.alive or candidate.busy:
            return None
        turn = uniform(f"{candidate.package}/{work.part or work.id}") < candidate.share
        return candidate.seat if turn and differs(candidate, observation) else None

    def watch(self, work: Work, observation: Observation, decision: Decision, cause: Cause) -> bool:
        """Let the other model decide the same, unless it is busy; nobody waits for it."""
        other = self._beside
        if other is None or not differs(other, observation):
            return False
        if other.busy or not other.seat.thinker.alive:
            other.skipped += 1
            return False
        other.busy = True
        self._cell.supervisor.job(
            self._decide_beside(other, work, observation, decision, cause), f"{self.agent}.shadow"
        )
        return True

    def fell(self, seat: Seat, reason: str) -> None:
        """Learn that the canary gave no answer in time: it goes back into the shadow."""
        candidate = self.candidate
        if candidate is None or candidate.seat is not seat or candidate.stage is not Stage.CANARY:
            return
        candidate.stage, candidate.share = Stage.SHADOW, 0.0
        text = tr("The canary gave no answer, so it only watches again: {reason}", reason=reason)
        self._cell.alarms.raise_("canary_withdrawn", self.agent, text)
        move = self._move(candidate.package, candidate.folder, Stage.SHADOW, ENGINE, reason=reason)
        self._cell.append(self._entry(move))

    def is_other(self, packages: Mapping[str, str]) -> bool:
        """Whether these packages are those of a model that is not live."""
        return any(
            placed is not None and placed.seat.opened.packages == packages
            for placed in (self.candidate, self.previous)
        )

    @property
    def _beside(self) -> Placed | None:
        """What decides beside the live model: the candidate, or else what was live before."""
        return self.candidate or self.previous

    async def _decide_beside(
        self,
        other: Placed,
        work: Work,
        observation: Observation,
        decision: Decision,
        cause: Cause,
    ) -> None:
        frames = {role: frame.pixels for role, frame in observation.frames.items()}
        deadline_ns = self._runner.binding.deadline_ns
        said = Shadowed(agent=self.agent, package=other.package, live=decision.verdict)
        try:
            second, took_ns = await other.seat.thinker.decide(
                self.agent, other.seat.pinned(observation), frames, _PATIENCE * deadline_ns / 1e9
            )
            late = tr("It took longer than the deadline.") if took_ns > deadline_ns else ""
            said = msgspec.structs.replace(
                said, verdict=second.verdict, scores=second.scores, decide_ns=took_ns, fault=late
            )
        except (TimeoutError, WorkerLost, MillhandError) as error:
            said = msgspec.structs.replace(said, fault=str(error) or type(error).__name__)
        finally:
            other.busy = False
        self._cell.append(new_entry(said, id=work.id, subject=self.agent, part=work.part))
        differs = not said.fault and said.verdict is not said.live
        self._asker.note(work, decision, cause, differs=differs)

    # --- moving ---

    def _candidate(self) -> Placed:
        if self.candidate is None:
            raise NotAllowed(
                tr("{agent} has no candidate.", agent=self.agent),
                mend=tr("Give it one: millhand models shadow"),
            )
        return self.candidate

    async def _demand_proof(self, candidate: Placed) -> None:
        proof = await asyncio.to_thread(self.evidence.of_candidate, candidate.package)
        if proof.not_worse:
            return
        raise NotAllowed(
            tr(
                "It is not shown that {package} is not worse: {pairs} pairs, {differing} of "
                "them differ, {answered} of these are answered.",
                package=candidate.package,
                pairs=proof.pairs,
                differing=proof.differing,
                answered=proof.answered,
            ),
            mend=_what_is_missing(proof),
        )

    def _verified(self, folder: str) -> Package:
        """Open a package as the engine does before it decides anything: signature and all."""
        return verified(self._folder, folder, self._original.trusted_keys)

    async def _open(
        self, packages: list[Package], stage: Stage, *, folder: str = "", anew: bool = False
    ) -> Placed:
        """Open a second model in a worker of its own, beside the live one or in place of all."""
        from millhand.replay.candidate import with_candidates

        spec = with_candidates(self._original if anew else self.live.spec, packages)
        spec = msgspec.structs.replace(spec, trusted_keys=self._original.trusted_keys)
        of: list[Placed] = []
        resident = self._make(spec, lambda: bool(of) and of[0] is self.live)
        try:
            (opened,) = await resident.start()
        except BaseException:
            await resident.stop()
            raise
        ids = [package.id for package in packages]
        folders = still_used(spec, self._folder, (*self.live.folders, folder))
        placed = Placed(
            Seat(resident, opened), spec, ids[-1] if ids else "", folder, folders, stage
        )
        of.append(placed)
        return placed

    async def _exchange(self, other: Placed, by: str, reason: str) -> None:
        """Record, then swap in one turn of the loop: no decision sees half of it."""
        live, gone = self.live, self.previous
        moved = ModelMoved(
            agent=self.agent,
            package=other.package,
            folder=other.folder,
            now=Stage.LIVE,
            folders=other.folders,
            replaces=live.package,
            by=by,
            reason=reason,
        )
        await self._write(moved)
        self._runner.exchange(other.seat)
        self.live, self.previous = other, live
        other.stage, live.stage = Stage.LIVE, Stage.RETIRED
        if self.candidate is other:
            self.candidate = None
        self._watch_beside()
        self.drift.live(other.seat.opened.packages.values())
        if gone is not None and gone is not other:
            await end(gone)
        if self.candidate is not None and not stands_beside(self.candidate, other):
            reason = tr("It was opened beside a model that is no longer live.")
            await self._retire_candidate(ENGINE, reason)

    def _put_candidate(self, placed: Placed) -> None:
        self.candidate = placed
        self._watch_beside()

    def _watch_beside(self) -> None:
        """Let the runner show what it decides to whoever stands beside, if anybody does."""
        other = self._beside
        self._runner.beside = None if other is None else self
        self.evidence.watch(None if other is None else other.package)

    async def _retire_candidate(self, by: str, reason: str = "") -> None:
        gone = self.candidate
        if gone is None:
            return
        await self._write(self._move(gone.package, gone.folder, Stage.RETIRED, by, reason=reason))
        self.candidate = None
        self._watch_beside()
        await end(gone)

    def _move(
        self,
        package: str,
        folder: str,
        now: Stage,
        by: str,
        *,
        share: float = 0.0,
        reason: str = "",
    ) -> ModelMoved:
        return ModelMoved(
            agent=self.agent,
            package=package,
            folder=folder,
            now=now,
            share=share,
            by=by,
            reason=reason,
        )

    async def _write(self, moved: ModelMoved) -> None:
        await self._cell.durable([self._entry(moved)])

    def _entry(self, moved: ModelMoved) -> NewEntry:
        return new_entry(moved, id=f"{self.agent}.{moved.package}", subject=self.agent)


def _what_is_missing(proof: Proof) -> str:
    if proof.open_questions:
        return tr("Answer what differs: millhand review list")
    return tr("Let it watch more parts; so far they do not suffice.")
