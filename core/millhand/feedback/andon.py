"""Answers to andon calls: somebody is on it, or it is mended. The same for every console.

A journal has one writer; whoever is not it leaves the answer in the inbox beside the journal.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, structs

from millhand.errors import ConfigError, NotAllowed
from millhand.feedback import inbox as inbox_files
from millhand.journal.records import Andon, AndonState
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.journal.journal import Journal

_LOOK_BACK = 1000
_FOLDER = "andon"


class AndonAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer on its way to the journal."""

    call: str
    """Id of the call's entry."""
    state: AndonState
    by: str
    note: str = ""
    at_utc_ns: int

    def record(self, call: Andon, called_utc_ns: int, parts: int = 1) -> Andon:
        """Return the call as it stands after this answer."""
        response_ns = call.response_ns
        if response_ns is None:
            response_ns = max(0, self.at_utc_ns - called_utc_ns)
        return structs.replace(
            call,
            state=self.state,
            by=self.by,
            note=self.note,
            parts=max(parts, call.parts),
            response_ns=response_ns,
        )


_decode = msgspec.json.Decoder(AndonAnswer).decode


@dataclass(frozen=True, slots=True)
class StandingCall:
    """A call that is not closed."""

    id: str
    called_utc_ns: int
    call: Andon


def open_calls(journal: Journal) -> list[StandingCall]:
    """List the calls that are not closed, the oldest first."""
    found: dict[str, StandingCall] = {}
    entries = journal.read(kinds=("andon",), limit=_LOOK_BACK, newest_first=True)
    for entry in reversed(entries):
        call = entry.record
        if not isinstance(call, Andon):
            continue
        before = found.get(entry.id)
        called = entry.at_utc_ns if before is None else before.called_utc_ns
        found[entry.id] = StandingCall(entry.id, called, call)
    return [one for one in found.values() if one.call.state is not AndonState.CLOSED]


def answer(
    journal: Journal, call: str, state: AndonState, *, by: str, note: str = "", inbox: Path
) -> AndonAnswer:
    """Leave an answer to a call for the engine; on return it is on disk.

    Args:
        journal: the cell's journal, open for reading at least.
        call: id of the call.
        state: ``RESPONDED``, somebody is on it; ``CLOSED``, it is mended.
        by: who it is.
        note: anything else the person wants to say.
        inbox: the folder for answers beside the journal.

    Raises:
        ConfigError: there is no such call, or ``by`` is empty.
        NotAllowed: it is closed, or was responded to already.
        Unavailable: the answer could not be left.
    """
    if not by.strip():
        raise ConfigError(tr("Say who answers."), mend=tr("Give a name with --by."))
    standing = next((one for one in open_calls(journal) if one.id == call), None)
    if standing is None:
        raise ConfigError(
            tr("No call {id} stands.", id=call), mend=tr("See those that do: millhand andon list")
        )
    if state is AndonState.RESPONDED and standing.call.state is AndonState.RESPONDED:
        raise NotAllowed(tr("{by} is on it already.", by=standing.call.by))
    given = AndonAnswer(
        call=call, state=state, by=by.strip(), note=note.strip(), at_utc_ns=time.time_ns()
    )
    inbox_files.put(inbox / _FOLDER, given)
    return given


def waiting(inbox: Path) -> Iterator[tuple[Path, AndonAnswer | str]]:
    """Yield the files that wait, the oldest first, each with its answer or with what is wrong."""
    for file, found in inbox_files.read(inbox / _FOLDER, _decode):
        if isinstance(found, str):
            inbox_files.put_aside(file, found)
        else:
            yield file, found
