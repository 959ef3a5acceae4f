"""The life of models is read from the journal alone."""

from __future__ import annotations

import pytest

from millhand.feedback.stages import Previous, stages_of, standing_of
from millhand.journal.entries import Entry, new_entry
from millhand.journal.records import ModelMoved, Stage

CANDIDATE, SHADOW, CANARY = Stage.CANDIDATE, Stage.SHADOW, Stage.CANARY
LIVE, RETIRED = Stage.LIVE, Stage.RETIRED


def moves(*said: tuple) -> list[Entry]:
    """Entries of ``(package, stage)`` or ``(package, live, replaces, folders)``."""
    entries = []
    for seq, (package, now, *more) in enumerate(said, 1):
        replaces, folders = more or ("", ())
        record = ModelMoved(
            agent="inspector", package=package, folder=f"models/{package}", now=now,
            replaces=replaces, folders=folders, by="test",
        )  # fmt: skip
        new = new_entry(record, id=package, subject="inspector")
        stored = Entry("cell", 1, seq, new.id, new.kind, new.subject, None, 0, new.body, "", "")
        entries.append(stored)
    return entries


UP = (("a", CANDIDATE), ("a", SHADOW), ("a", CANARY), ("a", LIVE, "own", ("models/a",)))
BACK = ("own", LIVE, "a", ())


@pytest.mark.parametrize(
    ("said", "stages", "live", "previous", "candidate"),
    [
        ((), {}, (), None, None),
        (UP[:1], {"a": CANDIDATE}, (), None, None),
        (UP[:2], {"a": SHADOW}, (), None, "a"),
        (UP[:3], {"a": CANARY}, (), None, "a"),
        (UP, {"own": RETIRED, "a": LIVE}, ("models/a",), Previous("own", ()), None),
        (
            (*UP, BACK),
            {"own": LIVE, "a": RETIRED},
            (),
            Previous("a", ("models/a",)),
            None,
        ),
        (
            (*UP, ("b", SHADOW)),
            {"own": RETIRED, "a": LIVE, "b": SHADOW},
            ("models/a",),
            Previous("own", ()),
            "b",
        ),
        (
            (*UP[:2], ("b", SHADOW), ("b", RETIRED)),
            {"a": RETIRED, "b": RETIRED},
            (),
            None,
            None,
        ),
        (
            # Another product's package: both are live.
            (*UP, ("h", SHADOW), ("h", LIVE, "own-h", ("models/a", "models/h"))),
            {"own": RETIRED, "a": LIVE, "own-h": RETIRED, "h": LIVE},
            ("models/a", "models/h"),
            Previous("own-h", ("models/a",)),
            None,
        ),
    ],
)
def test_how_models_stand(said, stages, live, previous, candidate):
    entries = moves(*said)
    assert {one.package: one.now for one in stages_of(entries)} == stages
    standing = standing_of(entries, "inspector")
    assert standing.folders == live
    assert standing.previous == previous
    assert (standing.candidate and standing.candidate.package) == candidate


def test_other_agents_models_do_not_count():
    assert standing_of(moves(*UP), "planner").folders == ()
