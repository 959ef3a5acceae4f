"""What the teacher says of every view, asked once and kept in the lesson's workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millhand.distil.roles import Lesson
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.classify.distil.teacher import LOGITS, StudyingTeacher

Asked = Callable[[NDArray[Any]], NDArray[np.float32]]

UNLABELLED = -1
"""Target of an item of which only the teacher's answer is known."""
_AT_ONCE = 256


def taught_by(
    lesson: Lesson,
    name: str,
    views: NDArray[Any],
    targets: NDArray[np.int64],
    classes: int,
    say: Callable[..., None],
) -> NDArray[np.float32]:
    """Let the teacher study where it must; return its logits ``(items, views, classes)``.

    ``name`` is that of the array which the teacher looks at.

    Raises:
        ConfigError: it answers with another number of classes.
    """
    teacher: object = lesson.teacher
    if isinstance(teacher, StudyingTeacher):
        features = _kept(lesson.workspace / "features.npy", views, teacher.features, say)
        labelled = targets != UNLABELLED
        few = features[labelled, : teacher.views]
        repeated = np.repeat(targets[labelled], few.shape[1])
        teacher.study(few.reshape(len(repeated), -1), repeated, classes)
        found = teacher.logits(features.reshape(-1, features.shape[2]))
        return found.reshape(*features.shape[:2], classes)

    def ask(shown: NDArray[Any]) -> NDArray[np.float32]:
        answers = lesson.teacher.label([{name: one} for one in shown])
        return np.stack([np.asarray(answer[LOGITS], np.float32) for answer in answers])

    taught = _kept(lesson.workspace / "taught.npy", views, ask, say)
    if taught.shape[2] != classes:
        raise ConfigError(
            tr(
                "The teacher answers with {own} classes, the data have {classes}.",
                own=taught.shape[2],
                classes=classes,
            ),
            mend=tr("Give the teacher the classes of the data, in their order."),
        )
    return taught


def _kept(
    file: Path, views: NDArray[Any], ask: Asked, say: Callable[..., None]
) -> NDArray[np.float32]:
    """Return what a run before has left in ``file``, or ask and keep it, whole or not at all."""
    if file.exists():
        return np.asarray(np.load(file), np.float32)
    items, each = views.shape[:2]
    flat = views.reshape(items * each, *views.shape[2:])
    found = []
    for start in range(0, len(flat), _AT_ONCE):
        found.append(ask(flat[start : start + _AT_ONCE]))
        say(min(1.0, (start + _AT_ONCE) / len(flat)))
    rows = np.concatenate(found)
    rows = rows.reshape(items, each, *rows.shape[1:])
    fresh = file.with_suffix(".part")
    with fresh.open("wb") as out:
        np.save(out, rows)
    fresh.replace(file)
    return rows
