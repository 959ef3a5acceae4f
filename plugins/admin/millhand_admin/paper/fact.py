"""One value read from a paper, with where it stands and how sure it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from millhand.messages import tr

T = TypeVar("T")
U = TypeVar("U")


class Part(BaseModel):
    """Base of everything in a paper: immutable, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Method(StrEnum):
    """How a value was read, the surest first."""

    XML = "xml"
    """From a structured e-invoice."""
    TEXT_LAYER = "text_layer"
    """From the characters that a PDF carries."""
    OCR = "ocr"
    """From a picture."""
    DERIVED = "derived"
    """Computed from other values of the same paper."""
    PERSON = "person"
    """Given or corrected by a person."""


class Box(Part):
    """A rectangle on a page, as fractions of its width and height, from the upper left corner."""

    left: float = Field(ge=0, le=1)
    top: float = Field(ge=0, le=1)
    right: float = Field(ge=0, le=1)
    bottom: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Box:
        if self.left > self.right or self.top > self.bottom:
            raise ValueError(tr("the box has its corners the wrong way round"))
        return self

    def united(self, other: Box) -> Box:
        """Return the smallest box around both."""
        return Box(
            left=min(self.left, other.left),
            top=min(self.top, other.top),
            right=max(self.right, other.right),
            bottom=max(self.bottom, other.bottom),
        )


class Fact(Part, Generic[T]):
    """A value of a paper.

    ``text`` is what stands there, ``value`` what it means. A value from XML has a ``path`` and no
    box; one from a page has ``page`` (from 1) and ``box``.
    """

    value: T
    text: str = ""
    method: Method
    confidence: float = Field(default=1.0, ge=0, le=1, description="Probability that it is right.")
    page: int | None = Field(default=None, ge=1)
    box: Box | None = None
    path: str = ""

    def having(self, value: U) -> Fact[U]:
        """Return a fact of another value from the same place."""
        return Fact[U](
            value=value,
            text=self.text,
            method=self.method,
            confidence=self.confidence,
            page=self.page,
            box=self.box,
            path=self.path,
        )


class Unread(Part):
    """Something that should be a value and could not be read as one."""

    what: str
    text: str
    path: str = ""
    page: int | None = None
    box: Box | None = None
