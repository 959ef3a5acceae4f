"""What the clerk remembers between papers: open orders and receipts, and what was here before.

An agent's memory holds 16 KiB. It is kept compressed, which suffices for some two hundred open
lines; what is wholly billed goes first, then the oldest papers seen. Where open lines themselves
would not fit, the oldest are forgotten and the decision says so: their bills go to a person.
"""

from __future__ import annotations

import base64
import json
import zlib

from millhand.contracts import Memory
from millhand_admin.checking.duplicates import Seen
from millhand_admin.matching.open_items import OpenItems
from millhand_admin.paper.fact import Part

MOST_BYTES = 15 * 1024
_MOST_UNPACKED = 4 * 2**20
_MOST_SEEN = 400
_KEY = "state"


class State(Part):
    """The clerk's memory, unpacked."""

    items: OpenItems = OpenItems()
    seen: tuple[Seen, ...] = ()
    forgotten: int = 0
    """Open lines that did not fit, so far."""


def unpack(memory: Memory) -> State:
    """Read the state out of an agent's memory."""
    text = memory.get(_KEY)
    if not isinstance(text, str):
        return State()
    reader = zlib.decompressobj()
    data = reader.decompress(base64.b85decode(text), _MOST_UNPACKED)
    return State.model_validate_json(data)


def pack(state: State) -> Memory:
    """Make the state an agent's memory, dropping what matters least until it fits."""
    state = _without_billed(state)
    while True:
        text = _packed(state)
        if len(text) <= MOST_BYTES:
            return {_KEY: text}
        state = _smaller(state)


def _packed(state: State) -> str:
    data = state.model_dump(mode="json", exclude_defaults=True)
    plain = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.b85encode(zlib.compress(plain, 9)).decode()


def _without_billed(state: State) -> State:
    items = OpenItems(
        orders=tuple(line for line in state.items.orders if line.open > 0),
        receipts=tuple(line for line in state.items.receipts if line.billed < line.quantity),
    )
    return state.model_copy(update={"items": items, "seen": state.seen[-_MOST_SEEN:]})


def _smaller(state: State) -> State:
    if len(state.seen) > 50:
        return state.model_copy(update={"seen": state.seen[len(state.seen) // 4 :]})
    orders, receipts = state.items.orders, state.items.receipts
    drop = max(1, max(len(orders), len(receipts)) // 10)
    if len(orders) >= len(receipts):
        items = OpenItems(orders=orders[drop:], receipts=receipts)
    else:
        items = OpenItems(orders=orders, receipts=receipts[drop:])
    return state.model_copy(update={"items": items, "forgotten": state.forgotten + drop})
