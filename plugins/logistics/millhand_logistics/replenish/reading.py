"""Reading a store from YAML, articles and demand from CSV; what is wrong is told by line."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from millhand.errors import ConfigError, Place, Problem
from millhand.messages import did_you_mean, tr
from millhand.scenario.document import Document, KeyPath, Mark, read_document
from millhand.scenario.parts import Number
from millhand.scenario.problems import problems_of
from millhand_logistics.replenish.model import Article, Stock

Floats = NDArray[np.float64]
NonNegative = Annotated[Number, Field(ge=0)]
LARGEST_CSV = 200_000_000
MOST_PERIODS = 5000
_DEMAND = ("article", "date", "quantity")
_NUMBERS = frozenset(Article.model_fields) - {"id"}


def load_stock(path: Path) -> tuple[Stock, dict[str, Floats]]:
    """Read a store with the past demand of each article, by period, oldest first.

    All series end in the last period that any demand was in; periods without demand are 0. An
    article without demand has an empty series.

    Raises:
        ConfigError: a file cannot be read, or something in it is wrong; with its line.
    """
    document = read_document(_text(path), str(path))
    data = document.data
    if isinstance(data, dict) and isinstance(data.get("articles_from"), str):
        document = _with_articles(document, path.parent / _inside(data["articles_from"], document))
    try:
        stock = Stock.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError.of(problems_of(error, Stock, document)) from None
    seen = _check_articles(stock, document)
    demand = _demand(path.parent / _inside(stock.demand, document), stock, seen)
    return stock, demand


class _List(Stock):
    """A store in one document: its past demand stands in it."""

    demand: str = ""
    articles_from: None = None
    history: dict[str, tuple[NonNegative, ...]] = Field(
        description="Demand of each article by period, oldest first."
    )


def read_list(content: bytes, name: str, most: int) -> tuple[Stock, dict[str, Floats]]:
    """Read a store with its past demand from one JSON document.

    Args:
        content: the document.
        name: what it is called, for the errors.
        most: articles beyond which it is refused.

    Raises:
        ConfigError: something in it is wrong; says where.
    """
    try:
        data = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            tr("{path} is no list of stock: {why}.", path=name, why=error),
            mend=tr('It holds {"millhand_stock": 1, "articles": […], "history": {…}}.'),
        ) from error
    document = Document(name, data, {}, {})
    try:
        found = _List.model_validate(data)
    except ValidationError as error:
        raise ConfigError.of(problems_of(error, _List, document)) from None
    if len(found.articles) > most:
        raise ConfigError(
            tr("{path} has {n} articles; at most {most}.", path=name, n=len(found.articles),
               most=most)
        )  # fmt: skip
    _check_articles(found, document)
    longest = max((len(one) for one in found.history.values()), default=0)
    if longest > MOST_PERIODS:
        raise ConfigError(
            tr("{path}: a history is longer than {n} periods.", path=name, n=MOST_PERIODS)
        )
    return found, {a.id: np.array(found.history.get(a.id, ()), dtype=float) for a in found.articles}


def _check_articles(stock: Stock, document: Document) -> set[str]:
    seen: set[str] = set()
    for index, article in enumerate(stock.articles):
        if article.id in seen:
            raise _wrong(
                document.place(("articles", index, "id")),
                tr("The article {id} stands here twice.", id=article.id),
            )
        seen.add(article.id)
    if not stock.articles:
        raise _wrong(document.place(("articles",)), tr("There is no article."))
    return seen


def _inside(name: str, document: Document) -> str:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise _wrong(Place(document.file), tr("The path {name} leads out.", name=name))
    return name


def _wrong(place: Place, message: str, expected: str = "", mend: str = "") -> ConfigError:
    return ConfigError.of((Problem(place, message, expected, mend),))


def _rows(path: Path, known: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    text = _text(path)
    delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    heads: list[str] = []
    try:
        for row in reader:
            line = reader.line_num
            if not heads:
                heads = [cell.strip() for cell in row]
                for name in heads:
                    if name not in known:
                        raise _wrong(
                            Place(str(path), line),
                            tr("The column “{name}” is not known.", name=name),
                            tr("columns among: {names}", names=", ".join(known)),
                            did_you_mean(name, known),
                        )
            elif any(cell.strip() for cell in row):
                if len(row) != len(heads):
                    raise _wrong(
                        Place(str(path), line),
                        tr("The row has {n} cells.", n=len(row)),
                        tr("{n} cells, as in the first line", n=len(heads)),
                    )
                yield line, {h: cell.strip() for h, cell in zip(heads, row, strict=True)}
    except csv.Error as error:
        raise _wrong(
            Place(str(path), reader.line_num), tr("This is no CSV: {w}.", w=error)
        ) from None


def _with_articles(document: Document, path: Path) -> Document:
    """Put the articles of a CSV file behind those of the store's own file."""
    own = document.data.get("articles") or []
    articles, marks = list(own), dict(document.values)
    for line, cells in _rows(path, tuple(Article.model_fields)):
        found: dict[str, Any] = {}
        where: KeyPath = ("articles", len(articles))
        for name, cell in cells.items():
            if cell:
                found[name] = _number(path, line, name, cell) if name in _NUMBERS else cell
        marks[where] = Mark(line, 1)
        articles.append(found)
    joined = {**document.data, "articles": articles}
    file = str(path) if not own else document.file
    return Document(file, joined, document.keys, marks)


def _number(path: Path, line: int, name: str, cell: str) -> float | int:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _wrong(
            Place(str(path), line), tr("{name} is “{cell}”.", name=name, cell=cell), tr("a number")
        )
    return int(value) if name == "lead_time" and value.is_integer() else value


def _demand(path: Path, stock: Stock, known: set[str]) -> dict[str, Floats]:
    days = 7 if stock.period == "week" else 1
    found: dict[str, dict[int, float]] = {article.id: {} for article in stock.articles}
    last = first = None
    for line, cells in _rows(path, _DEMAND):
        article = cells.get("article", "")
        if article not in known:
            continue  # the history may hold more than this store
        try:
            day = date.fromisoformat(cells.get("date", ""))
        except ValueError:
            raise _wrong(
                Place(str(path), line),
                tr("{cell} is no date.", cell=cells.get("date", "")),
                tr("a date such as 2026-11-25"),
            ) from None
        quantity = float(_number(path, line, "quantity", cells.get("quantity", "")))
        if quantity < 0:
            raise _wrong(Place(str(path), line), tr("The demand is below 0."), tr("0 or more"))
        period = (day - timedelta(days=day.weekday() if days == 7 else 0)).toordinal() // days
        found[article][period] = found[article].get(period, 0.0) + quantity
        last = period if last is None else max(last, period)
        first = period if first is None else min(first, period)
    if last is not None and first is not None and last - first > MOST_PERIODS:
        raise _wrong(
            Place(str(path)), tr("The demand spans more than {n} periods.", n=MOST_PERIODS)
        )
    return {name: _series(periods, last) for name, periods in found.items()}


def _series(periods: dict[int, float], last: int | None) -> Floats:
    if not periods or last is None:
        return np.zeros(0)
    first = min(periods)
    series = np.zeros(last - first + 1)
    for period, quantity in periods.items():
        series[period - first] = quantity
    return series


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_CSV:
            raise ConfigError(tr("{path} is too large.", path=path))
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            tr("{path} cannot be read: {why}.", path=path, why=error),
            mend=tr("Give a file in UTF-8."),
        ) from error
