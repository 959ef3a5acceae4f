"""Real pictures of receipts: lines exact, CPU and memory; and the pages for ``admin_fields.py``.

    python tests/benchmarks/admin_receipts.py --data sroie/data --record pages.jsonl
    python tests/benchmarks/admin_fields.py --data sroie/data --pages pages.jsonl

The pictures of SROIE (ICDAR 2019) are scans of crumpled, faded, stamped receipts, read here as the
clerk reads them. A line of the data set is exact when a run of neighbouring words is the same but
for case, spaces and width, as the data set is written in capitals. Small marks are often not what
they were, and the data set has misprints of its own: so exact in letters and digits is told, too.
Pages that were recorded are not read again. Intervals are Clopper-Pearson, 95 %, as if lines were
independent, which those of one receipt are not. One thread.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from admin_ocr import folded, runs
from admin_scans import cpu, memory_mb, told

from millhand_admin.paper.fact import Box, Method
from millhand_admin.reading.limits import Limits
from millhand_admin.reading.ocr.charset import Language
from millhand_admin.reading.ocr.reader import Reader
from millhand_admin.reading.page import Cell, Page, TextLine
from millhand_admin.reading.picture import grey_picture


def page_of(row: dict[str, Any]) -> Page:
    """Return a recorded page."""
    lines = tuple(
        TextLine(tuple(
            Cell(text, Box(left=box[0], top=box[1], right=box[2], bottom=box[3]), sure)
            for text, box, sure in cells
        ))
        for cells in row["lines"]
    )  # fmt: skip
    return Page(1, row["aspect"], lines, Method.OCR, row["note"])


def row_of(name: str, page: Page, took: float) -> dict[str, Any]:
    """Return what is recorded of a page."""
    lines = [
        [
            (one.text, (one.box.left, one.box.top, one.box.right, one.box.bottom), one.confidence)
            for one in line.cells
        ]
        for line in page.lines
    ]
    return {"name": name, "aspect": page.aspect, "note": page.note, "lines": lines,
            "cpu_s": took, "memory_mb": memory_mb()}  # fmt: skip


def recorded(file: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of earlier runs by the picture's name."""
    if not file.exists():
        return {}
    rows = (json.loads(row) for row in file.read_text(encoding="utf-8").splitlines())
    return {row["name"]: row for row in rows}


def truth_of(file: Path) -> list[str]:
    """Return the lines that the data set says are on a receipt."""
    rows = file.read_text("utf-8", errors="replace").splitlines()
    parts = [row.split(",", 8) for row in rows]
    return [part[8].strip() for part in parts if len(part) == 9 and part[8].strip()]


def plain(text: str) -> str:
    """Without case, spaces and width."""
    return "".join(folded(text).casefold().split())


def letters(text: str) -> str:
    """Letters and digits alone."""
    return "".join(one for one in plain(text) if one.isalnum())


def exact(page: Page, truth: Sequence[str], alike: Callable[[str], str]) -> int:
    """Count the lines that are somewhere on the page."""
    if not page.lines:
        return 0
    found = {alike(one) for one in runs(page, max(map(len, truth)))}
    return sum(alike(line) in found for line in truth)


def main(arguments: list[str]) -> None:
    """Read what is not recorded yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True, help="file that pages are kept in")
    parser.add_argument("--pictures", type=int, default=1000, help="at most")
    given = parser.parse_args(arguments)
    rows = recorded(given.record)
    reader = Reader(tuple(Language))
    # The last digits come first, so that a part of the pictures is spread over the data set.
    pictures = sorted((given.data / "img").glob("*.jpg"), key=lambda one: one.stem[::-1])
    for picture in pictures[: given.pictures]:
        if picture.stem in rows:
            continue
        begun = cpu()
        page = reader.read(grey_picture(picture.read_bytes(), Limits()), 1)
        rows[picture.stem] = row_of(picture.stem, page, cpu() - begun)
        with given.record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rows[picture.stem]) + "\n")
    report(given.data, rows)


def report(data: Path, rows: dict[str, dict[str, Any]]) -> None:
    """Print the table."""
    truths = {name: truth_of(data / "box" / f"{name}.csv") for name in rows}
    total = sum(map(len, truths.values()))
    print(f"{len(rows)} pictures\n\n| lines | exact |\n|---|---|")
    for what, alike in (("case and spaces apart", plain), ("letters and digits", letters)):
        right = sum(exact(page_of(row), truths[name], alike) for name, row in rows.items())
        print(f"| {what} | {told(right, total)} |")
    ordered = sorted(row["cpu_s"] for row in rows.values())
    p95 = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    half, memory = ordered[len(ordered) // 2], max(row["memory_mb"] for row in rows.values())
    print(f"\nCPU-s a page: p50 {half:.2f}, p95 {p95:.2f}, worst {ordered[-1]:.2f}.")
    print(f"Memory: {memory:.0f} MB.")


if __name__ == "__main__":
    main(sys.argv[1:])
