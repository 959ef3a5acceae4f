"""May this teacher be learnt from? Asked before anything else; nothing overrides the answer."""

from __future__ import annotations

from millhand.distil.plan import Statement
from millhand.errors import NotAllowed
from millhand.messages import tr
from millhand.models.manifest import Permission, TeacherCard


def permitted(card: TeacherCard, statement: Statement | None) -> TeacherCard:
    """Return the card to record in the package: the teacher's own, or with the owner's word.

    The owner's statement counts where the card does not know; it never overrules a denial.

    Raises:
        NotAllowed: the terms deny it, the owner denies it, or nobody states permission.
    """
    denied = Permission.DENIED in {card.permission, statement.permission if statement else None}
    if denied:
        raise NotAllowed(
            tr(
                "The terms of {teacher} do not permit distillation: {evidence}",
                teacher=card.id,
                evidence=statement.evidence
                if statement and statement.permission is Permission.DENIED
                else card.evidence,
            ),
            mend=tr("Choose another teacher."),
        )
    if card.permission is Permission.GRANTED:
        return card
    if statement is None or statement.permission is not Permission.GRANTED:
        raise NotAllowed(
            tr("Nobody states that the terms of {teacher} permit distillation.", teacher=card.id),
            mend=tr(
                "Read its terms; where they permit it, add “statement: {permission: granted, "
                "evidence: …, stated_by: …}}” to the plan's teacher."
            ),
        )
    return card.model_copy(
        update={
            "permission": Permission.GRANTED,
            "evidence": statement.evidence,
            "stated_by": statement.stated_by,
        }
    )
