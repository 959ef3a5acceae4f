"""An asyncua server as a peer of the kit: ``asyncua_peer.py FOLDER PORT [--reordered]``.

Speaks the lines of :class:`millhand.testing.PeerProcess`. FOLDER keeps its certificate, so that a
restart shows the same one; ``--new-certificate`` makes another.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import plant_server
from asyncua import Server, ua
from asyncua.common.callback import CallbackType
from asyncua.crypto import cert_gen
from asyncua.crypto.permission_rules import User, UserRole
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

URI = "urn:millhand:test:server"
QUALITY = {
    "good": ua.StatusCodes.Good,
    "uncertain": ua.StatusCodes.UncertainLastUsableValue,
    "bad": ua.StatusCodes.BadSensorFailure,
}


class Operators:
    """Lets in one operator by password, and anybody without a name."""

    def get_user(
        self,
        _iserver: Any,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        if username is None or (username, password) == ("operator", "s3cret"):
            return User(role=UserRole.User)
        return None


def make_certificate(folder: Path) -> None:
    """Make a key and a certificate signed by itself."""
    key = cert_gen.generate_private_key()
    certificate = cert_gen.generate_self_signed_app_certificate(
        key,
        "plant",
        {},
        [x509.UniformResourceIdentifier(URI), x509.DNSName("localhost")],
        extended=[ExtendedKeyUsageOID.SERVER_AUTH],
    )
    (folder / "server.der").write_bytes(certificate.public_bytes(Encoding.DER))
    (folder / "key.pem").write_bytes(cert_gen.dump_private_key_as_pem(key))


class Peer:
    """The server, and what was written to it."""

    def __init__(self, server: Server, index: int) -> None:
        self.server = server
        self.index = index
        self.written: list[tuple[str, Any]] = []
        server.subscribe_server_callback(CallbackType.PreWrite, self._before_write)

    async def _before_write(self, event: Any, _service: Any) -> None:
        if event.is_external:
            for write in event.request_params.NodesToWrite:
                self.written.append((write.NodeId.Identifier, plain(write.Value.Value.Value)))

    async def answer(self, question: dict[str, Any]) -> Any:
        if question["do"] == "written":
            return self.written
        if question["do"] == "forget":
            self.written.clear()
            return True
        kind = await self._kind(question["tag"])
        status = ua.StatusCode(QUALITY[question["quality"]])
        variant = ua.Variant(native(question["value"], kind), kind)
        node_id = ua.NodeId(question["tag"], self.index)
        await self.server.write_attribute_value(
            node_id, ua.DataValue(variant, StatusCode=status, SourceTimestamp=datetime.now(UTC))
        )
        return True

    async def _kind(self, tag: str) -> ua.VariantType:
        node = self.server.get_node(ua.NodeId(tag, self.index))
        return ua.VariantType((await node.read_data_type()).Identifier)


def plain(value: Any) -> Any:
    """Return a written value as JSON holds it."""
    return value.hex() if isinstance(value, bytes) else value


def native(value: Any, kind: ua.VariantType) -> Any:
    """Return a value of JSON as the server holds it."""
    if isinstance(value, dict):
        return int(value["big"]) if "big" in value else float(value["float"])
    return bytes.fromhex(value) if kind is ua.VariantType.ByteString else value


async def serve(port: int, folder: Path, options: set[str]) -> None:
    """Serve until standard input ends."""
    if "--new-certificate" in options or not (folder / "server.der").exists():
        make_certificate(folder)
    server = Server(user_manager=Operators())
    server.set_security_policy(
        [ua.SecurityPolicyType.NoSecurity, ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt]
    )
    namespaces = (plant_server.NAMESPACE,)
    if "--reordered" in options:
        namespaces = ("urn:other:a", "urn:other:b", *namespaces)
    _, index = await plant_server.build(port, namespaces=namespaces, server=server)
    await server.set_application_uri(URI)
    await server.load_certificate(folder / "server.der")
    await server.load_private_key(folder / "key.pem")
    await server.get_node(ua.NodeId("Ring", index)).write_array_dimensions([16])
    peer = Peer(server, index)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async with server:
        print(json.dumps({"ready": plant_server.port_of(server)}), flush=True)
        while line := await reader.readline():
            print(json.dumps([await peer.answer(json.loads(line))]), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[2]), Path(sys.argv[1]), set(sys.argv[3:])))
