"""The page on what adapters and agents have proven, from the results of their kits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from generator.markdown import line, table
from millhand.testing.conformance.results import FAILED, PASSED, Trial, read, tier

RESULTS = Path(__file__).resolve().parents[1] / "reference" / "conformance.json"
INTRODUCTION = """\
Written by `python dev.py conformance` from the results of the
[conformance kits](../how-to/prove-an-adapter.md); do not edit. A test run fails where it finds
something else than this page says.

Nobody gives itself a tier: it follows from the results.

| tier | asks for |
| --- | --- |
| bronze | every promise of a healthy device kept: values, limits, permits, nothing left behind |
| silver | also those of a faulty one: killed, frozen, reset, silent, slow |
| gold | also the finer ones, and a peer that shares no code with the adapter |

What a device or its protocol does not have is opted out of with a reason; a tier of which
everything was opted out is not reached. Many promises cannot be opted out of.
"""
TITLES = {
    "tags": "Tags",
    "camera": "Camera",
    "robot": "Robot",
    "accelerator": "Accelerator",
    "agent": "Agents",
}
SIGNS = {PASSED: "✓", FAILED: "**broken**"}


def page() -> str:
    """Write the page."""
    trials = read(RESULTS)
    parts = ["# Conformance\n", INTRODUCTION, _summary(trials)]
    for kit, title in TITLES.items():
        some = [trial for trial in trials if trial.kit == kit]
        if some:
            parts += [f"## {title}\n", _matrix(some), _reasons(some)]
    return "\n".join(part for part in parts if part)


def _summary(trials: Sequence[Trial]) -> str:
    rows = []
    for (kit, subject), found in groupby(trials, key=lambda trial: (trial.kit, trial.subject)):
        some = list(found)
        outcomes = [one for trial in some for one in trial.promises.values()]
        rows.append(
            (
                f"`{subject}`",
                TITLES[kit],
                str(tier(some)),
                str(sum(one.outcome == PASSED for one in outcomes)),
                str(sum(one.exempt for one in outcomes)),
                "; ".join(trial.peer for trial in some),
            )
        )
    return table(("what", "face", "tier", "kept", "opted out", "tried on"), rows)


def _matrix(trials: Sequence[Trial]) -> str:
    promises = {name: one for trial in trials for name, one in trial.promises.items()}
    levels = ("bronze", "silver", "gold")
    names = sorted(promises, key=lambda name: (levels.index(promises[name].level), name))
    rows = [
        (promises[name].level, line(promises[name].text), *(_sign(trial, name) for trial in trials))
        for name in names
    ]
    return table(("tier", "promise", *_heads(trials)), rows)


def _heads(trials: Iterable[Trial]) -> list[str]:
    some = list(trials)
    subjects = [trial.subject for trial in some]
    return [
        f"`{trial.subject}` on {trial.peer}"
        if subjects.count(trial.subject) > 1
        else f"`{trial.subject}`"
        for trial in some
    ]


def _sign(trial: Trial, name: str) -> str:
    found = trial.promises.get(name)
    return "not run" if found is None else SIGNS.get(found.outcome, "opted out")


def _reasons(trials: Sequence[Trial]) -> str:
    lines = []
    for trial in trials:
        reasons = sorted({one.outcome for one in trial.promises.values() if one.exempt})
        said = "; ".join(reason.removeprefix("lacks: ") for reason in reasons)
        if said:
            lines.append(f"- `{trial.subject}` opted out: {said}.")
    return "\n".join(dict.fromkeys(lines)) + "\n" if lines else ""
