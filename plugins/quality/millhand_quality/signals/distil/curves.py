"""A shelf of curves, and the views of them that teacher and student see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from millhand.distil.dataset import Item, Items
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.classify.distil.labelled import Labelled
from millhand_quality.signals.parameters import SIGNAL

MOST_VALUES = 65_536
"""In one curve: what is larger is no small tensor."""


class Curves(Labelled):
    """Curves ``(n, channels, length) float32``."""

    __slots__ = ()


def read_curves(items: Items, file: Path, step: Callable[[float], None]) -> Curves:
    """Read a shelf into ``file`` (``.npy``), or take it from there where it was read before.

    Each item is an array ``signal``: ``(channels, length)``, or ``(length,)`` for one channel.

    Raises:
        ConfigError: an item has no such array, it is too large or not finite, curves differ in
            shape, or there is nothing on the shelf.
    """
    if not items:
        raise ConfigError(tr("A shelf of the plan holds no curves."))
    labels, groups = tuple(item.label for item in items), tuple(item.group for item in items)
    if file.exists():
        return Curves(np.load(file), labels, groups)
    rows: list[NDArray[np.float32]] = []
    for item in items:
        rows.append(_curve(items, item, rows[0].shape if rows else None))
        step(len(rows) / len(items))
    fresh = file.with_suffix(".part")
    with fresh.open("wb") as out:
        np.save(out, np.stack(rows))
    fresh.replace(file)
    return Curves(np.stack(rows), labels, groups)


def _curve(items: Items, item: Item, shape: tuple[int, ...] | None) -> NDArray[np.float32]:
    found = items.read(item).get(SIGNAL)
    if found is None:
        raise ConfigError(
            tr("{name} holds no array “{array}”.", name=item.id, array=SIGNAL),
            mend=tr("Write each curve as .npz with it, of shape (channels, length)."),
        )
    curve = np.atleast_2d(np.asarray(found, np.float32))
    if curve.ndim != 2 or curve.size > MOST_VALUES or not np.isfinite(curve).all():
        raise ConfigError(
            tr("{name} is no curve: its shape is {shape}.", name=item.id, shape=found.shape),
            mend=tr("Give (channels, length), finite, at most {most} values.", most=MOST_VALUES),
        )
    if shape is not None and curve.shape != shape:
        raise ConfigError(
            tr(
                "{name} has the shape {shape}, others have {other}.",
                name=item.id,
                shape=curve.shape,
                other=shape,
            ),
            mend=tr("Bring all curves to one length."),
        )
    return curve


@dataclass(frozen=True, slots=True)
class CurveWays:
    """How views differ from the curves that they show."""

    shift: int
    gain: float
    noise: float

    def view(self, curves: NDArray[np.float32], draw: np.random.Generator) -> NDArray[np.float32]:
        """Return a view of each curve: moved, scaled by channel, with noise."""
        n, channels, length = curves.shape
        start = draw.integers(-self.shift, self.shift + 1, (n, 1))
        places = np.clip(np.arange(length) + start, 0, length - 1)
        moved = np.take_along_axis(curves, places[:, None, :].repeat(channels, 1), axis=2)
        gain = 1 + draw.uniform(-self.gain, self.gain, (n, channels, 1))
        spread = curves.std(axis=(0, 2))[None, :, None]
        noise = self.noise * spread * draw.standard_normal(curves.shape)
        return np.asarray(moved * gain + noise, np.float32)
