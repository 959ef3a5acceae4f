"""The form of a backup: one ZIP file with a manifest that names every file with size and hash.

::

    manifest.json
    scenario/scenario.yaml, scenario/models/…      the scenario's folder, without secrets
    state/journal.sqlite                           a consistent copy of the journal
    state/blobs/ab/ab…ef.png                       pictures and documents
    state/inbox/…json                              people's answers that still wait
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec
from msgspec import Struct

from millhand.errors import PackageError
from millhand.journal.chain import ChainHead
from millhand.messages import tr

FORMAT = "millhand-backup/1"
MANIFEST = "manifest.json"
SCENARIO, STATE = "scenario/", "state/"
LARGEST_MANIFEST = 256 * 2**20
_NAME = re.compile(r"(?:scenario|state)(?:/[^/\\:\0-\x1f]+)+")
_DOTS = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")


class Why(StrEnum):
    """Why something is not in a backup."""

    SECRET = "secret"  # noqa: S105 - a reason, not a secret
    """The scenario refers to it as a secret, or it holds one."""
    KEY = "key"
    """A private key."""
    LINK = "link"
    """A link, or no ordinary file."""
    PASSING = "passing"
    """Caches, lock files, version control: they are made again."""
    ELSEWHERE = "elsewhere"
    """It lies in a database, which has a backup of its own."""


class LeftOut(Struct, frozen=True, kw_only=True):
    """Something that the backup does not hold, and why."""

    name: str
    why: Why


class Packed(Struct, frozen=True, kw_only=True):
    """One file in the archive."""

    size: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds."""

    format: str
    cell: str
    scenario_file: str
    """Name of the scenario's file below ``scenario/``."""
    journal_folder: str
    """The scenario's own folder for journal and pictures."""
    millhand: str
    made_utc_ns: int
    head: ChainHead | None = None
    """The end of the journal's chain in this copy; None without a journal."""
    files: dict[str, Packed]
    left_out: tuple[LeftOut, ...] = ()
    gone: int = 0
    """Pictures whose time was up while the backup was made."""


_decode = msgspec.json.Decoder(Manifest).decode


def damaged(reason: str) -> PackageError:
    """Return the error of a file that is no whole backup."""
    return PackageError(
        tr("This is no whole backup: {reason}", reason=reason),
        fault="backup",
        mend=tr("Copy it again from where it was kept, or use another one."),
    )


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest that is not to be trusted.

    Raises:
        PackageError: it is none, of another version, or names a place outside the archive.
    """
    try:
        manifest = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise damaged(tr("its manifest cannot be read ({reason})", reason=error)) from error
    if manifest.format != FORMAT:
        raise damaged(tr("its form is {form}, not {known}", form=manifest.format, known=FORMAT))
    for name, packed in manifest.files.items():
        if not _NAME.fullmatch(name) or _DOTS.search(name) or packed.size < 0:
            raise damaged(tr("it names {name}", name=repr(name)[:200]))
    return manifest
