"""The shops' tags on an OPC UA server: machines, books, and the plans that come in."""

from __future__ import annotations

from datetime import UTC

from asyncua import ua
from asyncua.server.server import Server

from millhand_simulated.plc.tags import NAMESPACE
from millhand_simulated.shop.config import JobShopConfig

ORDERS, BOOK, PLAN, MACHINE = "Shop.Orders", "Book", "Plan", "Shop.Machine"
TRANSPORTS, ARRIVED = "Transports", "Arrived"
"""What a planner's shop asks of its vehicles, and what it is told of them."""
UP, DOWN = 6, 9
"""PackML's numbers of *Execute* and *Aborted*."""


class Tags:
    """Makes the tags; shows what changed; reads the plans."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ids: dict[str, tuple[ua.NodeId, ua.VariantType]] = {}
        self._shown: dict[str, int | str] = {}

    async def build(self, config: JobShopConfig) -> None:
        """Create every tag."""
        index = await self._server.register_namespace(NAMESPACE)
        folder = await self._server.nodes.objects.add_object(
            ua.NodeId(ua.String("Shop"), ua.Int16(index)), f"{index}:Shop"
        )
        tags: dict[str, int | str] = {ORDERS: 0}
        tags |= {f"{MACHINE}.{name}": UP for name in config.shop.machines}
        for planner in config.planners:
            names = (BOOK, PLAN, *((TRANSPORTS, ARRIVED) if config.transports else ()))
            tags |= {f"Shop.{planner}.{name}": "" for name in names}
        for path, value in tags.items():
            kind = ua.VariantType.String if isinstance(value, str) else ua.VariantType.Int32
            node_id = ua.NodeId(ua.String(path), ua.Int16(index))
            node = await folder.add_variable(node_id, f"{index}:{path[5:]}", value, kind)
            if path.endswith((f".{PLAN}", f".{ARRIVED}")):
                await node.set_writable()
            self._ids[path] = node_id, kind
            self._shown[path] = value

    async def show(self, path: str, value: int | str) -> None:
        """Write a tag where it changed."""
        if self._shown[path] == value:
            return
        self._shown[path] = value
        node_id, kind = self._ids[path]
        now = ua.DateTime.now(UTC)
        data = ua.DataValue(ua.Variant(value, kind), SourceTimestamp=now, ServerTimestamp=now)
        await self._server.write_attribute_value(node_id, data)

    def plan(self, planner: str) -> str:
        """Return the plan that was written last; empty before the first."""
        return self._text(f"Shop.{planner}.{PLAN}")

    def arrived(self, planner: str) -> str:
        """Return what the vehicles' side wrote last; empty before, and without vehicles."""
        return self._text(f"Shop.{planner}.{ARRIVED}")

    def _text(self, path: str) -> str:
        if path not in self._ids:
            return ""
        node_id, _ = self._ids[path]
        held = self._server.read_attribute_value(node_id).Value
        value = None if held is None else held.Value
        return value if isinstance(value, str) else ""
