"""Reading a folder of pictures in the MVTec layout.

::

    DIR/train/good/*                     good pictures to fit on
    DIR/test/good/*, DIR/test/<defect>/* optional: held-out pictures, never fitted on
    DIR/ground_truth/<defect>/<stem>_mask.png   optional: where the defects are

A folder with pictures and nothing else is taken as good pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from millhand.errors import ConfigError
from millhand.messages import tr

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})
PICTURES_LIMIT = 20_000
"""Most pictures read from one folder; more is taken for a mistake."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A picture's file and the physical part it shows (its own stem where nothing says)."""

    path: Path
    part: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The pictures of one product."""

    root: Path
    good: tuple[Listed, ...]
    test_good: tuple[Listed, ...] = ()
    test_defects: dict[str, tuple[Listed, ...]] = field(default_factory=dict)

    def mask_of(self, kind: str, picture: Path) -> Path | None:
        """Return where the mask of a defective picture lies, if there is one."""
        folder = self.root / "ground_truth" / kind
        for name in (f"{picture.stem}_mask.png", f"{picture.stem}.png"):
            if (folder / name).is_file():
                return folder / name
        return None


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = sorted(
        path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    if len(found) > PICTURES_LIMIT:
        raise ConfigError(
            tr(
                "{folder} holds {count} pictures; at most {limit} are read.",
                folder=folder,
                count=len(found),
                limit=PICTURES_LIMIT,
            ),
            mend=tr("Name the folder of one product, or move some pictures out."),
        )
    return found


def _part_pattern(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            tr(
                "The part pattern {pattern} is no regular expression: {why}.",
                pattern=pattern,
                why=error,
            )
        ) from error
    if compiled.groups < 1:
        raise ConfigError(
            tr("The part pattern {pattern} has no group.", pattern=pattern),
            mend=tr("Put the part's name in brackets, as in ^(part[0-9]+)_."),
        )
    return compiled


def _listed(paths: Iterable[Path], pattern: re.Pattern[str] | None) -> tuple[Listed, ...]:
    listed = []
    for path in paths:
        part = path.stem
        if pattern is not None:
            match = pattern.search(path.name)
            if match is None:
                raise ConfigError(
                    tr(
                        "The part pattern {pattern} does not match {name}.",
                        pattern=pattern.pattern,
                        name=path.name,
                    ),
                    mend=tr("Every picture must say which part it shows."),
                )
            part = match.group(1)
        listed.append(Listed(path, part))
    return tuple(listed)


def read_layout(root: Path, part_pattern: str | None = None) -> Layout:
    """List the pictures below ``root``; nothing is opened yet.

    Args:
        root: folder in the MVTec layout, or one with good pictures only.
        part_pattern: regular expression whose first group, found in a file's name, names the
            physical part; without it every picture is taken for a part of its own.

    Raises:
        ConfigError: no such folder, no pictures, or a pattern that does not fit.
    """
    if not root.is_dir():
        raise ConfigError(tr("There is no folder {folder}.", folder=root))
    pattern = _part_pattern(part_pattern)
    good = _pictures(root / "train" / "good") or _pictures(root / "good") or _pictures(root)
    if not good:
        raise ConfigError(
            tr("No good pictures were found under {folder}.", folder=root),
            mend=tr("Put pictures of good parts into {path}.", path=root / "train" / "good"),
        )
    defects = {}
    test = root / "test"
    for folder in sorted(test.iterdir()) if test.is_dir() else []:
        if folder.is_dir() and folder.name != "good" and (pictures := _pictures(folder)):
            defects[folder.name] = _listed(pictures, pattern)
    return Layout(
        root=root,
        good=_listed(good, pattern),
        test_good=_listed(_pictures(test / "good"), pattern),
        test_defects=defects,
    )
