"""From a decision to what happens to the part and the machine: a pure function (jidoka)."""

from __future__ import annotations

from msgspec import Struct

from millhand.contracts import Disposition, MachineAction, Verdict
from millhand.engine.bindings import Jidoka, Reaction
from millhand.journal.records import Cause

_VERDICTS = {Verdict.OK: Disposition.PASS, Verdict.NOT_OK: Disposition.REJECT}


class Settlement(Struct, frozen=True):
    """What is to happen: to the part, to the machine, and whether a person is asked."""

    disposition: Disposition
    machine: MachineAction = MachineAction.NONE
    review: bool = False
    reaction: Reaction | None = None
    """The reaction that led to it, where the agent could not do its work."""


def settle(verdict: Verdict | None, cause: Cause, jidoka: Jidoka) -> Settlement:
    """Say what happens to a part. Nothing but an OK that was decided in time lets it pass."""
    if cause is Cause.DECIDED and verdict in _VERDICTS:
        return Settlement(_VERDICTS[verdict])
    reaction = _reaction(cause, jidoka)
    return Settlement(reaction.part, reaction.machine, reaction.review, reaction)


def _reaction(cause: Cause, jidoka: Jidoka) -> Reaction:
    match cause:
        case Cause.LATE | Cause.MISSED | Cause.DROPPED | Cause.SUPERSEDED | Cause.UNRECORDED:
            return jidoka.late
        case Cause.BLIND | Cause.FAILED:
            return jidoka.blind
        case Cause.CONTRADICTED:
            return jidoka.contradicted
        case _:
            return jidoka.unsure
