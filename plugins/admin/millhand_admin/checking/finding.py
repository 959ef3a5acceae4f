"""What a check has found."""

from __future__ import annotations

from enum import IntEnum

from pydantic import Field

from millhand_admin.paper.fact import Part


class Severity(IntEnum):
    """How much a finding weighs."""

    NOTE = 0
    """For information; stops nothing."""
    REVIEW = 1
    """A person must look."""
    REJECT = 2
    """Must not be booked."""


class Finding(Part):
    """One thing that is not as it should be."""

    rule: str = Field(description="The rule's name, such as `sum.lines`.")
    severity: Severity
    text: str = Field(description="For a person.")
    fields: tuple[str, ...] = Field(default=(), description="Paths of the values concerned.")


def worst(findings: tuple[Finding, ...]) -> Severity:
    """Return the heaviest severity; NOTE where there is no finding."""
    return max((finding.severity for finding in findings), default=Severity.NOTE)
