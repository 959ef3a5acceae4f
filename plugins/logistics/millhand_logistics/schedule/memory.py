"""Working memory of the builder: arrays where it is compiled, lists where it is interpreted."""

from __future__ import annotations

from typing import Any

import numpy as np

from millhand_logistics.schedule.tables import FEATURES, HIDDEN, HIDDEN_2, Built, Scratch, Tables


def empty_plan(operations: int) -> Built:
    """Return what a builder writes its plan into."""
    return Built._make([*np.zeros((6, operations), np.int64), np.zeros(1, np.int64)])


def empty_scratch(t: Tables) -> Scratch:
    """Return what a builder works in."""
    n, m = t.operations, t.machines
    return Scratch._make(
        [
            *np.zeros((15, n), np.int64),
            np.zeros(n),
            *(np.zeros((n, width)) for width in (FEATURES, HIDDEN)),
            *np.zeros((2, HIDDEN_2)),
            *np.zeros((5, m), np.int64),
            np.zeros(HIDDEN),
        ]
    )


def as_lists(columns: Any) -> list[Any]:
    """Return the columns of a table as lists; single figures stay."""
    return [column.tolist() if isinstance(column, np.ndarray) else column for column in columns]


def as_arrays(plan: Built) -> Built:
    """Return a plan in lists as arrays."""
    return Built(*(np.array(column, np.int64) for column in plan))
