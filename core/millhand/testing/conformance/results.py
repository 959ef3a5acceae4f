"""Results of kits: collected by a run, kept as JSON, weighed into tiers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from millhand.testing.conformance.promises import LEVELS, Tier

PASSED = "passed"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Proven:
    """One promise as it was met: its words, its level, and how it ended."""

    text: str
    level: str
    outcome: str
    """``passed``, ``failed``, or ``lacks: <reason>``."""

    @property
    def exempt(self) -> bool:
        """Whether the subject opted out, with a reason."""
        return self.outcome not in (PASSED, FAILED)


@dataclass(slots=True)
class Trial:
    """One adapter or agent on one peer."""

    kit: str
    subject: str
    peer: str
    independent: bool
    promises: dict[str, Proven] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells one trial from another."""
        return self.kit, self.subject, self.peer


def tier(trials: Iterable[Trial]) -> Tier:
    """Weigh all trials of one subject: the highest level at and below which nothing failed.

    A level of which everything was opted out is not reached. Gold asks for an independent peer
    besides.
    """
    all_trials = list(trials)
    reached = Tier.NONE
    for level in LEVELS:
        met = [one for trial in all_trials for one in trial.promises.values() if one.level == level]
        outcomes = {one.outcome for one in met}
        if FAILED in outcomes or PASSED not in outcomes:
            return reached
        if level is Tier.GOLD and not any(trial.independent for trial in all_trials):
            return reached
        reached = level
    return reached


def read(file: Path) -> list[Trial]:
    """Read the trials of a file; none where it is not there."""
    if not file.exists():
        return []
    return from_plain(json.loads(file.read_text(encoding="utf-8"))["trials"])


def merge(before: Iterable[Trial], run: Iterable[Trial]) -> list[Trial]:
    """Put the trials of a run in place of those of the same subject and peer."""
    trials = {trial.key: trial for trial in before}
    trials.update({trial.key: trial for trial in run})
    return [trials[key] for key in sorted(trials)]


def write(file: Path, trials: Iterable[Trial]) -> None:
    """Write trials, in a form that can be compared line by line."""
    plain = {"trials": to_plain(trials)}
    file.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def to_plain(trials: Iterable[Trial]) -> list[dict[str, Any]]:
    """Turn trials into what JSON can say."""
    return [asdict(trial) for trial in trials]


def from_plain(data: Iterable[Mapping[str, Any]]) -> list[Trial]:
    """Turn it back."""
    return [_trial(one) for one in data]


def stale(kept: Iterable[Trial], run: Iterable[Trial]) -> list[str]:
    """Name what a run found and a file does not say."""
    known = {trial.key: trial.promises for trial in kept}
    return [
        f"{trial.subject} on {trial.peer}: {name}"
        for trial in run
        for name, found in trial.promises.items()
        if found.outcome != FAILED and known.get(trial.key, {}).get(name) != found
    ]


def _trial(data: Mapping[str, Any]) -> Trial:
    promises = {name: Proven(**one) for name, one in data["promises"].items()}
    return Trial(data["kit"], data["subject"], data["peer"], data["independent"], promises)
