"""Take the pictures of reports again: ``python docs/make_paper_images.py RUN``.

``RUN`` is the folder of a run of ``scenarios/whole_plant``. Writes the first page of its shift
report in Vietnamese, its 8D in Chinese and its NCR in English to ``docs/images``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pypdfium2
from PIL import Image, ImageChops

IMAGES = Path(__file__).resolve().parent / "images"
LOT = "H53396"
TAKEN = {
    "shift-vi.png": ("vi", "shift", []),
    "8d-zh.png": ("zh", "8d", ["--subject", LOT]),
    "ncr.png": ("en", "ncr", ["--subject", LOT]),
}
SCALE, MARGIN, COLOURS = 1.1, 24, 32


def first_page(run: Path, language: str, kind: str, more: list[str]) -> Image.Image:
    """Write a report as PDF, as a user does, and draw its first page."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.pdf"
        command = [sys.executable, "-m", "millhand.cli", "papers", "report", kind,
                   "--at", str(run), "--out", str(file), *more]  # fmt: skip
        spoken = {**os.environ, "LANGUAGE": language, "LC_ALL": "C.UTF-8"}
        subprocess.run(command, check=True, env=spoken)  # noqa: S603
        document = pypdfium2.PdfDocument(file.read_bytes())
        return document[0].render(scale=SCALE).to_pil().convert("RGB")


def trimmed(page: Image.Image) -> Image.Image:
    """Cut off white paper and the page's number."""
    width, height = page.size
    page = page.crop((0, 0, width, round(height * 0.94)))
    box = ImageChops.difference(page, Image.new("RGB", page.size, "white")).getbbox()
    if box is None:
        return page
    left, top, right, bottom = box
    wide, high = page.size
    return page.crop((max(left - MARGIN, 0), max(top - MARGIN, 0), min(right + MARGIN, wide),
                      min(bottom + MARGIN, high)))  # fmt: skip


def main(arguments: list[str]) -> None:
    """Take the pictures."""
    if len(arguments) != 1:
        sys.exit(__doc__)
    for name, (language, kind, more) in TAKEN.items():
        page = trimmed(first_page(Path(arguments[0]), language, kind, more))
        few = page.quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
