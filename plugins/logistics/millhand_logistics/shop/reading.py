"""Reading a shop from YAML, and its orders from CSV, with everything that is wrong by line."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from millhand.errors import ConfigError, Place, Problem
from millhand.messages import did_you_mean, tr
from millhand.scenario.document import Document, KeyPath, Mark, read_document
from millhand.scenario.problems import problems_of
from millhand_logistics.shop.checks import problems
from millhand_logistics.shop.model import Shop

LARGEST_CSV = 20_000_000
"""Bytes of a file of orders."""
MOST_ROWS = 20_000
COLUMNS = (
    "order", "operation", "machine", "time", "due", "release", "weight", "product", "quantity",
    "lot", "hold", "family", "after", "interruptible",
)  # fmt: skip
"""Columns of a file of orders; the first four must be there."""
_OF_ORDER = ("due", "release", "weight", "product", "quantity", "lot", "hold")
_NUMBERS = frozenset({"weight", "quantity"})


def load_shop(path: Path) -> Shop:
    """Read a shop from a YAML file, and the orders from the CSV file that it may name.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong; carries every problem found.
    """
    document = read_document(_text(path, LARGEST_CSV), str(path))
    data = document.data
    if not isinstance(data, dict):
        raise ConfigError.of(
            (Problem(Place(str(path)), tr("The file holds no shop."), tr("millhand_shop: 1 …")),)
        )
    name = data.get("orders_from")
    if not isinstance(name, str):
        return shop_of(document)
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ConfigError.of(
            (Problem(document.place(("orders_from",)), tr("The path leads out of the folder.")),)
        )
    return shop_of(document, orders_document(path.parent / name))


def shop_text(text: str, file: str = "shop.yaml") -> Shop:
    """Read a shop from YAML text; ``file`` is what errors call it.

    Raises:
        ConfigError: something in it is wrong; carries every problem found.
    """
    return shop_of(read_document(text, file))


def shop_of(document: Document, more: Document | None = None) -> Shop:
    """Validate a shop that was read, with the orders of another document behind its own.

    Raises:
        ConfigError: something in it is wrong; carries every problem found.
    """
    if more is not None:
        document = _joined(document, more)
    try:
        shop = Shop.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError.of(problems_of(error, Shop, document)) from None
    found = tuple(problems(shop, document))
    if found:
        raise ConfigError.of(found)
    return shop


@dataclass(frozen=True, kw_only=True)
class _JoinedDocument(Document):
    """A shop's file with the orders of another; each part says which file it stands in."""

    more: Document
    own: int

    def place(self, path: KeyPath, *, of_key: bool = False) -> Place:
        """Return where ``path`` stands, in whichever file."""
        if len(path) > 1 and path[0] == "orders" and isinstance(path[1], int):
            index = path[1] - self.own
            if index >= 0:
                return self.more.place(("orders", index, *path[2:]), of_key=of_key)
        return super().place(path, of_key=of_key)


def _joined(first: Document, more: Document) -> Document:
    own = first.data.get("orders") or []
    if not isinstance(own, list):
        return first
    data = {**first.data, "orders": [*own, *more.data["orders"]]}
    return _JoinedDocument(first.file, data, first.keys, first.values, more=more, own=len(own))


def orders_document(path: Path) -> Document:
    """Read orders from CSV: a row for each operation, rows of one order behind one another.

    Comma, semicolon or tab; UTF-8. ``machine`` and ``time`` may name alternatives with ``|``.

    Raises:
        ConfigError: it cannot be read, or a row is wrong; with its line.
    """
    text = _text(path, LARGEST_CSV)
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows = _Rows(str(path))
    try:
        for row in reader:
            rows.take(reader.line_num, row)
    except csv.Error as error:
        raise rows.error(reader.line_num, tr("This is no CSV: {why}.", why=error)) from error
    return rows.document()


class _Rows:
    def __init__(self, file: str) -> None:
        self._file = file
        self._columns: list[str] = []
        self._orders: list[dict[str, Any]] = []
        self._marks: dict[KeyPath, Mark] = {}
        self._problems: list[Problem] = []

    def error(self, line: int, message: str, expected: str = "", mend: str = "") -> ConfigError:
        return ConfigError.of((Problem(Place(self._file, line), message, expected, mend),))

    def take(self, line: int, row: list[str]) -> None:
        if not self._columns:
            self._columns = self._header(line, [cell.strip() for cell in row])
            return
        if not any(cell.strip() for cell in row):
            return
        if len(row) != len(self._columns):
            raise self.error(
                line,
                tr("The row has {n} cells.", n=len(row)),
                tr("{n} cells, as in the first line", n=len(self._columns)),
                tr("Put a text that holds the separator in quotes."),
            )
        cells = {name: cell.strip() for name, cell in zip(self._columns, row, strict=True)}
        self._operation(line, {name: cell for name, cell in cells.items() if cell})
        if sum(len(order["operations"]) for order in self._orders) > MOST_ROWS:
            raise self.error(line, tr("There are too many rows."), tr("{n} rows", n=MOST_ROWS))

    def _header(self, line: int, names: list[str]) -> list[str]:
        for name in names:
            if name not in COLUMNS:
                raise self.error(
                    line,
                    tr("The column “{name}” is not known.", name=name),
                    tr("columns among: {names}", names=", ".join(COLUMNS)),
                    did_you_mean(name, COLUMNS),
                )
        missing = [name for name in COLUMNS[:4] if name not in names]
        if missing or len(set(names)) < len(names):
            raise self.error(
                line,
                tr("The first line does not name each column once."),
                tr("at least {names}", names=", ".join(COLUMNS[:4])),
            )
        return names

    def _operation(self, line: int, cells: dict[str, str]) -> None:
        order_id = cells.get("order", "")
        if not self._orders or self._orders[-1]["id"] != order_id:
            self._order(line, order_id, cells)
        order = self._orders[-1]
        operation: dict[str, Any] = {"id": cells.get("operation", "")}
        machines = [part.strip() for part in cells.get("machine", "").split("|")]
        times = [part.strip() for part in cells.get("time", "").split("|")]
        if len(machines) == 1 and len(times) == 1:
            operation |= {"machine": machines[0], "time": times[0]}
        elif len(times) in {1, len(machines)}:
            times = times * len(machines) if len(times) == 1 else times
            operation["machines"] = dict(zip(machines, times, strict=True))
        else:
            raise self.error(
                line,
                tr("{n} machines, but {m} times.", n=len(machines), m=len(times)),
                tr("one time, or one for each machine"),
            )
        if "family" in cells:
            operation["family"] = cells["family"]
        if "after" in cells:
            operation["after"] = [] if cells["after"] == "-" else cells["after"].split("|")
        if "interruptible" in cells:
            operation["interruptible"] = {"true": True, "false": False}.get(
                cells["interruptible"].lower(), cells["interruptible"]
            )
        path: KeyPath = ("orders", len(self._orders) - 1, "operations", len(order["operations"]))
        order["operations"].append(operation)
        self._mark(line, path, operation)

    def _order(self, line: int, order_id: str, cells: dict[str, str]) -> None:
        found: dict[str, Any] = {"id": order_id}
        for name in _OF_ORDER:
            if name in cells:
                found[name] = self._number(line, name, cells[name])
        self._orders.append({**found, "operations": []})
        self._mark(line, ("orders", len(self._orders) - 1), found)

    def _number(self, line: int, name: str, cell: str) -> str | float:
        if name not in _NUMBERS:
            return cell
        try:
            return float(cell)
        except ValueError as error:
            raise self.error(
                line, tr("{name} is “{cell}”.", name=name, cell=cell), tr("a number")
            ) from error

    def _mark(self, line: int, path: KeyPath, keys: dict[str, Any]) -> None:
        self._marks[path] = Mark(line, 1)
        for key in keys:
            column = self._columns.index(key) + 1 if key in self._columns else 1
            self._marks[*path, key] = Mark(line, column)

    def document(self) -> Document:
        return Document(self._file, {"orders": self._orders}, {}, self._marks)


def _text(path: Path, largest: int) -> str:
    try:
        if path.stat().st_size > largest:
            raise ConfigError(tr("{path} is too large.", path=path), mend=tr("Split it."))
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            tr("{path} is no UTF-8 text.", path=path), mend=tr("Save it as UTF-8.")
        ) from error
    except OSError as error:
        raise ConfigError(
            tr("{path} cannot be read: {why}.", path=path, why=error.strerror),
            mend=tr("Give the path of a shop in YAML."),
        ) from error
