"""Attacks through what people may touch: the inbox, the modes, the scenario's file."""

from __future__ import annotations

import json
import time

from millhand.attack.arena import Arena
from millhand.attack.attack import Finding, NotApplicable, broken, judged
from millhand.attack.neighbour import NAME as NEIGHBOUR
from millhand.contracts import Mode
from millhand.errors import ConfigError
from millhand.feedback.andon import StandingCall, answer, open_calls
from millhand.journal.places import INBOX
from millhand.journal.records import Andon, AndonState, Cause, Review
from millhand.messages import tr
from millhand.scenario.load import load_text

_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)
_AT_ONCE_S = 5.0
_CALLED_S = 15.0


class ForgedAnswers:
    """Files in the inbox that nobody asked for: approvals, modes, too large, links."""

    title = tr("Forged answers and modes are put into the inbox")
    promise = 4

    async def run(self, arena: Arena) -> Finding:
        """Forge, and see that each is put aside with its reason."""
        await arena.settled_parts(1)
        entry = arena.entries("intent", after=0)[-1]
        answer = {
            "question": f"{entry.id}.q1", "decision": entry.id, "answer": "approve",
            "by": "intruder", "at_utc_ns": time.time_ns(),
        }  # fmt: skip
        inbox = arena.state / INBOX
        inbox.mkdir(mode=0o700, exist_ok=True)
        forged = {
            "0-approve.json": json.dumps(answer),
            "1-mode.json": json.dumps({**answer, "mode": "control"}),
            "2-large.json": json.dumps({**answer, "note": "x" * 200_000}),
            "3-text.json": "control, please",
        }
        for name, text in forged.items():
            (inbox / name).write_text(text, encoding="utf-8")
        (inbox / "4-link.json").symlink_to("/etc/passwd")
        refused = inbox / "refused"
        names = {*forged, "4-link.json"}
        await arena.until(lambda: all((refused / name).is_symlink() or (refused / name).exists()
                                      for name in names))  # fmt: skip
        reviews = [one.record for one in arena.entries("review") if isinstance(one.record, Review)]
        taken = [one for one in reviews if one.by == "intruder"]
        modes = arena.entries("mode")
        return judged(
            not taken and not modes,
            tr("inbox: closed form, fitting question"),
            tr("{count} forged files put aside with their reasons, none taken up",
               count=len(names)),
        )  # fmt: skip


class RaiseMode:
    """Somebody asks for a mode above what the files allow."""

    title = tr("A mode above max_mode is asked for")
    promise = 4

    async def run(self, arena: Arena) -> Finding:
        """Ask for control on behalf of an agent that may only watch."""
        await arena.order(mode=(NEIGHBOUR, Mode.CONTROL))
        await arena.settled_parts(1)
        changed = [one for one in arena.entries("mode") if one.subject == NEIGHBOUR]
        return judged(
            not changed,
            tr("modes: max_mode"),
            tr("{agent} stays in shadow; nothing was journalled as changed", agent=NEIGHBOUR),
        )


class EditScenario:
    """The scenario's file is replaced while the cell runs."""

    title = tr("The scenario's file is replaced while the cell runs")
    promise = 4

    async def run(self, arena: Arena) -> Finding:
        """Take the guard away in the file; what runs must not change."""
        file = arena.scenario.path
        text = file.read_text(encoding="utf-8")
        try:
            hostile = text.replace("only_if:", "# only_if:") + "\nagents: {}\n"
            file.write_text(hostile, encoding="utf-8")
            await arena.settled_parts(2)
            await arena.recovered()
        finally:
            file.write_text(text, encoding="utf-8")
        hashes = {one.scenario_sha256 for one in arena.intents()}
        return judged(
            hashes == {arena.scenario.sha256},
            tr("files say what is allowed; they are read at start"),
            tr("{count} decisions, all under the scenario that was started with",
               count=len(arena.intents())),
        )  # fmt: skip


class CallForPeople:
    """An agent goes blind and calls; forged answers come, then a person's."""

    title = tr("An agent is blind and calls for people; forged answers come first")
    promise = 3

    async def run(self, arena: Arena) -> Finding:
        """See the call, its owner's response with its time, and its end; nobody else may end it."""
        await arena.settled_parts(1)
        await arena.order(camera="missing")
        try:
            await arena.until(lambda: bool(_blind(arena)), _CALLED_S)
        except TimeoutError as error:
            raise NotApplicable(tr("No agent of this cell calls for people.")) from error
        finally:
            await arena.order(camera="")
        call_id = _blind(arena)[0].id
        self._forge(arena, call_id)
        for state in (AndonState.RESPONDED, AndonState.CLOSED):
            answer(
                arena.journal, call_id, state, by="attack", note="seen to",
                inbox=arena.state / INBOX,
            )  # fmt: skip
            await arena.until(lambda state=state: bool(_calls(arena, state)))  # type: ignore[misc]
        await arena.recovered()
        ends = _calls(arena, AndonState.RESPONDED) + _calls(arena, AndonState.CLOSED)
        fine = all(one.by == "attack" and one.response_ns is not None for _, one in ends)
        response = ends[0][1].response_ns or 0
        return judged(
            fine and {one for one, _ in ends} == {call_id},
            tr("jidoka: call with cause, owner and response time"),
            tr("cause {cause}, answered by {by} after {seconds:.1f} s",
               cause=str(ends[0][1].cause), by=ends[0][1].by, seconds=response / 1e9),
        )  # fmt: skip

    def _forge(self, arena: Arena, call: str) -> None:
        """Leave answers that fit no call, or no form."""
        inbox = arena.state / INBOX / "andon"
        inbox.mkdir(parents=True, mode=0o700, exist_ok=True)
        forged = {"call": f"{call}x", "state": "closed", "by": "intruder", "at_utc_ns": 1}
        (inbox / "0-nobody.json").write_text(json.dumps(forged), encoding="utf-8")
        more = json.dumps({**forged, "call": call, "mode": "control"})
        (inbox / "1-more.json").write_text(more, encoding="utf-8")


def _blind(arena: Arena) -> list[StandingCall]:
    """Return the calls that stand because an agent is blind."""
    return [one for one in open_calls(arena.journal) if one.call.cause is Cause.BLIND]


def _calls(arena: Arena, state: AndonState) -> list[tuple[str, Andon]]:
    """Return the calls that came into a state since the attack began, with their ids."""
    found = [(entry.id, entry.record) for entry in arena.entries("andon")]
    return [(id_, one) for id_, one in found if isinstance(one, Andon) and one.state is state]


class ScenarioBomb:
    """A scenario that would grow to gigabytes when read."""

    title = tr("A scenario with a YAML bomb is loaded")
    promise = 14

    async def run(self, arena: Arena) -> Finding:
        """Load it here."""
        del arena
        started = time.monotonic()
        try:
            load_text(_BOMB)
        except ConfigError as error:
            took = time.monotonic() - started
            said = str(error).partition("\n")[0]
            return judged(took < _AT_ONCE_S, tr("scenario: limits of the reader"), said)
        return broken(tr("scenario: limits of the reader"), tr("it was loaded"))
