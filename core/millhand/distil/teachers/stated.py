"""A card for a teacher that only its user knows: what the plan says of it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from millhand.models.manifest import Permission, TeacherCard


class StatedCard(BaseModel):
    """Who a teacher is and by what right it is learnt from, by the plan's own word.

    Permission is unknown unless stated, and then the plan is refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, description="Name and version of the teacher.")
    licence: str = Field(description="SPDX identifier, or the name of the terms.")
    permission: Permission = Field(
        default=Permission.UNKNOWN, description="Whether the terms permit distillation."
    )
    evidence: str = Field(
        default="", description="The term that says so, and where and when it was read."
    )
    stated_by: str = Field(default="", description="Who says so.")
    cost_per_decision: str = Field(default="", description="Time or money, with its unit.")

    def card(self, kind: str, sha256: str | None = None) -> TeacherCard:
        """Return the card; without evidence permission is as good as unknown."""
        granted = self.permission is Permission.GRANTED and len(self.evidence.strip()) >= 10
        unknown = self.permission is Permission.GRANTED and not granted
        return TeacherCard(
            id=self.id,
            kind=kind,
            sha256=sha256,
            licence=self.licence,
            permission=Permission.UNKNOWN if unknown else self.permission,
            evidence=self.evidence,
            stated_by=self.stated_by,
            cost_per_decision=self.cost_per_decision,
        )
