"""What the agent keeps of each product: the study of its process, and the points since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from millhand.contracts import Memory
from millhand_quality.spc.capability import Capability, Index
from millhand_quality.spc.limits import Process

_NAMES = "products"


@dataclass(slots=True)
class Charted:
    """One product's charts."""

    studied: list[float] = field(default_factory=list)
    """Values that limits will be taken from; empty once they are."""
    process: Process | None = None
    capability: Capability | None = None
    open: list[float] = field(default_factory=list)
    """Values of a subgroup that is not full yet; the last single value."""
    tail: list[float] = field(default_factory=list)
    """The newest charted values, oldest first."""
    broken: tuple[int, ...] = ()
    """Tests that the newest point met."""
    count: int = 0
    """Points charted against limits."""


def from_memory(memory: Memory, n: int) -> dict[str, Charted]:
    """Read all products, least recent first; ``n`` is the size of a subgroup."""
    names = memory.get(_NAMES)
    found: dict[str, Charted] = {}
    for at, name in enumerate(names if isinstance(names, list) else []):
        process = _floats(memory.get(f"{at}.process"))
        found[str(name)] = Charted(
            studied=_floats(memory.get(f"{at}.studied")),
            process=Process(process[0], process[1], n) if process else None,
            capability=_capability(_floats(memory.get(f"{at}.capability"))),
            open=_floats(memory.get(f"{at}.open")),
            tail=_floats(memory.get(f"{at}.tail")),
            broken=tuple(int(rule) for rule in _floats(memory.get(f"{at}.broken"))),
            count=int(sum(_floats(memory.get(f"{at}.count")))),
        )
    return found


def to_memory(products: dict[str, Charted]) -> Memory:
    """Write all products."""
    memory: Memory = {_NAMES: list(products)}
    for at, charted in enumerate(products.values()):
        memory[f"{at}.studied"] = list(charted.studied)
        memory[f"{at}.open"] = list(charted.open)
        memory[f"{at}.tail"] = list(charted.tail)
        memory[f"{at}.broken"] = list(charted.broken)
        memory[f"{at}.count"] = [charted.count]
        if charted.process is not None:
            memory[f"{at}.process"] = [charted.process.centre, charted.process.sigma]
        if charted.capability is not None:
            memory[f"{at}.capability"] = list(_flat(charted.capability))
    return memory


def _flat(found: Capability) -> Sequence[float]:
    cp = (found.cp.value, found.cp.low, found.cp.high) if found.cp else ()
    return (found.items, found.cpk.value, found.cpk.low, found.cpk.high, *cp)


def _capability(flat: Sequence[float]) -> Capability | None:
    if not flat:
        return None
    return Capability(int(flat[0]), Index(*flat[4:7]) if flat[4:] else None, Index(*flat[1:4]))


def _floats(value: object) -> list[float]:
    return [float(x) for x in value] if isinstance(value, list) else []
