"""What a document may cost, and how it is refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from millhand.errors import NeedsPerson


class Limits(BaseModel):
    """Bounds on what is opened at all. What is beyond is left to a person, unread."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file_mb: float = Field(default=20, gt=0, le=200, description="Largest document.")
    xml_mb: float = Field(default=8, gt=0, le=50, description="Largest e-invoice.")
    elements: int = Field(default=200_000, gt=0, description="Most XML elements.")
    depth: int = Field(default=64, gt=0, le=200, description="Deepest nesting of XML elements.")
    pages: int = Field(default=50, gt=0, le=500, description="Most pages.")
    page_mm: float = Field(default=1300, gt=0, description="Longest side of a page, about A0.")
    characters: int = Field(default=500_000, gt=0, description="Most characters on all pages.")
    attachments: int = Field(default=20, gt=0, description="Most files embedded in a PDF.")
    unpacked_mb: float = Field(
        default=200, gt=0, le=1000, description="Most that a PDF may unpack to, all together."
    )
    pixels: int = Field(default=40_000_000, gt=0, description="Most pixels of a picture.")


class UnreadableDocument(NeedsPerson):
    """A document is not read; the original is kept. ``fault`` names why in a word."""

    def __init__(self, message: str, *, fault: str, mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.fault = fault
