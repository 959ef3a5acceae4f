"""Who does what at least cost: the assignment problem, solved exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def assign(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pair rows with columns so that the sum of their costs is least.

    Shortest augmenting paths with dual variables (Jonker and Volgenant, *A shortest augmenting path
    algorithm for dense and sparse linear assignment problems*, Computing 38, 1987; without its
    initial reductions). Each row or each column, whichever are fewer, is paired once; pairs that
    cost infinitely much are left out, at the price of pairing fewer.

    Args:
        cost: ``(rows, columns) float64``, finite or ``inf``, no NaN.

    Returns:
        Pairs of row and column, in the order of rows.
    """
    if cost.size == 0:
        return []
    finite = np.isfinite(cost)
    if not finite.any():
        return []
    # Dear enough that a forbidden pair is taken only where nothing else is left.
    spread = float(np.abs(cost[finite]).max()) + 1.0
    work = np.where(finite, cost, spread * 4.0 * (min(cost.shape) + 1))
    if work.shape[0] > work.shape[1]:
        pairs = [(row, column) for column, row in _solve(np.ascontiguousarray(work.T))]
    else:
        pairs = _solve(work)
    return sorted((row, column) for row, column in pairs if finite[row, column])


def _solve(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Solve for no more rows than columns."""
    rows, columns = cost.shape
    price = np.zeros(columns)
    row_of = np.full(columns, -1)
    column_of = np.full(rows, -1)
    gain = np.zeros(rows)
    for start in range(rows):
        shortest = np.full(columns, np.inf)
        came_from = np.full(columns, -1)
        done = np.zeros(columns, dtype=bool)
        row, distance = start, 0.0
        reached: list[int] = []
        while True:
            slack = cost[row] - gain[row] - price + distance
            better = ~done & (slack < shortest)
            shortest[better] = slack[better]
            came_from[better] = row
            open_ = np.where(done, np.inf, shortest)
            column = int(open_.argmin())
            distance = float(open_[column])
            done[column] = True
            if row_of[column] < 0:
                break
            reached.append(column)
            row = int(row_of[column])
        gain[start] += distance
        for passed in reached:
            gain[row_of[passed]] += distance - shortest[passed]
            price[passed] -= distance - shortest[passed]
        while True:
            row = int(came_from[column])
            row_of[column] = row
            column, column_of[row] = int(column_of[row]), column
            if row == start:
                break
    return [(row, int(column_of[row])) for row in range(rows)]
