"""The tags as nodes of an OPC UA server: made once, then written only where they changed."""

from __future__ import annotations

from datetime import UTC
from typing import TypeVar

from asyncua import ua
from asyncua.common.node import Node
from asyncua.server.server import Server
from asyncua.ua.attribute_ids import AttributeIds

from millhand_simulated.plc.tags import ALL, NAMESPACE, Kind, Tag

Single = bool | int | float | str
Held = Single | tuple[int, ...] | tuple[str, ...]
_T = TypeVar("_T", bool, int, str)

_VARIANTS: dict[Kind, ua.VariantType] = {
    "DINT": ua.VariantType.Int32,
    "STRING": ua.VariantType.String,
    "BOOL": ua.VariantType.Boolean,
    "LREAL": ua.VariantType.Double,
}
_ZERO: dict[Kind, Single] = {"DINT": 0, "STRING": "", "BOOL": False, "LREAL": 0.0}


class Nodes:
    """Reads and writes tags by path, from the server's own side."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tags: dict[str, tuple[ua.NodeId, ua.VariantType]] = {}
        self._shown: dict[str, Held] = {}

    async def build(self) -> None:
        """Create folders and variables for all tags."""
        index = await self._server.register_namespace(NAMESPACE)
        folders: dict[str, Node] = {"": self._server.nodes.objects}
        for tag in ALL:
            folder = await self._folder(folders, tag.path.rpartition(".")[0], index)
            await self._variable(folder, tag, index)

    async def _folder(self, folders: dict[str, Node], path: str, index: int) -> Node:
        if path not in folders:
            above, _, name = path.rpartition(".")
            parent = await self._folder(folders, above, index)
            folders[path] = await parent.add_object(
                ua.NodeId(ua.String(path), ua.Int16(index)), f"{index}:{name}"
            )
        return folders[path]

    async def _variable(self, folder: Node, tag: Tag, index: int) -> None:
        node_id = ua.NodeId(ua.String(tag.path), ua.Int16(index))
        variant = _VARIANTS[tag.kind]
        zero = _ZERO[tag.kind]
        name = f"{index}:{tag.path.rpartition('.')[2]}"
        value = [zero] * tag.length if tag.length else zero
        node = await folder.add_variable(node_id, name, value, variant)
        if tag.length:
            await node.write_value_rank(ua.ValueRank.OneDimension)
            dimensions = ua.DataValue(ua.Variant([tag.length], ua.VariantType.UInt32))
            await node.write_attribute(AttributeIds.ArrayDimensions, dimensions)
        if tag.writable:
            await node.set_writable()
        else:
            self._shown[tag.path] = (zero,) * tag.length if tag.length else zero  # type: ignore[assignment]
        self._tags[tag.path] = (node_id, variant)

    def get(self, path: str, default: _T) -> _T:
        """Return what a client has written; ``default`` where it wrote a null."""
        node_id, _ = self._tags[path]
        held = self._server.read_attribute_value(node_id).Value
        value = None if held is None else held.Value
        return value if isinstance(value, type(default)) else default

    async def show(self, path: str, value: Held) -> None:
        """Write a tag of the PLC's own if it changed."""
        if self._shown[path] != value:
            self._shown[path] = value
            await self.force(path, value)

    async def force(self, path: str, value: Held) -> None:
        """Write a tag whatever it holds."""
        node_id, variant = self._tags[path]
        held = list(value) if isinstance(value, tuple) else value
        now = ua.DateTime.now(UTC)
        await self._server.write_attribute_value(
            node_id,
            ua.DataValue(ua.Variant(held, variant), SourceTimestamp=now, ServerTimestamp=now),
        )
