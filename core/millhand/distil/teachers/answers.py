"""Answers that were paid for, kept on disk: none is paid for twice, and the budget counts them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from millhand.contracts.codec import to_json
from millhand.errors import ConfigError
from millhand.messages import tr


class Answer(Struct, frozen=True, kw_only=True):
    """One answer with what it cost."""

    shares: dict[str, float]
    """Probability of each choice."""
    cost: float
    """In the budget's currency."""


class Answers:
    """A folder of answers by the hash of their question. Each is written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Answer | None:
        """Return an answer; one that is damaged counts as not there."""
        try:
            return msgspec.json.decode(self._path(key).read_bytes(), type=Answer)
        except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer, durably.

        Raises:
            ConfigError: the folder cannot be written.
        """
        path = self._path(key)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("xb") as file:
                file.write(to_json(answer))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:
            raise ConfigError(
                tr("The answer cannot be kept in {path}: {why}.", path=self._folder, why=error),
                mend=tr("Make room, or name another folder under “cache:”."),
            ) from error

    def spent(self) -> tuple[int, float]:
        """Return how many answers there are and what they cost, over all runs."""
        found = [answer for answer in self._all() if answer is not None]
        return len(found), sum(answer.cost for answer in found)

    def _all(self) -> Iterator[Answer | None]:
        for path in self._folder.glob("??/*.json"):
            yield self.get(path.stem)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
