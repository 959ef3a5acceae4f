"""An asyncua server with a known set of variables: in this process, or in one of its own.

As a process: ``python plant_server.py PORT --ready FILE [--reordered]`` serves until
killed; FILE gets the port.
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asyncua import Server, ua

NAMESPACE = "urn:millhand:test"

SCALARS: dict[str, tuple[ua.VariantType, Any]] = {
    "boolean": (ua.VariantType.Boolean, True),
    "sbyte": (ua.VariantType.SByte, -5),
    "byte": (ua.VariantType.Byte, 5),
    "int16": (ua.VariantType.Int16, -300),
    "uint16": (ua.VariantType.UInt16, 300),
    "int32": (ua.VariantType.Int32, -70000),
    "uint32": (ua.VariantType.UInt32, 70000),
    "int64": (ua.VariantType.Int64, -(2**40)),
    "uint64": (ua.VariantType.UInt64, 2**40),
    "float": (ua.VariantType.Float, 1.5),
    "double": (ua.VariantType.Double, 2.25),
    "string": (ua.VariantType.String, "impeller"),
    "datetime": (ua.VariantType.DateTime, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    "bytestring": (ua.VariantType.ByteString, b"\x00\xff"),
    "localizedtext": (ua.VariantType.LocalizedText, ua.LocalizedText("Gate", "en")),
}


async def build(
    port: int = 0, *, namespaces: tuple[str, ...] = (NAMESPACE,), server: Server | None = None
) -> tuple[Server, int]:
    """Make a server that is ready to be started; return it with its namespace's index."""
    server = server or Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/plant")
    server.socket_address = ("127.0.0.1", port)
    for uri in namespaces:
        await server.register_namespace(uri)
    index = await server.get_namespace_index(NAMESPACE)
    cell = await server.nodes.objects.add_object(ua.NodeId("Cell", index), "Cell")
    for name, (kind, value) in SCALARS.items():
        await add(cell, index, f"Scalar.{name}", ua.Variant(value, kind))
    await add(cell, index, "Width", ua.Variant(2.25, ua.VariantType.Double))
    await add(cell, index, "Counter", ua.Variant(0, ua.VariantType.Int32))
    await add(cell, index, "Ring", ua.Variant([0] * 16, ua.VariantType.Int32))
    await add(cell, index, "ReadOnly", ua.Variant(1, ua.VariantType.Int32), writable=False)
    return server, index


async def add(
    parent: Any, index: int, name: str, variant: ua.Variant, *, writable: bool = True
) -> Any:
    """Add a variable with the node id ``s=<name>``."""
    node = await parent.add_variable(
        ua.NodeId(name, index), name, variant, datatype=ua.NodeId(int(variant.VariantType))
    )
    if writable:
        await node.set_writable()
    return node


def port_of(server: Server) -> int:
    """Return the port that the system chose for port 0."""
    return int(server.bserver.port)


async def _serve(port: int, *, reordered: bool, ready: Path) -> None:
    namespaces = ("urn:other:a", "urn:other:b", NAMESPACE) if reordered else (NAMESPACE,)
    server, _ = await build(port, namespaces=namespaces)
    async with server:
        ready.write_text(str(port_of(server)))  # noqa: ASYNC240  nothing else runs yet
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--reordered", action="store_true")
    parser.add_argument("--ready", type=Path, required=True, help="file for the port")
    options = parser.parse_args()
    asyncio.run(_serve(options.port, reordered=options.reordered, ready=options.ready))
