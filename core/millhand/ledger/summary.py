"""The summary of a run: one record that the terminal, the report and machines read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from millhand.contracts.command import AnswerCode
from millhand.contracts.plant import PartTruth, PlantSummary
from millhand.journal.records import Cause, OutcomeStatus
from millhand.ledger.choices import ChoiceBook, choice_books, money_lines
from millhand.ledger.costs import Costs, Effort, costs_of
from millhand.ledger.economy import Money, money
from millhand.ledger.payback import Payback, payback_of
from millhand.ledger.run import PartLife, Run
from millhand.ledger.score import DetectionLimit, Finding, Score, finding, score_parts
from millhand.ledger.timing import Spread, StageTime, spread, timing_sheet
from millhand.statistics.intervals import Share, share

if TYPE_CHECKING:
    from millhand.scenario.economy import Economy

ACCEPTED_STAGE = "answered"
"""The stage at whose end the PLC has said yes."""
MODEL_STAGE = "model"
"""No end of a stage but a duration: the time inside the worker, part of ``decided``."""
_NS_PER_S = 1e9


class RunSummary(Struct, frozen=True, kw_only=True):
    """What happened in one run, from its start to the last entry."""

    scenario: str
    scenario_sha256: str
    packages: dict[str, str]
    started_utc_ns: int
    ended_utc_ns: int
    parts: int
    """Triggered parts that got a journalled disposition."""
    plc_triggers: int | None
    """Triggers that the PLC counted, where its books are at hand."""
    dispositions: dict[str, int]
    products: dict[str, dict[str, int]]
    """Product to dispositions."""
    causes: dict[str, int]
    outcomes: dict[str, int]
    gate: dict[str, int]
    """What the PLC says that became of the parts at the gate."""
    undecided: Share
    """Parts that were not decidable, of all parts."""
    late: int
    """Decided too late, or refused by the PLC as expired."""
    refused: int
    unknown: int
    open: int
    """Intents without an outcome yet."""
    latency: Spread | None
    """Trigger seen to result accepted by the PLC."""
    poll_delay_ms: float
    """Longest time that a trigger can have stood before it was seen; not part of ``latency``."""
    stages: tuple[StageTime, ...]
    model: Spread | None
    """Time inside the worker: the agent with its models, without the way there and back."""
    decisions: int
    """Decisions of all agents, also of those that only watch."""
    decisions_per_s: float
    modes: dict[str, str]
    alarms: dict[str, int]
    """Alarms raised, by name."""
    score: Score | None
    """Against the truth, where a simulation knows it."""
    money: Money | None
    costs: Costs | None = None
    """What the decisions cost, where the scenario says what things cost."""
    payback: Payback | None = None
    choices: tuple[ChoiceBook, ...] = ()
    """Decisions that are bound to no part and say what they cost, by agent."""

    @property
    def balanced(self) -> bool | None:
        """Whether every part that the PLC triggered has its one disposition; None if unknown."""
        return None if self.plc_triggers is None else self.plc_triggers == self.parts


def summarise(
    run: Run,
    *,
    truth: Iterable[PartTruth] = (),
    plant: PlantSummary | None = None,
    economy: Economy | None = None,
    limit: DetectionLimit | None = None,
) -> RunSummary:
    """Summarise one run.

    Args:
        run: the run as :func:`millhand.ledger.run.read_run` gives it.
        truth: what the parts really were; where nothing is known there is no score and no money.
        plant: the PLC's own books, to hold ours against.
        economy: what things cost; without it there is no money.
        limit: from which size and contrast on a defect must be found.
    """
    parts = run.parts
    truths = {part.part_id: part for part in truth}
    score = score_parts(parts, truths, limit) if truths else None
    outcomes = Counter(str(part.outcome.status) for part in parts if part.outcome)
    causes = Counter(str(part.intent.cause) for part in parts)
    accepted = [part for part in parts if _accepted(part)]
    effort = _effort(run)
    costs = costs_of(effort, economy) if economy else None
    choices = choice_books(run.unbound, economy) if economy else ()
    return RunSummary(
        scenario=run.started.scenario if run.started else "",
        scenario_sha256=run.started.scenario_sha256 if run.started else "",
        packages=run.started.packages if run.started else {},
        started_utc_ns=run.first_utc_ns,
        ended_utc_ns=run.last_utc_ns,
        parts=len(parts),
        plc_triggers=plant.triggers if plant else None,
        dispositions=dict(Counter(str(part.intent.disposition) for part in parts)),
        products=_products(parts),
        causes=dict(causes),
        outcomes=dict(outcomes),
        gate=dict(Counter(part.gate.name.lower() for part in parts if part.gate is not None)),
        undecided=share(sum(finding(part) is Finding.UNDECIDED for part in parts), len(parts)),
        late=sum(_late(part) for part in parts),
        refused=outcomes[OutcomeStatus.REFUSED],
        unknown=outcomes[OutcomeStatus.UNKNOWN],
        open=sum(part.outcome is None for part in parts),
        latency=spread(part.stages_ns[ACCEPTED_STAGE] for part in accepted),
        poll_delay_ms=max((part.trigger.poll_delay_ns for part in parts), default=0) / 1e6,
        stages=timing_sheet(_ends(part) for part in accepted or parts),
        model=spread(
            part.stages_ns[MODEL_STAGE] for part in parts if MODEL_STAGE in part.stages_ns
        ),
        decisions=run.decisions,
        decisions_per_s=_rate(parts),
        modes={agent: str(mode) for agent, mode in run.modes.items()},
        alarms=dict(run.alarms),
        score=score,
        money=money(score, economy, money_lines(choices)) if economy else None,
        costs=costs,
        payback=payback_of(score, costs, effort.seconds, economy)
        if score and costs and economy
        else None,
        choices=choices,
    )


def _effort(run: Run) -> Effort:
    return Effort(
        decisions=run.decisions,
        seconds=(run.last_utc_ns - run.first_utc_ns) / _NS_PER_S,
        busy_s=run.busy_ns / _NS_PER_S,
        answers=run.answers,
        undecided=sum(finding(part) is Finding.UNDECIDED for part in run.parts),
    )


def _accepted(part: PartLife) -> bool:
    return (
        part.outcome is not None
        and part.outcome.status is OutcomeStatus.CONFIRMED
        and ACCEPTED_STAGE in part.outcome.stages_ns
    )


def _ends(part: PartLife) -> dict[str, int]:
    return {stage: end for stage, end in part.stages_ns.items() if stage != MODEL_STAGE}


def _late(part: PartLife) -> bool:
    if part.intent.cause is Cause.LATE:
        return True
    if part.outcome is None:
        return False
    answer = part.outcome.answer
    return part.outcome.status is OutcomeStatus.EXPIRED or (
        answer is not None and answer.code is AnswerCode.EXPIRED
    )


def _products(parts: Iterable[PartLife]) -> dict[str, dict[str, int]]:
    products: dict[str, Counter[str]] = {}
    for part in parts:
        products.setdefault(part.product or "", Counter())[str(part.intent.disposition)] += 1
    return {product: dict(counts) for product, counts in products.items()}


def _rate(parts: Sequence[PartLife]) -> float:
    """Decisions a second from the first trigger to the last, so that idle ends do not count."""
    if len(parts) < 2:
        return 0.0
    seen = [part.trigger.detected_monotonic_ns for part in parts]
    span = max(seen) - min(seen)
    return (len(parts) - 1) / (span / _NS_PER_S) if span > 0 else 0.0
