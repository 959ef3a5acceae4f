"""What a planning agent remembers between decisions, packed into its small flat memory."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from millhand.contracts import Memory
from millhand_logistics.schedule.from_shop import OperationKey

KEEP_S = 14 * 86400
"""How long past breakdowns are remembered: longer than any operation takes."""
_SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Down:
    """A breakdown, in seconds of UTC. While it is open its end is a guess."""

    machine: str
    begin: int
    end: int
    open: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """Where and when an operation was to run, in seconds of UTC."""

    machine: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class State:
    """What happened so far that the shop's file does not know."""

    down: tuple[Down, ...] = ()
    holds: Mapping[str, str] = field(default_factory=dict)
    """Lot or order to the reason."""
    orders: tuple[str, ...] = ()
    """Orders that came since, as JSON."""
    progress: Mapping[str, str] = field(default_factory=dict)
    """``order|operation`` to ``started|machine|seconds`` or ``finished|seconds``, where it
    is known with ``|machine|seconds`` of its begin."""
    planned: Mapping[OperationKey, Planned] = field(default_factory=dict)

    def forget(self, now: int) -> State:
        """Return the state without breakdowns long over."""
        return replace(self, down=tuple(d for d in self.down if d.open or d.end > now - KEEP_S))


def to_memory(state: State, keys: Sequence[OperationKey], machines: Sequence[str]) -> Memory:
    """Pack a state; ``keys`` and ``machines`` give the plan its order."""
    rows = np.full((len(keys), 3), -1, np.int64)
    for i, key in enumerate(keys):
        place = state.planned.get(key)
        if place is not None:
            rows[i] = machines.index(place.machine), place.begin, place.end
    base = int(rows[rows[:, 1] >= 0, 1].min()) if (rows[:, 1] >= 0).any() else 0
    rows[rows[:, 1] >= 0, 1:] -= base
    packed = zlib.compress(rows.astype("<i4").T.tobytes(), 9)
    return {
        "down": [_joined(d.machine, d.begin, d.end, int(d.open), d.why) for d in state.down],
        "holds": [_joined(name, why) for name, why in state.holds.items()],
        "orders": list(state.orders),
        "progress": [_joined(key, what) for key, what in state.progress.items()],
        "plan_base": base,
        "plan": base64.b64encode(packed).decode(),
    }


def from_memory(memory: Memory, keys: Sequence[OperationKey], machines: Sequence[str]) -> State:
    """Unpack a state; an empty memory is an empty state."""
    if not memory:
        return State()
    return State(
        down=tuple(_down(text) for text in _texts(memory, "down")),
        holds=dict(_pair(text) for text in _texts(memory, "holds")),
        orders=tuple(_texts(memory, "orders")),
        progress=dict(_progress(text) for text in _texts(memory, "progress")),
        planned=_planned(memory, keys, machines),
    )


def orders_of(memory: Memory) -> tuple[str, ...]:
    """Return the orders that came since the shop's file, before the rest can be unpacked."""
    return tuple(_texts(memory, "orders"))


def _texts(memory: Memory, name: str) -> list[str]:
    found = memory.get(name)
    return [str(text) for text in found] if isinstance(found, list) else []


def _joined(*parts: object) -> str:
    return _SEPARATOR.join(str(part) for part in parts)


def _down(text: str) -> Down:
    machine, begin, end, still, why = text.split(_SEPARATOR, 4)
    return Down(machine, int(begin), int(end), still == "1", why)


def _pair(text: str) -> tuple[str, str]:
    name, _, rest = text.partition(_SEPARATOR)
    return name, rest


def _progress(text: str) -> tuple[str, str]:
    order, operation, what = text.split(_SEPARATOR, 2)
    return f"{order}{_SEPARATOR}{operation}", what


def _planned(
    memory: Memory, keys: Sequence[OperationKey], machines: Sequence[str]
) -> dict[OperationKey, Planned]:
    packed, base = memory.get("plan"), memory.get("plan_base")
    if not isinstance(packed, str) or not isinstance(base, int):
        return {}
    flat = np.frombuffer(zlib.decompress(base64.b64decode(packed)), "<i4").reshape(3, -1).T
    return {
        key: Planned(machines[m], int(begin) + base, int(end) + base)
        for key, (m, begin, end) in zip(keys, flat.tolist(), strict=False)
        if m >= 0
    }
