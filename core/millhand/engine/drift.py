"""Drift: what an agent's model sees, or how sure it is, is no longer as it was.

A certificate holds for parts like those that it was made with. Once it is shown that they are no
longer alike, it is void: from that very part on the model's word lets nothing pass, until another
model takes its place or a person says that all is as it should be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import structlog

from millhand.contracts import Decision, Observation
from millhand.engine.cell import Cell
from millhand.engine.work import Work
from millhand.errors import NotAllowed
from millhand.journal.entries import NewEntry, new_entry
from millhand.journal.records import (
    Cause,
    Drifted,
    Intent,
    ModelMoved,
    Stage,
    Validity,
)
from millhand.messages import tr
from millhand.scenario.learning import Drift as Rules

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from millhand.statistics.drift import Drift
    from millhand.statistics.drift_in_batches import DriftInBatches

log = structlog.get_logger(__name__)

DECIDED_BY_MODEL = frozenset({Cause.DECIDED, Cause.UNSURE, Cause.VOID})
"""Causes of decisions that the agent itself has made."""
_DECIDED = DECIDED_BY_MODEL | {Cause.CONTRADICTED}
"""As they stand in the journal, where other evidence may have been against it."""
CONFIDENCE = "confidence"
"""Name of the decision's confidence among the scores."""
INPUTS = frozenset({"brightness", "contrast"})
"""Names of what is seen of the first picture itself, whatever a model makes of it."""
_LOOKED_AT = 1024
"""Pixels of a picture."""
_USUAL = 0.95
"""Above this share of what was seen before, a value counts as novel."""


class _Watched:
    """One package of the agent: what it has seen since it became live."""

    def __init__(self, rules: Rules) -> None:
        alpha = rules.alpha / max(1, len(rules.watch))
        self.tests = {name: test_of(alpha, rules) for name in rules.watch}
        self.void = False

    def add(self, decision: Decision, seen: Mapping[str, float]) -> str | None:
        """Take a decision's values; return the name of one that is shown to have changed."""
        for name, test in self.tests.items():
            value = seen.get(name)
            if value is None:
                value = value_of(decision, name)
            if value is not None and test.add(value):
                return name
        return None


def test_of(alpha: float, rules: Rules) -> Drift | DriftInBatches:
    """Return the test that watches one value of one model."""
    if rules.batch == 1:
        from millhand.statistics.drift import Drift

        return Drift(alpha, warm_up=rules.warm_up)
    from millhand.statistics.drift_in_batches import DriftInBatches

    return DriftInBatches(alpha, batch=rules.batch, warm_up=rules.warm_up)


class DriftWatch:
    """Watches one agent's models.

    Args:
        cell: the running cell.
        agent: its name.
        rules: as the scenario states them.
    """

    def __init__(self, cell: Cell, agent: str, rules: Rules) -> None:
        self.rules = rules
        self.on_void: Callable[[str], None] = _nothing_to_fall_back_to
        """Told the reason, once, when a certificate becomes void."""
        self._cell = cell
        self._agent = agent
        self._packages: dict[str, _Watched] = {}
        self._void: set[str] = set()

    @property
    def void(self) -> frozenset[str]:
        """Ids of the packages whose certificate is void."""
        return frozenset(self._void)

    async def restore(self) -> None:
        """Take up what the journal knows: what is void, and what was usual."""
        await asyncio.to_thread(self._restore)
        if self._void:
            self._raise(tr("It was void when the engine was stopped."))

    def _restore(self) -> None:
        journal, begun = self._cell.journal, 0
        for entry in journal.read(kinds=("drift", "model"), subject=self._agent, limit=None):
            record = entry.record
            if isinstance(record, Drifted):
                change = {Validity.VOID: self._void.add, Validity.RENEWED: self._void.discard}
                change[record.now](record.package)
                begun = entry.seq
            elif isinstance(record, ModelMoved) and record.now is Stage.LIVE:
                begun = entry.seq
        usual = 2 * self.rules.warm_up
        for entry in journal.read(begun, kinds=("intent",), subject=self._agent, limit=usual):
            intent = entry.record
            if isinstance(intent, Intent) and intent.cause in _DECIDED:
                self._watched(package_of(intent.decision)).add(intent.decision, {})

    # --- called for every decision, on the loop ---

    def note(self, work: Work, observation: Observation, decision: Decision, cause: Cause) -> Cause:
        """Take a decision; return its cause, which is another where the certificate is void."""
        package = package_of(decision)
        if package not in self._void:
            changed = self._watched(package).add(decision, self._seen(observation))
            if changed is None:
                return cause
            self._found(work, package, changed)
        return Cause.VOID if self.rules.then == "undecided" else cause

    def novelty(self, decision: Decision) -> float | None:
        """Say how unusual the decision's first watched value is: 1 is the edge of the usual."""
        watched = self._packages.get(package_of(decision))
        for name in self.rules.watch:
            value = value_of(decision, name)
            if watched is not None and value is not None:
                usual = watched.tests[name].quantile(_USUAL)
                return value / usual if usual else None
        return None

    def _seen(self, observation: Observation) -> Mapping[str, float]:
        frame = next(iter(observation.frames.values()), None)
        if frame is None or not INPUTS.intersection(self.rules.watch):
            return {}
        return picture_values(frame.pixels)

    def _watched(self, package: str) -> _Watched:
        found = self._packages.get(package)
        if found is None:
            found = self._packages[package] = _Watched(self.rules)
        return found

    def _found(self, work: Work, package: str, name: str) -> None:
        test = self._packages[package].tests[name]
        self._void.add(package)
        text = tr(
            "{package}: {value} is no longer as it was (evidence {evidence:.0f} after {seen} "
            "parts); its certificate is void.",
            package=package,
            value=name,
            evidence=test.evidence,
            seen=test.seen,
        )
        record = Drifted(
            agent=self._agent,
            package=package,
            now=Validity.VOID,
            value=name,
            evidence=min(test.evidence, 1e300),
            seen=test.seen,
            decision=work.id,
            reason=text,
        )
        self._cell.append(self._entry(record))
        self._raise(text, work.id)
        self.on_void(text)

    def _raise(self, text: str, decision: str = "") -> None:
        self._cell.alarms.raise_("drift", self._agent, text, decision=decision)

    # --- the ways back ---

    async def renew(self, by: str, reason: str) -> None:
        """Take a person's word that what is seen now is as it should be.

        Raises:
            NotAllowed: no certificate is void.
        """
        if not self._void:
            raise NotAllowed(tr("No certificate of {agent} is void.", agent=self._agent))
        for package in sorted(self._void):
            record = Drifted(
                agent=self._agent, package=package, now=Validity.RENEWED, by=by, reason=reason
            )
            await self._cell.durable([self._entry(record)])
            self._void.discard(package)
            self._packages.pop(package, None)
        self._cell.alarms.clear("drift", self._agent)

    def live(self, packages: Iterable[str]) -> None:
        """Learn which packages decide now; the alarm is cleared where all are certified."""
        if not self._void.intersection(packages):
            self._cell.alarms.clear("drift", self._agent)

    def _entry(self, record: Drifted) -> NewEntry:
        return new_entry(record, id=f"{self._agent}.{record.package}", subject=self._agent)


def picture_values(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Return what a lamp and a lens do to a whole picture: its brightness and its contrast.

    Args:
        pixels: (H, W, channels) uint8; a thousand of them are looked at, in the middle channel.

    Returns:
        ``brightness``, the mean of 0 to 255; ``contrast``, the spread as a share of it.
    """
    step = max(1, int((pixels.shape[0] * pixels.shape[1] / _LOOKED_AT) ** 0.5))
    middle = pixels.shape[2] // 2
    some = pixels[::step, ::step, middle].astype("float32").ravel()
    brightness = float(some.mean())
    spread = max(0.0, float(some @ some) / len(some) - brightness**2) ** 0.5
    return {"brightness": brightness, "contrast": spread / max(brightness, 1.0)}


def package_of(decision: Decision) -> str:
    """Return the id of the package that decided; several are joined."""
    return "+".join(decision.models.values())


def value_of(decision: Decision, name: str) -> float | None:
    """Return one of the decision's scores, or its confidence."""
    if name == CONFIDENCE:
        return decision.confidence
    return decision.scores.get(name)


def _nothing_to_fall_back_to(reason: str) -> None:
    log.info("nothing_to_fall_back_to", reason=reason)
