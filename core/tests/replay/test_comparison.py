"""What a replay comes to, on made-up journals; the real one is replayed end to end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.contracts.decision import Decision, Verdict
from millhand.errors import ConfigError
from millhand.isolate.messages import AgentSpec, ModelSpec
from millhand.journal.records import AnswerKind, Review
from millhand.models.manifest import Manifest
from millhand.models.package import Package
from millhand.replay import Comparison, Replayed, decided_by, judged_by_people, with_candidates
from millhand.testing.runs import MadeRun

VERDICTS = [None, *Verdict]


@dataclass(frozen=True)
class Said:
    """As much of a journal entry as a comparison reads."""

    id: str
    record: object = None


def replayed(then: Verdict | None, now: Verdict | None, *, about: str = "d", score: float = 0.0):
    before = Decision(verdict=then, scores={"score": 0.5})
    return Replayed(Said(about), before, Decision(verdict=now, scores={"score": 0.5 + score}))


@given(st.lists(st.tuples(st.sampled_from(VERDICTS), st.sampled_from(VERDICTS))))
def test_every_decision_is_counted_once(pairs):
    comparison = Comparison()
    for then, now in pairs:
        comparison.add(replayed(then, now))
    assert comparison.replayed == len(pairs) == sum(comparison.verdicts.values())
    assert len(comparison.turned) == sum(then is not now for then, now in pairs)
    assert comparison.same == sum(then is now for then, now in pairs)


def test_a_score_that_moved_is_not_the_same_and_no_turn():
    comparison = Comparison()
    comparison.add(replayed(Verdict.OK, Verdict.OK, score=0.25))
    assert (comparison.same, comparison.turned) == (0, [])
    assert comparison.largest_change == pytest.approx(0.25)


def review(decision: str, answer: AnswerKind, label: str = "") -> Said:
    return Said("q", Review(question="q", decision=decision, answer=answer, label=label, by="ann"))


def test_what_people_said_is_the_truth_and_undecided_is_neither_right_nor_wrong():
    run = MadeRun()
    passed, rejected, unsure = (run.part(verdict) for verdict in Verdict)
    labels = judged_by_people(
        [
            *run.entries,
            review(passed, AnswerKind.DISAGREE, "crack"),
            review(rejected, AnswerKind.AGREE),
            review(unsure, AnswerKind.DISAGREE, "ok"),
        ]
    )
    assert labels == {passed: False, rejected: False, unsure: True}
    comparison = Comparison(labels=labels)
    comparison.add(replayed(Verdict.OK, Verdict.NOT_OK, about=passed))
    comparison.add(replayed(Verdict.NOT_OK, Verdict.NOT_OK, about=rejected))
    comparison.add(replayed(Verdict.NOT_DECIDABLE, Verdict.NOT_OK, about=unsure))
    assert (comparison.then.right, comparison.then.wrong, comparison.then.undecided) == (1, 1, 1)
    assert (comparison.now.right, comparison.now.wrong, comparison.now.undecided) == (2, 1, 0)
    assert comparison.not_worse.pairs == 3
    assert comparison.not_worse.discordant == 1
    assert not comparison.not_worse.shown


def test_agreeing_with_not_decidable_says_nothing_about_the_part():
    run = MadeRun()
    unsure = run.part(Verdict.NOT_DECIDABLE)
    assert judged_by_people([*run.entries, review(unsure, AnswerKind.AGREE)]) == {}


def test_only_what_the_agent_itself_decided_is_replayed():
    run = MadeRun()
    run.part(Verdict.OK)
    run.part(Verdict.OK, agent="another")
    assert [entry.id for entry in decided_by("inspector", run.entries)] == ["cell.1.1"]


# --- candidates ---


def spec(*places: tuple[str, str | None]) -> AgentSpec:
    models = tuple(
        ModelSpec(role=role, product=product, folder=f"old/{role}-{product}", precision="int8")
        for role, product in places
    )
    return AgentSpec(name="inspector", target="a:B", config={}, models=models)


def candidate(product: str | None) -> Package:
    manifest = Manifest.model_construct(name="new", product=product)
    return Package(Path("new"), manifest, "new@0")


def folders(built: AgentSpec) -> list[str]:
    return [model.folder for model in built.models]


def test_a_candidate_takes_the_place_of_its_product_alone():
    built = with_candidates(spec(("", "impeller"), ("", "housing")), [candidate("impeller")])
    assert folders(built) == ["new", "old/-housing"]
    assert built.models[0].precision is None, "the old package's precision is not the new one's"


def test_a_candidate_for_any_product_takes_every_place():
    built = with_candidates(spec(("", "impeller"), ("", "housing")), [candidate(None)])
    assert len(set(folders(built))) == 1


def test_a_role_narrows_it():
    places = spec(("look", None), ("read", None))
    built = with_candidates(places, [candidate("impeller")], role="read")
    assert folders(built) == ["old/look-None", "new"]


def test_a_candidate_that_fits_nowhere_is_refused_with_what_there_is():
    with pytest.raises(ConfigError, match="gearbox") as refused:
        with_candidates(spec(("", "impeller"), ("", "housing")), [candidate("gearbox")])
    assert "housing, impeller" in refused.value.mend


def test_without_candidates_nothing_changes():
    whole = spec(("", "impeller"))
    assert msgspec.structs.asdict(with_candidates(whole, [])) == msgspec.structs.asdict(whole)
