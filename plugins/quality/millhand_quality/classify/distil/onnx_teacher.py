"""The teacher ``quality.onnx``: somebody's classifier as an ONNX file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from millhand.distil.dataset import Arrays
from millhand.distil.teachers.stated import StatedCard
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.graph import read_facts
from millhand.models.manifest import TeacherCard
from millhand_quality.classify.distil.teacher import LOGITS
from millhand_quality.inspect.runtime import open_session


class OnnxTeacherConfig(BaseModel):
    """Settings of the teacher ``quality.onnx``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path = Field(description="The ONNX file.")
    about: StatedCard = Field(description="Who the teacher is and by what right it is learnt from.")
    layout: Literal["hwc", "chw"] = Field(
        default="chw", description="Whether colours come last or first; a batch of one before."
    )
    scale: float = Field(default=255.0, gt=0, description="What pixels are divided by.")
    mean: tuple[float, float, float] = Field(
        default=(0.0, 0.0, 0.0), description="Taken off afterwards, for red, green and blue."
    )
    deviation: tuple[float, float, float] = Field(
        default=(1.0, 1.0, 1.0), description="Divided by afterwards."
    )
    gives: Literal["logits", "probabilities"] = Field(
        default="logits", description="What its first output holds."
    )


class OnnxTeacher:
    """Asks the model for each picture. Implements :class:`millhand.distil.roles.Teacher`."""

    Config: ClassVar[type[OnnxTeacherConfig]] = OnnxTeacherConfig

    def __init__(self, config: OnnxTeacherConfig) -> None:
        self._config = config
        self._session: Any = None

    def card(self) -> TeacherCard:
        """Return what the plan states, with the hash of the file."""
        return self._config.about.card("onnx", hashlib.sha256(self._read()).hexdigest())

    def label(self, items: Sequence[Arrays]) -> Sequence[Arrays]:
        """Return ``logits`` of each ``image`` ``(h, w, 3) uint8``.

        Raises:
            ConfigError: the model does not take such pictures.
            PackageError: the file is no graph that may be run.
        """
        return [{LOGITS: self._ask(np.asarray(item["image"], np.uint8))} for item in items]

    def close(self) -> None:
        """Give the session back."""
        self._session = None

    def _ask(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        config = self._config
        if self._session is None:
            graph = self._read()
            read_facts(graph, str(config.file))
            self._session = open_session(graph, 1)
        x = (pixels / config.scale - np.array(config.mean)) / np.array(config.deviation)
        x = x.transpose(2, 0, 1) if config.layout == "chw" else x
        name = self._session.get_inputs()[0].name
        try:
            found = self._session.run(None, {name: x[None].astype(np.float32)})[0]
        except Exception as error:  # the run time's own exceptions share no class
            raise ConfigError(
                tr("{file} does not take such pictures: {why}.", file=config.file, why=error),
                mend=tr("Look at its input, and at layout and size in the plan."),
            ) from error
        row = np.asarray(found, np.float64).reshape(-1)
        row = np.log(np.maximum(row, 1e-9)) if config.gives == "probabilities" else row
        return row.astype(np.float32)

    def _read(self) -> bytes:
        try:
            return self._config.file.read_bytes()
        except OSError as error:
            raise ConfigError(
                tr("The teacher {file} cannot be read: {why}.", file=self._config.file, why=error)
            ) from error
