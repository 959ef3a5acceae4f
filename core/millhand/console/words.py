"""The words that people read for the stable words that machines read."""

from __future__ import annotations

from millhand.ledger.worst import CaseKind
from millhand.messages import tr


def word(stable: str) -> str:
    """Return what a person reads for a disposition, verdict, cause, outcome, answer, mode or link.

    A word that is not ours (a kind of defect that a plugin named) is shown with spaces.
    """
    return _words().get(stable) or stable.replace("_", " ")


def stage_word(stable: str) -> str:
    """Return what a person reads for a stage of a decision's life."""
    return _stages().get(stable) or stable.replace("_", " ")


def case_title(kind: CaseKind) -> str:
    """Head the cases of one kind."""
    return {
        CaseKind.ESCAPE: tr("Escapes"),
        CaseKind.FALSE_REJECT: tr("False rejects"),
        CaseKind.UNDECIDED: tr("Not decidable"),
        CaseKind.UNANSWERED: tr("No answer in time"),
        CaseKind.NEARLY_REJECTED: tr("Passed with the highest scores"),
        CaseKind.NEARLY_PASSED: tr("Rejected with the lowest scores"),
    }[kind]


def case_note(kind: CaseKind) -> str:
    """Say in a sentence what the cases of one kind are."""
    return {
        CaseKind.ESCAPE: tr("Defective parts that were let pass."),
        CaseKind.FALSE_REJECT: tr("Good parts that were rejected."),
        CaseKind.UNDECIDED: tr("The agent said that it cannot tell; a person should."),
        CaseKind.UNANSWERED: tr("The part took its default."),
        CaseKind.NEARLY_REJECTED: tr("The passes that came closest to a reject."),
        CaseKind.NEARLY_PASSED: tr("The rejects that came closest to a pass."),
    }[kind]


def _words() -> dict[str, str]:
    return {
        # verdicts
        "ok": tr("OK"),
        "not_ok": tr("not OK"),
        "not_decidable": tr("not decidable"),
        # dispositions
        "pass": tr("passed"),
        "reject": tr("rejected"),
        "divert": tr("diverted"),
        "pass_flagged": tr("passed, flagged"),
        # causes
        "decided": tr("decided"),
        "unsure": tr("unsure"),
        "late": tr("late"),
        "blind": tr("no usable picture or sample"),
        "contradicted": tr("contradicted"),
        "missed": tr("trigger missed"),
        "dropped": tr("queue full"),
        "failed": tr("agent failed"),
        "unknown_product": tr("unknown product"),
        "void": tr("certificate void"),
        "unrecorded": tr("journal not writable"),
        # outcomes
        "confirmed": tr("confirmed by the PLC"),
        "sent": tr("sent, without confirmation"),
        "refused": tr("refused"),
        "expired": tr("expired"),
        "not_sent": tr("not sent"),
        "unknown": tr("unknown"),
        "awaiting": tr("awaiting a person"),
        "waiting": tr("waiting to be delivered"),
        # answers at the gate
        "accepted": tr("accepted"),
        "executed": tr("executed as commanded"),
        "defaulted": tr("took its default"),
        "bypassed": tr("bypassed uninspected"),
        # stages of a model
        "candidate": tr("candidate"),
        "canary": tr("canary"),
        "live": tr("live"),
        "retired": tr("retired"),
        "renewed": tr("certificate renewed"),
        # modes
        "off": tr("off"),
        "shadow": tr("shadow"),
        "advise": tr("advise"),
        "control": tr("control"),
        # links
        "connecting": tr("connecting"),
        "up": tr("up"),
        "down": tr("away"),
    }


def _stages() -> dict[str, str]:
    return {
        "observed": tr("picture and values"),
        "decided": tr("agent and model"),
        "judged": tr("guard"),
        "durable": tr("intent on disk"),
        "checked": tr("checked again"),
        "sent": tr("command sent"),
        "answered": tr("accepted by the PLC"),
    }
