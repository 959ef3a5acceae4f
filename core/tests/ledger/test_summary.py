"""The summary of a run, counted from made-up entries whose answer is known."""

import pytest

from millhand.contracts.codec import from_json, to_json
from millhand.contracts.command import AnswerCode
from millhand.contracts.decision import Disposition, Verdict
from millhand.contracts.modes import Mode
from millhand.contracts.plant import PlantSummary
from millhand.journal.records import (
    Alarm,
    AlarmState,
    Cause,
    ModeChange,
    OutcomeStatus,
    Started,
)
from millhand.ledger.run import read_run
from millhand.ledger.score import DetectionLimit
from millhand.ledger.summary import RunSummary, summarise
from millhand.ledger.worst import CaseKind, worst_cases
from millhand.scenario.economy import Economy
from millhand.testing.runs import MadeRun

ECONOMY = Economy.model_validate(
    {
        "currency": "EUR",
        "scrapped_part": 1.2,
        "escaped_defect": {"amount": 40, "assumption": "Complaints of 2025, mean."},
    }
)


def plant(triggers: int) -> PlantSummary:
    return PlantSummary(triggers=triggers, answers={}, gate={})


@pytest.fixture
def mixed() -> MadeRun:
    """10 good passed, 1 falsely rejected, 2 good undecided, 3 caught, 1 escaped, 2 tiny, 1 late."""
    run = MadeRun()
    for _ in range(10):
        run.part(Verdict.OK, score=0.4)
    run.part(Verdict.NOT_OK, score=1.2)
    run.part(Verdict.NOT_DECIDABLE, cause=Cause.UNSURE, score=0.99)
    run.part(Verdict.NOT_DECIDABLE, cause=Cause.UNSURE, score=0.98)
    run.part(Verdict.NOT_OK, defect="scratch", score=2.0, challenge=True)
    run.part(Verdict.NOT_OK, defect="scratch", score=3.0)
    run.part(Verdict.NOT_OK, defect="pit", score=1.1)
    run.part(Verdict.OK, defect="pit", score=0.9)
    run.part(Verdict.OK, defect="stain", area_px2=11.9, score=0.5)
    run.part(Verdict.NOT_OK, defect="stain", contrast=0.09, score=1.5)
    run.part(
        None,
        cause=Cause.LATE,
        status=OutcomeStatus.EXPIRED,
        gate=AnswerCode.DEFAULTED,
    )
    return run


def summary_of(run: MadeRun, **options) -> RunSummary:
    return summarise(read_run(run.entries), truth=run.truths, economy=ECONOMY, **options)


def test_counts_every_part_once_and_balances_with_the_plc(mixed):
    found = summary_of(mixed, plant=plant(20))
    assert found.parts == 20
    assert found.dispositions == {"pass": 12, "reject": 6, "divert": 2}
    assert sum(found.dispositions.values()) == found.plc_triggers == 20
    assert found.balanced is True
    assert summary_of(mixed, plant=plant(21)).balanced is False
    assert summary_of(mixed).balanced is None


def test_scores_against_the_truth(mixed):
    score = summary_of(mixed).score
    assert (score.good, score.false_rejects.count, score.false_rejects.of) == (14, 1, 13)
    assert (score.good_undecided, score.good_unanswered) == (2, 1)
    assert (score.defective, score.caught, score.escapes.count) == (4, 3, 1)
    assert score.kinds["pit"].escaped == 1
    assert score.kinds["scratch"].caught == 2
    assert "stain" not in score.kinds
    assert (score.below_limit.parts, score.below_limit.caught, score.below_limit.escaped) == (
        2,
        1,
        1,
    )
    assert (score.challenges, score.challenges_caught) == (1, 1)


def test_a_lower_limit_turns_tiny_defects_into_escapes(mixed):
    score = summary_of(mixed, limit=DetectionLimit(area_px2=1.0, contrast=0.01)).score
    assert score.escapes.count == 2
    assert score.below_limit.parts == 0


def test_undecided_parts_are_never_counted_as_correct():
    run = MadeRun()
    run.part(Verdict.NOT_DECIDABLE, cause=Cause.UNSURE, defect="pit")
    run.part(Verdict.NOT_DECIDABLE, Disposition.PASS_FLAGGED, cause=Cause.UNSURE, defect="pit")
    score = summary_of(run).score
    assert (score.caught, score.kinds["pit"].undecided) == (0, 2)
    assert score.escapes.count == 1, "a defective part let pass has escaped, however flagged"


def test_late_refused_unknown_and_open_are_told_apart():
    run = MadeRun()
    run.part(status=OutcomeStatus.REFUSED)
    run.part(status=OutcomeStatus.UNKNOWN)
    run.part(status=OutcomeStatus.EXPIRED)
    run.part(status=None)
    found = summary_of(run)
    assert (found.late, found.refused, found.unknown, found.open) == (1, 1, 1, 1)
    assert found.latency is None, "nothing was accepted, so nothing is timed as accepted"


def test_latency_counts_accepted_results_only():
    run = MadeRun()
    for ms in (10, 20, 30):
        run.part(accepted_ms=ms)
    run.part(status=OutcomeStatus.EXPIRED, accepted_ms=500)
    found = summary_of(run)
    assert (found.latency.count, found.latency.p50_ms, found.latency.max_ms) == (3, 20.0, 30.0)
    assert [line.stage for line in found.stages] == [
        "observed",
        "decided",
        "judged",
        "durable",
        "sent",
        "answered",
    ]
    assert found.model.p50_ms == 3.0, "a duration inside a stage is no stage"
    assert found.poll_delay_ms == 5.0
    assert found.decisions_per_s == pytest.approx(5.0)


def test_money_lines_carry_their_counts_and_add_up(mixed):
    money = summary_of(mixed).money
    lines = {line.name: (line.count, line.amount) for line in money.lines}
    assert lines == {
        "escapes_prevented": (3, 120.0),
        "scrap_avoided": (2, 2.4),
        "escapes": (1, -40.0),
        "false_rejects": (1, -1.2),
        "unanswered": (1, -1.2),
    }
    assert money.net == pytest.approx(80.0)
    assert all(line.assumption for line in money.lines)
    assert money.lines[0].assumption.endswith("Price: Complaints of 2025, mean.")


def test_a_price_that_is_not_stated_leaves_its_lines_out(mixed):
    economy = Economy.model_validate({"currency": "USD", "false_reject": 2})
    found = summarise(read_run(mixed.entries), truth=mixed.truths, economy=economy).money
    assert {line.name: line.amount for line in found.lines} == {
        "false_rejects": -2.0,
        "unanswered": -2.0,
    }


def test_claims_nothing_without_a_truth(mixed):
    found = summarise(read_run(mixed.entries), economy=ECONOMY)
    assert found.score is None
    assert found.money is None
    assert found.undecided.count == 2


def test_reads_only_the_last_run(mixed):
    mixed.add(Started(scenario="cell", scenario_sha256="1" * 64, millhand="0.1.0"))
    mixed.part(Verdict.OK)
    found = summary_of(mixed)
    assert (found.parts, found.scenario_sha256[0]) == (1, "1")


def test_a_shadow_beside_the_live_agent_does_not_count_twice():
    run = MadeRun()
    run.part(Verdict.OK, defect="pit")
    live = run.entries[1]
    intent = live.record
    shadow = run.entries[1].__class__(
        id="cell.1.99",
        at_utc_ns=live.at_utc_ns,
        record=intent.__class__(
            **{
                **{field: getattr(intent, field) for field in intent.__struct_fields__},
                "mode": Mode.SHADOW,
                "disposition": Disposition.REJECT,
            }
        ),
    )
    for entries in ([*run.entries, shadow], [shadow, *run.entries[1:]]):
        found = summarise(read_run(entries), truth=run.truths)
        assert (found.parts, found.decisions, found.dispositions) == (1, 2, {"pass": 1})


def test_notes_modes_and_alarms():
    run = MadeRun()
    run.add(ModeChange(agent="inspector", before=None, now=Mode.SHADOW, by="scenario"))
    run.add(ModeChange(agent="inspector", before=Mode.SHADOW, now=Mode.CONTROL, by="ann"))
    for state in (AlarmState.ACTIVE, AlarmState.CLEARED, AlarmState.ACTIVE):
        run.add(Alarm(name="device_down", source="plc", state=state, text="plc is away"))
    found = summary_of(run)
    assert (found.modes, found.alarms) == ({"inspector": "control"}, {"device_down": 2})


def test_empty_journal_and_json_round_trip(mixed):
    empty = summarise(read_run([]))
    assert (empty.parts, empty.decisions_per_s, empty.latency) == (0, 0.0, None)
    found = summary_of(mixed, plant=plant(20))
    assert from_json(RunSummary)(to_json(found)) == found


def test_worst_cases_come_worst_first_and_never_twice(mixed):
    truths = {truth.part_id: truth for truth in mixed.truths}
    cases = worst_cases(read_run(mixed.entries).parts, truths, each=2)
    scores = {kind: [case.severity for case in found] for kind, found in cases.items()}
    assert scores == {
        CaseKind.ESCAPE: [0.9],
        CaseKind.FALSE_REJECT: [1.2],
        CaseKind.UNDECIDED: [0.99, 0.98],
        CaseKind.UNANSWERED: [None],
        CaseKind.NEARLY_REJECTED: [0.5, 0.4],
        CaseKind.NEARLY_PASSED: [1.1, 1.5],
    }
    shown = [case.part.id for found in cases.values() for case in found]
    assert len(shown) == len(set(shown))
