"""The ways that vehicles drive, and how far it is. Pure."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

UNREACHABLE = math.inf
_KEPT = 4096
"""Most goals whose distances are remembered."""


class Roads:
    """A directed graph of nodes with lengths in m; distances are computed once for each goal.

    Args:
        nodes: all nodes.
        ways: from, to, length in m, each direction that may be driven.
    """

    def __init__(self, nodes: Iterable[str], ways: Iterable[tuple[str, str, float]]) -> None:
        self.out: dict[str, list[tuple[str, float]]] = {node: [] for node in nodes}
        for start, end, length in ways:
            self.out[start].append((end, length))
        for neighbours in self.out.values():
            neighbours.sort()
        self._names = list(self.out)
        self._index = {name: number for number, name in enumerate(self._names)}
        self._slots = self._by_slot()
        self._to: dict[tuple[str, frozenset[str]], Mapping[str, float]] = {}

    def _by_slot(self) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Return, for the first, second and so on way out of each node, its end and length."""
        slots = []
        for number in range(max((len(ways) for ways in self.out.values()), default=0)):
            ends = np.zeros(len(self._names), dtype=np.int64)
            lengths = np.full((len(self._names), 1), np.inf)
            for row, ways in enumerate(self.out.values()):
                if number < len(ways):
                    ends[row], lengths[row] = self._index[ways[number][0]], ways[number][1]
            slots.append((ends, lengths))
        return slots

    def __contains__(self, node: object) -> bool:
        return node in self.out

    def distances_to(self, goal: str, blocked: frozenset[str] = frozenset()) -> Mapping[str, float]:
        """Return how far each node is from ``goal`` in m; nodes without a way are left out.

        ``blocked`` nodes are not driven through; the goal itself may be one of them.
        """
        known = self._to.get((goal, blocked))
        if known is None:
            self.prepare([goal], blocked)
            known = self._to[goal, blocked]
        return known

    def prepare(self, goals: Iterable[str], blocked: frozenset[str] = frozenset()) -> None:
        """Compute the distances to many goals together, which costs little more than to one.

        Bellman and Ford's relaxation of all nodes and goals at a time, until nothing gets shorter.
        """
        new = [goal for goal in dict.fromkeys(goals) if (goal, blocked) not in self._to]
        if not new:
            return
        if len(self._to) + len(new) > _KEPT:
            self._to.clear()
        columns = np.arange(len(new))
        rows = np.array([self._index[goal] for goal in new])
        closed = np.array([self._index[node] for node in blocked if node in self._index], dtype=int)
        distances = np.full((len(self._names), len(new)), np.inf)
        distances[rows, columns] = 0.0
        while True:
            through = np.full_like(distances, np.inf)
            for neighbours, lengths in self._slots:
                np.minimum(through, distances[neighbours] + lengths, out=through)
            through[closed] = np.inf
            shorter = np.minimum(distances, through)
            if np.array_equal(shorter, distances):
                break
            distances = shorter
        for goal, column in zip(new, distances.T.tolist(), strict=True):
            self._to[goal, blocked] = {
                name: distance
                for name, distance in zip(self._names, column, strict=True)
                if distance != UNREACHABLE
            }

    def next_nodes(
        self, node: str, goal: str, blocked: frozenset[str] = frozenset()
    ) -> list[tuple[float, str]]:
        """Return the neighbours of ``node`` from which ``goal`` is reached, the nearest first."""
        to = self.distances_to(goal, blocked)
        return sorted(
            (length + to[neighbour], neighbour)
            for neighbour, length in self.out.get(node, ())
            if neighbour in to and (neighbour not in blocked or neighbour == goal)
        )

    def way_around(
        self, start: str, goal: str, avoid: Collection[str], blocked: frozenset[str] = frozenset()
    ) -> list[str] | None:
        """Return the shortest way that passes none of ``avoid``, without its start; None if none.

        A* with the exact distance on the empty roads as its estimate.
        """
        to = self.distances_to(goal, blocked)
        if start not in to:
            return None
        heap: list[tuple[float, float, str]] = [(to[start], 0.0, start)]
        before: dict[str, str] = {start: start}
        best = {start: 0.0}
        closed: set[str] = set()
        while heap:
            _, gone, node = heapq.heappop(heap)
            if node == goal:
                return _trace(before, goal)
            if node in closed:
                continue
            closed.add(node)
            for neighbour, length in self.out[node]:
                if neighbour in avoid or neighbour not in to or neighbour in closed:
                    continue
                if gone + length < best.get(neighbour, UNREACHABLE):
                    best[neighbour] = gone + length
                    before[neighbour] = node
                    heapq.heappush(heap, (gone + length + to[neighbour], gone + length, neighbour))
        return None

    def nearest(
        self,
        start: str,
        wanted: Callable[[str], bool],
        through: Callable[[str], bool] | None = None,
    ) -> str | None:
        """Return the nearest node that is ``wanted``, driving ``through`` such nodes, or None."""
        heap, seen = [(0.0, start)], set()
        while heap:
            distance, node = heapq.heappop(heap)
            if node in seen:
                continue
            seen.add(node)
            if node != start and wanted(node):
                return node
            for neighbour, length in self.out.get(node, ()):
                if neighbour not in seen and (through is None or through(neighbour)):
                    heapq.heappush(heap, (distance + length, neighbour))
        return None


def _trace(before: Mapping[str, str], goal: str) -> list[str]:
    way = [goal]
    while before[way[-1]] != way[-1]:
        way.append(before[way[-1]])
    return way[-2::-1]
