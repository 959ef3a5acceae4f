"""Attacks through what people may touch: the inbox, the modes, the scenario's file."""

from __future__ import annotations

import json
import time

from millhand.attack.arena import Arena
from millhand.attack.attack import Finding, broken, judged
from millhand.attack.neighbour import NAME as NEIGHBOUR
from millhand.contracts import Mode
from millhand.errors import ConfigError
from millhand.journal.places import INBOX
from millhand.journal.records import Review
from millhand.messages import tr
from millhand.scenario.load import load_text

_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)
_AT_ONCE_S = 5.0


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
