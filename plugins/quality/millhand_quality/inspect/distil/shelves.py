"""A lesson's shelves as arrays, and how far along a stage is told."""

from __future__ import annotations

from collections.abc import Callable

from millhand.distil.roles import Lesson
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.inspect.distil.examples import Examples, read_examples

Told = Callable[[float, str], None]


def part_of(report: Told, start: float, end: float) -> Callable[..., None]:
    """Report a stage of its own as a part of the whole."""

    def tell(fraction: float, text: str = "") -> None:
        report(start + (end - start) * fraction, text)

    return tell


def read_shelves(lesson: Lesson, end: float) -> tuple[Examples, Examples]:
    """Read what to learn from and what to calibrate on; that is done at the fraction ``end``.

    Raises:
        ConfigError: pictures or masks do not fit, a shelf lacks a kind, or there is a pool.
    """
    if len(lesson.pool):
        raise ConfigError(
            tr("The student “{name}” has no use for a pool.", name=lesson.plan.student.use),
            mend=tr("Set the share “pool” of the plan's split to 0."),
        )
    work, say = lesson.workspace, lesson.report
    shown = read_examples(lesson.train, work / "train.npy", part_of(say, 0, end / 2))
    held = read_examples(lesson.calibration, work / "held.npy", part_of(say, end / 2, end))
    if not len(shown.good) or not len(shown.defective) or not len(held.good):
        raise ConfigError(
            tr("The student needs good and defective pictures to learn, good ones to calibrate."),
            mend=tr("Add pictures, or change the plan's split."),
        )
    if held.frame != shown.frame:
        raise ConfigError(
            tr("Pictures to learn and to calibrate differ in size."),
            mend=tr("A fixed camera gives one size: take the others out, or resize all."),
        )
    return shown, held
