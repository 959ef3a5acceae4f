"""What people answer reaches the engine: labels are journalled, approvals are carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from millhand.contracts import Propose
from millhand.engine.cell import Cell
from millhand.engine.outbox import waiting_of
from millhand.engine.runner import AgentRunner
from millhand.journal.entries import new_entry
from millhand.journal.records import AnswerKind, Intent, Outcome, OutcomeStatus, Question, Review

_POLL_S = 0.3


class ReviewDesk:
    """Takes answers from the inbox beside the journal and carries out what was approved."""

    def __init__(self, cell: Cell, runners: Mapping[str, AgentRunner], folder: Path) -> None:
        self._cell = cell
        self._runners = runners
        self._folder = folder

    async def run(self) -> None:
        """Look for answers for ever."""
        from millhand.feedback.review import consume_inbox

        after = self._cell.journal.head
        while True:
            await asyncio.to_thread(consume_inbox, self._cell.journal, self._folder)
            for entry in self._cell.journal.read(after=after, kinds=("review",)):
                after = entry.seq
                review = entry.record
                if isinstance(review, Review) and review.answer is AnswerKind.APPROVE:
                    await self._approve(review)
            await asyncio.sleep(_POLL_S)

    async def _approve(self, review: Review) -> None:
        entries = self._cell.journal.read(kinds=("intent",), id=review.decision, limit=1)
        intent = entries[0].record if entries else None
        if not isinstance(intent, Intent):
            return
        runner = self._runners.get(intent.observation.agent)
        if runner is None:
            return
        mode = self._cell.modes[runner.name]
        actuator = runner.settler.actuator
        proposal = self._proposal(intent, review)
        if proposal is None:
            effect = await actuator.approve(intent.judged, mode)
        elif proposal.action is not None:
            effect = await actuator.approve_proposed(proposal.action, mode)
        else:
            return
        outcome = Outcome(
            status=effect.status if effect.result or effect.rulings else OutcomeStatus.NOT_SENT,
            detail=effect.detail,
            result=effect.result,
            rulings=effect.rulings,
            waiting=effect.waiting_keys,
        )
        self._cell.append(
            new_entry(outcome, id=entries[0].id, subject=runner.name, part=entries[0].part)
        )
        waiting = waiting_of(entries[0].id, runner.name, effect.waiting, approved=True)
        self._cell.outbox.take(waiting)

    def _proposal(self, intent: Intent, review: Review) -> Propose | None:
        """Return the proposal that was approved; None where the agent's own actions were."""
        asked = self._cell.journal.read(kinds=("question",), id=review.question, limit=1)
        record = asked[0].record if asked else None
        if not isinstance(record, Question):
            return None
        for action in intent.decision.actions:
            if isinstance(action, Propose) and action.question == record.text:
                return action
        return None
