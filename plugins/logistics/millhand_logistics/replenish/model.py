"""Articles and their stock: frozen models of a file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from millhand.scenario.parts import Number, Part, Whole
from millhand.scenario.units import Percent


class Article(Part):
    """One article. Lead times are in periods of the file."""

    id: str = Field(min_length=1, max_length=80, description="Article number, unique.")
    on_hand: Number = Field(default=0.0, ge=0, description="Pieces that can be used now.")
    on_order: Number = Field(default=0.0, ge=0, description="Pieces that were ordered.")
    reserved: Number = Field(default=0.0, ge=0, description="Pieces that are promised.")
    lead_time: Whole = Field(ge=0, le=200, description="Periods from order to arrival.")
    pack: Number = Field(default=1.0, gt=0, description="Orders are multiples of this.")
    minimum: Number = Field(default=0.0, ge=0, description="Least that can be ordered.")
    price: Number = Field(default=0.0, ge=0, description="Money for a piece.")

    @property
    def position(self) -> float:
        """Pieces on hand and on order less those promised."""
        return self.on_hand + self.on_order - self.reserved


class Stock(Part):
    """A store: its articles, and where their past demand stands."""

    millhand_stock: Literal[1] = Field(description="Version of this form.")
    name: str = Field(default="", description="Name, for people.")
    period: Literal["day", "week"] = Field(default="week", description="Length of a period.")
    season: Whole = Field(
        default=1, ge=1, le=400, description="Periods after which demand repeats; 1: it does not."
    )
    service: Percent = Field(
        default=0.95, description="Share of orders until whose arrival stock is to last."
    )
    review: Whole = Field(default=1, ge=1, le=100, description="Periods between two orders.")
    demand: str = Field(description="CSV file beside this one: article, date, quantity.")
    articles_from: str | None = Field(
        default=None, description="CSV file beside this one, with the keys of an article."
    )
    articles: tuple[Article, ...] = Field(default=(), description="Articles.")
