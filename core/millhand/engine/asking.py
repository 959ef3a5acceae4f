"""Asking people: of which decisions, and with what probability, a question is put."""

from __future__ import annotations

from millhand.contracts import Decision
from millhand.engine.cell import Cell
from millhand.engine.drift import DriftWatch
from millhand.engine.work import Work
from millhand.feedback.queue import Asked, Ground, Rates, Worth, draw
from millhand.feedback.review import LABEL
from millhand.journal.entries import new_entry
from millhand.journal.records import Cause, Question
from millhand.messages import tr
from millhand.scenario.learning import Ask

_ONLY_WHAT_DIFFERS = Rates(audit=1e-12, abstention=1e-12, margin=1e-12)
"""Where the scenario asks for nothing, what a candidate says otherwise is asked all the same."""


class Asker:
    """Puts the questions about one agent's decisions.

    Args:
        cell: the running cell.
        agent: its name.
        ask: how often is asked; None asks only where two models differ.
        drift: knows what is usual.
        asks_unsure: whether the agent's reaction asks about what it could not decide already.
    """

    def __init__(
        self,
        cell: Cell,
        agent: str,
        ask: Ask | None,
        drift: DriftWatch,
        *,
        asks_unsure: bool,
    ) -> None:
        self._cell = cell
        self._agent = agent
        self._drift = drift
        self._asks_unsure = asks_unsure
        self._rates = _ONLY_WHAT_DIFFERS if ask is None else Rates(**ask.model_dump())

    def note(self, work: Work, decision: Decision, cause: Cause, *, differs: bool = False) -> None:
        """Learn of a decision and put a question where it is drawn; returns at once.

        Args:
            work: the decision's.
            decision: as the agent made it.
            cause: why its part got what it got.
            differs: whether a model beside the one that decided says otherwise.
        """
        undecided = cause is not Cause.DECIDED
        if work.part is None or (undecided and self._asks_unsure):
            return
        asked = draw(self._worth(work, decision, undecided=undecided, differs=differs), self._rates)
        if asked is not None:
            self._ask(work, asked)

    def _worth(self, work: Work, decision: Decision, *, undecided: bool, differs: bool) -> Worth:
        return Worth(
            decision=work.id,
            disagrees=differs,
            abstained=undecided,
            margin=margin_of(decision),
            novelty=self._drift.novelty(decision),
        )

    def _ask(self, work: Work, asked: Asked) -> None:
        why = {
            Ground.DISAGREEMENT: tr("Another model says otherwise."),
            Ground.ABSTENTION: tr("The agent could not decide."),
            Ground.MARGIN: tr("It was near the limit, or unusual."),
            Ground.AUDIT: tr("Drawn by chance, to know how good the agent is."),
        }[asked.ground]
        question = Question(
            decision=work.id,
            agent=self._agent,
            text=tr("What is this part really? {why}", why=why),
            kind=LABEL,
            part_id=work.part,
            ground=asked.ground,
            chance=asked.chance,
            urgency=asked.urgency,
        )
        self._cell.append(
            new_entry(question, id=f"{work.id}.a", subject=self._agent, part=work.part)
        )


def margin_of(decision: Decision) -> float | None:
    """Return how far the decision was from turning: 0 at the limit, None where unknown."""
    score, limit = decision.scores.get("score"), decision.scores.get("limit")
    if score is not None and limit:
        return abs(score - limit) / abs(limit)
    confidence = decision.confidence
    return None if confidence is None else abs(2 * confidence - 1)
