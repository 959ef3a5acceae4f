"""Settings of ``admin.documents``: the house's rules."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from millhand_admin.checking.check import CheckPolicy
from millhand_admin.matching.policy import MatchPolicy
from millhand_admin.reading.limits import Limits
from millhand_admin.reading.ocr.charset import Language


class Automatic(BaseModel):
    """What may be delivered without asking anybody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    up_to: Decimal = Field(
        default=Decimal(0), ge=0, description="Amount to pay, in the paper's currency; 0: nothing."
    )
    confidence: float = Field(
        default=0.99, ge=0, le=1, description="The least sure value must be this sure."
    )
    currencies: tuple[str, ...] = Field(default=(), description="Only these; empty: any.")


class DocumentsConfig(BaseModel):
    """The house's rules for papers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: CheckPolicy = CheckPolicy()
    match: MatchPolicy = MatchPolicy()
    automatic: Automatic = Automatic()
    limits: Limits = Limits()
    languages: tuple[Language, ...] = Field(
        default=(),
        description="Languages of scanned pages: en, vi, zh. Left out, pictures stay unread.",
    )
    trusted: Path | None = Field(
        default=None, description="PEM file of the authorities that may vouch for signers."
    )
