"""Routes as an agent's memory: flat, and left out where they are too many for it."""

from __future__ import annotations

from millhand.contracts import Memory
from millhand.contracts.samples import Value
from millhand_logistics.routes.plan import Route, Routes, Visit

MOST_STOPS = 600
"""Stops beyond which routes are not remembered: a memory has 16 KiB."""
_ROUTE = "r."


def to_memory(planned: Routes) -> Memory:
    """Write which vehicle serves what and when; empty where that is too much."""
    if sum(len(route.visits) for route in planned.routes) > MOST_STOPS:
        return {}
    memory: dict[str, Value] = {}
    for route in planned.routes:
        row: list[bool | int | float | str | None] = []
        for visit in route.visits:
            row += [visit.stop, visit.begin]
        memory[_ROUTE + route.vehicle] = row
    return memory


def from_memory(memory: Memory) -> Routes | None:
    """Read the routes so far; None where none are remembered."""
    routes = []
    for key, row in memory.items():
        if not key.startswith(_ROUTE) or not isinstance(row, list):
            continue
        visits = tuple(
            Visit(stop=str(stop), arrive=begin, begin=begin, leave=begin)
            for stop, begin in zip(row[::2], row[1::2], strict=True)
            if isinstance(begin, int)
        )
        vehicle = key.removeprefix(_ROUTE)
        routes.append(Route(vehicle=vehicle, leave=0, visits=visits, back=0, distance_m=0))
    return Routes(routes=tuple(routes), left_out=(), cost=0) if routes else None
