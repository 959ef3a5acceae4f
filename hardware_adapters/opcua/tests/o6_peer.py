"""An open62541 server (through o6) as a peer of the kit: ``o6_peer.py FOLDER PORT [--reordered]``.

Speaks the lines of :class:`millhand.testing.PeerProcess`. FOLDER keeps its certificate, so that a
restart shows the same one; ``--new-certificate`` makes another. The server does not tell of writes,
so they are found by comparing value and time stamp. o6's wheel ends its process after ten minutes.
"""

from __future__ import annotations

import json
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import o6
from asyncua_peer import URI, make_certificate

NAMESPACE = "urn:millhand:test"
TYPES: dict[str, tuple[Any, Any]] = {
    "Scalar.boolean": (o6.Boolean, True),
    "Scalar.sbyte": (o6.SByte, -5),
    "Scalar.byte": (o6.Byte, 5),
    "Scalar.int16": (o6.Int16, -300),
    "Scalar.uint16": (o6.UInt16, 300),
    "Scalar.int32": (o6.Int32, -70000),
    "Scalar.uint32": (o6.UInt32, 70000),
    "Scalar.int64": (o6.Int64, -(2**40)),
    "Scalar.uint64": (o6.UInt64, 2**40),
    "Scalar.float": (o6.Float, 1.5),
    "Scalar.double": (o6.Double, 2.25),
    "Scalar.string": (o6.String, "impeller"),
    "Width": (o6.Double, 2.25),
    "Counter": (o6.Int32, 0),
    "ReadOnly": (o6.Int32, 1),
}
QUALITY = {"good": 0, "uncertain": 0x40900000, "bad": 0x808C0000}


class Operators(o6.AccessControl):
    """Lets in one operator by password, and anybody without a name."""

    def __init__(self) -> None:
        super().__init__(anonymous=True, username=True)

    def activateSession(  # noqa: N802  o6's name
        self, endpoint: Any, certificate: bytes, session: Any, token: Any
    ) -> Any:
        del endpoint, certificate, session
        name = getattr(token, "userName", None)
        if name is not None and (name, bytes(token.password)) != ("operator", b"s3cret"):
            raise o6.StatusCodeError(o6.StatusCode.BAD_USER_ACCESS_DENIED)


class Peer:
    """The server's variables, and what was written to them."""

    def __init__(self, server: o6.Server, reordered: bool) -> None:
        self.server = server
        for uri, index in (("urn:other:a", 2), ("urn:other:b", 3)) if reordered else ():
            server._add_namespace(uri, index)
        self.index = 4 if reordered else 2
        server._add_namespace(NAMESPACE, self.index)
        for name, (kind, value) in TYPES.items():
            server.addVariable(
                name,
                server.objectsNode,
                kind(value),
                nodeId=self.node(name),
                writable=name != "ReadOnly",
            )
            self.put(name, kind(value), 0)
        self.written: list[tuple[str, Any]] = []
        self.known = {name: self.now(name) for name in TYPES}

    def node(self, name: str) -> Any:
        return o6.NodeId(f"ns={self.index};s={name}")

    def put(self, name: str, value: Any, status: int) -> None:
        """Set a value with its time: one without has the time of each read as its own."""
        now = o6.DateTime(datetime.now(UTC))
        self.server.write(
            self.node(name),
            o6.DataValue(value=value, status=o6.StatusCode(status), sourceTimestamp=now),
        )

    def now(self, name: str) -> tuple[Any, str]:
        found = self.server.read(self.node(name), valueOnly=False)
        value = found.value
        plain = None if value is None else type(TYPES[name][1])(value)
        return plain, str(found.sourceTimestamp)

    def answer(self, question: dict[str, Any]) -> Any:
        for name in TYPES:
            present = self.now(name)
            if present != self.known[name]:
                self.written.append((name, present[0]))
                self.put(name, TYPES[name][0](present[0]), 0)
                self.known[name] = self.now(name)
        if question["do"] == "written":
            return [(name, value) for name, value in self.written]
        if question["do"] == "forget":
            self.written.clear()
            return True
        kind = TYPES[question["tag"]][0]
        value = question["value"]
        if isinstance(value, dict):
            value = int(value["big"]) if "big" in value else float(value["float"])
        self.put(question["tag"], kind(value), QUALITY[question["quality"]])
        self.known[question["tag"]] = self.now(question["tag"])
        return True


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(folder: Path, port: int, options: list[str]) -> None:
    """Serve until standard input ends."""
    if "--new-certificate" in options or not (folder / "server.der").exists():
        make_certificate(folder)
    server = o6.Server(
        port=port,
        certificate=folder / "server.der",
        privateKey=folder / "key.pem",
        applicationUri=URI,
        acceptAllCertificates=True,
        accessControl=Operators(),
    )
    server.start()
    peer = Peer(server, "--reordered" in options)
    print(json.dumps({"ready": port}), flush=True)
    for line in sys.stdin:
        print(json.dumps([peer.answer(json.loads(line))]), flush=True)
    server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) or free_port(), sys.argv[3:])
