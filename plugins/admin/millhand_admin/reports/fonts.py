"""Fonts for PDF: TrueType files of the system, chosen by the characters they have.

Latin with Vietnamese: Noto Sans (OFL) or DejaVu. Chinese: Droid Sans Fallback (Apache-2.0),
WenQuanYi or another with TrueType outlines; the CFF outlines of Noto Sans CJK cannot be embedded.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape

from millhand.errors import ConfigError
from millhand.messages import tr

_LATIN = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "arial.ttf")
_CHINESE = ("DroidSansFallbackFull.ttf", "DroidSansFallback.ttf", "wqy-zenhei.ttc",
            "wqy-microhei.ttc", "simhei.ttf", "msyh.ttc")  # fmt: skip
_FOLDERS = {
    "linux": ("/usr/share/fonts", "/usr/share/fonts-droid-fallback", "/usr/local/share/fonts"),
    "darwin": ("/Library/Fonts", "/System/Library/Fonts"),
    "win32": ("C:/Windows/Fonts",),
}
LATIN, CHINESE = "millhand-latin", "millhand-chinese"


@lru_cache(maxsize=1)
def register() -> tuple[frozenset[int], frozenset[int]]:
    """Register the fonts with reportlab; return the characters that each has.

    Raises:
        ConfigError: no font with Vietnamese letters is installed.
    """
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    found: list[frozenset[int]] = []
    for name, files in ((LATIN, _LATIN), (CHINESE, _CHINESE)):
        characters: frozenset[int] = frozenset()
        for path in _candidates(files):
            try:
                font = TTFont(name, str(path))
            except (TTFError, OSError):
                continue
            pdfmetrics.registerFont(font)
            characters = frozenset(font.face.charToGlyph)
            break
        found.append(characters)
    if ord("ế") not in found[0]:
        raise ConfigError(
            tr("No font with Vietnamese letters is installed."),
            mend=tr("On Debian: apt install fonts-noto-core fonts-droid-fallback"),
        )
    return found[0], found[1]


def _candidates(files: tuple[str, ...]) -> list[Path]:
    folders = [Path(one) for one in _FOLDERS.get(sys.platform, ())]
    return [
        path for name in files for folder in folders if folder.is_dir()
        for path in sorted(folder.rglob(name))
    ]  # fmt: skip


def marked_up(text: str) -> str:
    """Return text as reportlab's markup, each run in a font that has its characters."""
    latin, chinese = register()
    runs: list[tuple[str, str]] = []
    for letter in text:
        code = ord(letter)
        font = CHINESE if code not in latin and code in chinese else LATIN
        shown = letter if code in latin or code in chinese else "□"
        if runs and runs[-1][0] == font:
            runs[-1] = (font, runs[-1][1] + shown)
        else:
            runs.append((font, shown))
    return "".join(f'<font name="{font}">{escape(run)}</font>' for font, run in runs)
