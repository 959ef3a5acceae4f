"""Items of a shelf with what they show and the parts they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.classify.distil.config import GOOD


@dataclass(frozen=True, slots=True)
class Labelled:
    """Arrays with their labels and groups, in the order of the shelf."""

    stored: NDArray[Any]
    """``(n, …)``, perhaps with room around, so that a view may be moved."""
    labels: tuple[str, ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def classes(self) -> tuple[str, ...]:
        """Return the labels that occur, *good* first."""
        return tuple(sorted(set(self.labels), key=lambda name: (name != GOOD, name)))

    def targets(self, classes: Sequence[str]) -> NDArray[np.int64]:
        """Return the labels as places in ``classes``.

        Raises:
            ConfigError: a label is not among them.
        """
        unknown = set(self.labels) - set(classes)
        if unknown:
            raise ConfigError(
                tr("Nothing was learnt of: {names}.", names=", ".join(sorted(unknown))),
                mend=tr("Add such items to the train shelf, or take these out."),
            )
        return np.array([classes.index(label) for label in self.labels], np.int64)

    def middle(self) -> NDArray[Any]:
        """Return the items as the graph gets them, without the room around."""
        return self.stored
