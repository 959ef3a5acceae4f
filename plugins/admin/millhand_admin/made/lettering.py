"""Text drawn on a picture, each letter in a font that has it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from millhand.errors import ConfigError
from millhand.messages import tr

_FOLDERS = ("/usr/share/fonts", "/usr/share/fonts-droid-fallback", "/usr/local/share/fonts")
CHINESE = ("DroidSansFallbackFull.ttf", "DroidSansFallback.ttf", "NotoSansCJK-Regular.ttc")
_WIDE = 0x2E7F


class Pen:
    """Draws text with two fonts.

    Args:
        latin: names of font files, the first that is installed is taken.
        chinese: the same, for Chinese characters.
        size: height of a line of text in pixels.

    Raises:
        ConfigError: no such font is installed.
    """

    def __init__(self, latin: tuple[str, ...], chinese: tuple[str, ...], size: int) -> None:
        self.size = size
        self._latin = _font(latin, size)
        self._names = chinese

    def width(self, text: str) -> float:
        """Return how wide a text is, in pixels."""
        return sum(self._font(part).getlength(part) for part in _runs(text))

    def draw(self, on: ImageDraw.ImageDraw, x: float, y: float, text: str, ink: int = 25) -> None:
        """Draw a text whose baseline lies ``size`` below ``y``."""
        for part in _runs(text):
            font = self._font(part)
            on.text((x, y + self.size), part, fill=ink, font=font, anchor="ls")
            x += font.getlength(part)

    def _font(self, part: str) -> ImageFont.FreeTypeFont:
        return _font(self._names, self.size) if ord(part[0]) > _WIDE else self._latin


def _runs(text: str) -> list[str]:
    runs: list[str] = []
    for letter in text:
        if runs and (ord(runs[-1][0]) > _WIDE) is (ord(letter) > _WIDE):
            runs[-1] += letter
        else:
            runs.append(letter)
    return runs


@lru_cache(maxsize=64)
def _font(names: tuple[str, ...], size: int) -> ImageFont.FreeTypeFont:
    for name in names:
        path = _file(name)
        if path is not None:
            return ImageFont.truetype(str(path), size)
    raise ConfigError(
        tr("No font of {names} is installed.", names=", ".join(names)),
        mend=tr("On Debian: apt install fonts-noto-core fonts-droid-fallback"),
    )


@lru_cache(maxsize=64)
def _file(name: str) -> Path | None:
    return next((path for folder in _FOLDERS for path in sorted(Path(folder).rglob(name))), None)


def blank(width: int, height: int) -> Image.Image:
    """Return a sheet of paper."""
    return Image.new("L", (width, height), 250)
