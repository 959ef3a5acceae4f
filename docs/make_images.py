"""Take the pictures in the documentation again: ``python docs/make_images.py [RUN]``.

Runs the demo (or takes the folder of a run that is there), opens its report in a headless
Chromium and writes ``docs/images/report.png`` and ``report-dark.png``. Chromium is found on the
path, or named by ``CHROMIUM``. Let the machine rest meanwhile: the report shows real times.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1200, 1130
"""What of the report is shown, from its top, in pixels."""
COLOURS = 128
_DARK = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]


def chromium() -> str:
    """Find the browser."""
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    sys.exit("Chromium was not found. On Debian and Ubuntu: sudo apt install chromium")


def run_demo(folder: Path) -> None:
    """Run the demo as it ships."""
    command = [sys.executable, "-m", "millhand.cli", "demo", "--folder", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "LANGUAGE": "en"})  # noqa: S603


def photograph(page: Path, picture: Path, *options: str) -> None:
    """Write what a browser shows of a page, in few colours, so that the file stays small."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            *(chromium(), "--headless", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}"),
            *(f"--screenshot={picture}", *options, page.resolve().as_uri()),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    with Image.open(picture) as shot:
        few = shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)


def main(arguments: list[str]) -> None:
    """Take the pictures of the run that is named, or of a new one."""
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(arguments[0]) if arguments else Path(temporary) / "run"
        if not arguments:
            run_demo(run)
        photograph(run / "report.html", IMAGES / "report.png")
        photograph(run / "report.html", IMAGES / "report-dark.png", *_DARK)


if __name__ == "__main__":
    main(sys.argv[1:])
