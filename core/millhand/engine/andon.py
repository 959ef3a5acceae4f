"""Calls for people (andon): who is called, how soon they respond, and why they were called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import time_ns

from millhand.engine.alarms import Alarms
from millhand.engine.bindings import AndonPolicy, Reaction
from millhand.feedback.andon import AndonAnswer, open_calls, waiting
from millhand.journal.entries import NewEntry, new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Andon, AndonState, Cause
from millhand.messages import tr


@dataclass(slots=True)
class _Standing:
    call: Andon
    id: str
    called_utc_ns: int
    parts: int = 1


class AndonBoard:
    """The calls that stand. One call for an agent and a cause; more parts are counted in it.

    Args:
        journal: where calls of an engine before this one are found.
        append: journals an entry without waiting.
        alarms: a call that nobody answers in time is an alarm.
        policy: who is called where an agent's reaction names nobody.
    """

    def __init__(
        self,
        journal: Journal,
        append: Callable[[NewEntry], None],
        alarms: Alarms,
        policy: AndonPolicy,
    ) -> None:
        self._append = append
        self._alarms = alarms
        self._policy = policy
        self._standing: dict[tuple[str, Cause], _Standing] = {}
        for entry in open_calls(journal):
            call = entry.call
            standing = _Standing(call, entry.id, entry.called_utc_ns)
            self._standing[call.agent, call.cause] = standing

    @property
    def texts(self) -> tuple[str, ...]:
        """What stands, in a line each, the oldest first."""
        return tuple(one.call.text for one in self._standing.values())

    def call(
        self, agent: str, cause: Cause, reaction: Reaction, *, decision: str, part: str | None
    ) -> list[NewEntry]:
        """Call somebody, or count the part where the call stands; returns what to journal."""
        standing = self._standing.get((agent, cause))
        if standing is not None:
            standing.parts += 1
            return []
        call = Andon(
            state=AndonState.CALLED,
            agent=agent,
            cause=cause,
            machine=reaction.machine,
            decision=decision,
            part_id=part,
            owner=reaction.call or self._policy.owner,
            respond_within_s=reaction.within_s or self._policy.within_s,
            text=tr("{agent}: {cause}, part {part}", agent=agent, cause=cause, part=part or "–"),
        )
        now = time_ns()
        standing = _Standing(call, f"{decision}.andon", now)
        self._standing[agent, cause] = standing
        return [new_entry(call, id=standing.id, subject=agent, part=part, at_utc_ns=now)]

    def look(self, inbox: Path) -> None:
        """Take up the answers that wait, and raise an alarm for calls that nobody answers."""
        for file, answer in waiting(inbox):
            if isinstance(answer, AndonAnswer):
                self._answer(answer)
            file.unlink(missing_ok=True)
        now = time_ns()
        for standing in self._standing.values():
            call = standing.call
            within_s = call.respond_within_s
            late = within_s is not None and now - standing.called_utc_ns > within_s * 1e9
            if late and call.state is AndonState.CALLED:
                text = tr("{owner} did not respond: {text}", owner=call.owner, text=call.text)
                self._alarms.raise_("andon_unanswered", call.agent, text, decision=call.decision)

    def _answer(self, answer: AndonAnswer) -> None:
        for key, standing in list(self._standing.items()):
            if standing.id != answer.call:
                continue
            given = answer.record(standing.call, standing.called_utc_ns, standing.parts)
            self._append(
                new_entry(
                    given,
                    id=standing.id,
                    subject=given.agent,
                    part=given.part_id,
                    at_utc_ns=answer.at_utc_ns,
                )
            )
            standing.call = given
            if given.state is AndonState.CLOSED:
                del self._standing[key]
            if not any(
                one.call.agent == given.agent and one.call.state is AndonState.CALLED
                for one in self._standing.values()
            ):
                self._alarms.clear("andon_unanswered", given.agent)

    async def run(self, inbox: Path, every_s: float = 0.2) -> None:
        """Look for ever."""
        while True:
            self.look(inbox)
            await asyncio.sleep(every_s)
