"""Markdown from docstrings and tables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

HEAD = "Generated from the sources by `python dev.py docs`; do not edit.\n"


def plain(text: str) -> str:
    """Turn a docstring's markup into Markdown, paragraph by paragraph."""
    text = inspect.cleandoc(text)
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?([\w.]+)`", r"`\1`", text)
    text = text.replace("``", "`")
    return "\n\n".join(_paragraph(one) for one in re.split(r"\n\s*\n", text))


def line(text: str) -> str:
    """The same in one line, as a table's cell needs it."""
    text = re.sub(r"(Raises):\n\n- ", r"\1 ", plain(text))
    return " ".join(text.split()).replace("|", "\\|")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table; empty columns are left out."""
    rows = [list(row) for row in rows]
    used = [index for index in range(len(heads)) if any(row[index] for row in rows)]
    lines = [[heads[index] for index in used], ["---"] * len(used)]
    lines += [[row[index] for index in used] for row in rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def _paragraph(text: str) -> str:
    if re.match(r"(Args|Raises|Returns|Yields)[^:]*:\n", text):
        head, _, rest = text.partition("\n")
        items = re.split(r"\n(?= {4}\S)", f"\n{rest}")[1:]
        return f"{head}\n\n" + "\n".join(f"- {' '.join(_named(item).split())}" for item in items)
    if text.endswith("::"):
        return text[:-1]
    return text


def _named(item: str) -> str:
    return re.sub(r"^\s*([\w.]+):", r"`\1`:", item)
