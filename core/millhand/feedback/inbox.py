"""The inbox for people's answers: how they reach the one writer of the journal.

A journal has one writer, the running engine. Whoever else has an answer (the command line, another
console) puts it as a file of its own into the folder ``inbox`` beside the journal, complete or not
at all: written under another name, made durable, then renamed. The engine reads the folder a few
times a second, appends what is right to the journal and deletes the file; what is wrong goes to
``inbox/refused`` with the reason beside it. An answer given while no engine runs waits there.

Whoever may write into the folder may answer, so it is made for its owner alone (mode 0700).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar, overload

import msgspec
from msgspec import Struct
from structlog import get_logger

from millhand.contracts.codec import to_json
from millhand.errors import Unavailable
from millhand.journal.records import AnswerKind, Review
from millhand.messages import tr

log = get_logger(__name__)

T = TypeVar("T")

REFUSED = "refused"
_SUFFIX = ".json"
_LARGEST_BYTES = 65_536
_MOST_AT_ONCE = 1000


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer on its way to the journal."""

    question: str
    decision: str
    answer: AnswerKind
    label: str = ""
    by: str
    note: str = ""
    at_utc_ns: int
    """When the person gave it."""

    @property
    def review(self) -> Review:
        """The record that the journal gets."""
        return Review(
            question=self.question,
            decision=self.decision,
            answer=self.answer,
            label=self.label,
            by=self.by,
            note=self.note,
        )


class Timed(Protocol):
    """Any answer: it says when it was given."""

    @property
    def at_utc_ns(self) -> int:
        """When the person gave it."""
        ...


_decode = msgspec.json.Decoder(Answer).decode


def put(folder: Path, answer: Timed) -> Path:
    """Leave an answer for the engine; on return it is on disk.

    Raises:
        Unavailable: the folder cannot be written to.
    """
    name = f"{answer.at_utc_ns:020d}-{uuid.uuid4().hex}"
    unfinished, file = folder / f".{name}", folder / (name + _SUFFIX)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with unfinished.open("xb") as stream:
            stream.write(to_json(answer) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)
        _sync(folder)
    except OSError as error:
        raise Unavailable(
            tr("The answer cannot be left in {folder}: {reason}.", folder=folder, reason=error)
        ) from error
    return file


@overload
def read(folder: Path) -> Iterator[tuple[Path, Answer | str]]: ...
@overload
def read(folder: Path, decode: Callable[[bytes], T]) -> Iterator[tuple[Path, T | str]]: ...
def read(folder: Path, decode: Callable[[bytes], Any] = _decode) -> Iterator[tuple[Path, Any]]:
    """Yield the files that wait, the oldest first, each with its answer or with what is wrong."""
    try:
        names = sorted(
            entry.name
            for entry in os.scandir(folder)
            if entry.name.endswith(_SUFFIX) and not entry.name.startswith(".")
        )
    except FileNotFoundError:
        return
    for name in names[:_MOST_AT_ONCE]:
        found = _read(folder / name, decode)
        if found is not None:
            yield folder / name, found


def waiting(folder: Path) -> list[Answer]:
    """Return the answers that wait for the engine and can be read."""
    return [found for _, found in read(folder) if isinstance(found, Answer)]


def put_aside(file: Path, reason: str) -> None:
    """Move a file that cannot be taken up out of the way, with the reason beside it."""
    log.warning("answer_refused", file=file.name, reason=reason)
    refused = file.parent / REFUSED
    refused.mkdir(mode=0o700, exist_ok=True)
    (refused / f"{file.stem}.reason.txt").write_text(reason + "\n", encoding="utf-8")
    file.replace(refused / file.name)


def _read(file: Path, decode: Callable[[bytes], T]) -> T | str | None:
    try:
        if file.is_symlink() or not file.is_file():
            return tr("It is no plain file.")
        with file.open("rb") as stream:
            data = stream.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            return tr("It is too large.")
        return decode(data)
    except FileNotFoundError:
        return None  # somebody else has taken it up
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return str(error)


def _sync(folder: Path) -> None:
    """Make a rename durable, where folders can be synced (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
