"""People as a teacher: what they have said of each item, softly where they disagreed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from millhand.distil.dataset import Arrays
from millhand.distil.teachers.content import content_key
from millhand.distil.teachers.ensemble import LOGITS
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import Permission, TeacherCard


class Said(BaseModel):
    """A line of the file: what somebody said of one item."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    content: str = Field(pattern=r"^[0-9a-f]{64}$", description="Key of what was shown.")
    label: str
    by: str = ""


class PeopleConfig(BaseModel):
    """Settings of :class:`People`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path = Field(
        description="Labels, a line of JSON each: {content: key of the item, label: …, by: …}."
    )
    classes: tuple[str, ...] = Field(
        min_length=2, description="Labels, in the order of the output."
    )
    doubt: float = Field(
        default=0.5, gt=0, description="Votes that each class has beforehand: nobody is sure."
    )


class People:
    """Gives each item the shares of the votes that it got.

    Implements :class:`millhand.distil.roles.Teacher`.
    """

    Config: ClassVar[type[PeopleConfig]] = PeopleConfig

    def __init__(self, config: PeopleConfig) -> None:
        self._config = config
        self._votes: dict[str, Counter[str]] | None = None
        self._names: set[str] = set()

    def card(self) -> TeacherCard:
        """Name those who labelled; their word is their employer's own work."""
        self._read()
        names = ", ".join(sorted(self._names)) or tr("persons who are not named")
        return TeacherCard(
            id=tr("labels by {names}", names=names),
            kind="person",
            licence="LicenseRef-own-work",
            permission=Permission.GRANTED,
            evidence=tr(
                "Labels given by people in {file}, the owner's own work.", file=self._config.file
            ),
            stated_by=names,
        )

    def label(self, items: Sequence[Arrays]) -> Sequence[Arrays]:
        """Return ``logits`` of each item.

        Raises:
            ConfigError: nobody has labelled one, or a label is none of the classes.
        """
        return [{LOGITS: self._logits(content_key(item))} for item in items]

    def close(self) -> None:
        """Forget what was read."""
        self._votes = None

    def _logits(self, key: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        votes = self._read().get(key)
        if not votes:
            raise ConfigError(
                tr("Nobody has labelled the item {key}.", key=key[:12]),
                mend=tr("Label it, or take it from the shelf."),
            )
        classes = self._config.classes
        counts = np.array([votes[name] + self._config.doubt for name in classes], np.float64)
        return np.asarray(np.log(counts / counts.sum()), np.float32)

    def _read(self) -> dict[str, Counter[str]]:
        if self._votes is None:
            self._votes = {}
            for number, line in enumerate(self._lines(), 1):
                said = self._said(number, line)
                self._votes.setdefault(said.content, Counter())[said.label] += 1
                self._names |= {said.by} - {""}
        return self._votes

    def _lines(self) -> list[str]:
        try:
            text = self._config.file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                tr("The labels in {path} cannot be read: {why}.", path=self._config.file, why=error)
            ) from error
        return [line for line in text.splitlines() if line.strip()]

    def _said(self, number: int, line: str) -> Said:
        try:
            said = Said.model_validate(json.loads(line))
            known = said.label in self._config.classes
        except (ValueError, ValidationError) as error:
            raise ConfigError(
                tr("{path}, line {n}: {why}", path=self._config.file, n=number, why=error)
            ) from error
        if not known:
            raise ConfigError(
                tr(
                    "{path}, line {n}: “{label}” is none of the classes.",
                    path=self._config.file,
                    n=number,
                    label=said.label,
                ),
                mend=tr("They are: {names}.", names=", ".join(self._config.classes)),
            )
        return said
