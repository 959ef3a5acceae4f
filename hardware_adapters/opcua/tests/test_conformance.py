"""The kit for ``Tags`` on three OPC UA servers: asyncua, node-opcua and open62541 (o6).

The latter two share no code with the adapter, and are skipped where they are not installed
(``source .ci/peers`` brings them).
"""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from opcua_peers import (
    CERTIFICATES,
    asyncua_server,
    needs_node_opcua,
    needs_o6,
    node_opcua_server,
    open62541_server,
)

from millhand.contracts import ConnectionFault, Quality, Value
from millhand.testing import PeerProcess
from millhand.testing.conformance import TagCase, TagsBench, TagsCapability, TagsKit
from millhand_opcua.adapter import OpcUa

NAMESPACE = "urn:millhand:test"
GREATEST_FLOAT = 3.4028234663852886e38
NOT_NUMBERS: tuple[Value, ...] = ("1", True, None, [1], math.nan, math.inf)


def integer(name: str, least: int, greatest: int) -> TagCase:
    """A whole number with its limits, and what lies just beyond them."""
    misfits = (*NOT_NUMBERS, least - 1, greatest + 1, 0.5)
    return TagCase(f"s=Scalar.{name}", (least, greatest, 0, 1), misfits)


CASES: dict[str, TagCase] = {
    "boolean": TagCase("s=Scalar.boolean", (True, False), (1, 0.0, "true", None)),
    **{
        f"{'' if low else 'u'}int{bits}": integer(
            f"{'' if low else 'u'}int{bits}", low, 2 ** (bits - (1 if low else 0)) - 1
        )
        for bits in (16, 32, 64)
        for low in (-(2 ** (bits - 1)), 0)
    },
    "sbyte": integer("sbyte", -128, 127),
    "byte": integer("byte", 0, 255),
    "float": TagCase(
        {"node": "s=Scalar.float", "type": "float"},
        (0.5, GREATEST_FLOAT, -GREATEST_FLOAT, 1.401298464324817e-45, 0.0),
        (*NOT_NUMBERS, 1e39),
    ),
    "double": TagCase(
        {"node": "s=Scalar.double", "type": "double"},
        (0.1, sys.float_info.max, -sys.float_info.max, 5e-324),
        NOT_NUMBERS,
    ),
    "limited": TagCase(
        {"node": "s=Width", "minimum": 0, "maximum": 120}, (0.0, 120.0), (-0.001, 120.001)
    ),
    "string": TagCase(
        "s=Scalar.string", ("", "Gehäuse 漢字 \U0001f527", "x" * 5000), (1, None, "\ud800")
    ),
    "ring": TagCase(
        {"node": "s=Ring", "type": "int32[]"},
        ([2**31 - 1, -(2**31)] * 8, [0] * 16),
        (0, [0] * 15, [0] * 15 + [2**31], [0] * 15 + ["0"], None),
    ),
    "readonly": TagCase("s=ReadOnly", (1, 2), writable=False),
    "counter": TagCase({"node": "s=Counter", "type": "int32"}, (3, 4), (2**31,)),
}


class OpcUaBench(TagsBench):
    """An OPC UA server in a process of its own."""

    device = "plc"
    cases: Mapping[str, TagCase] = CASES
    counter, second, floating, ghost = "counter", "string", "double", "s=Ghost"
    quick: ClassVar[Mapping[str, Any]] = {"request_timeout_s": 0.5, "keepalive_s": 0.3}
    small_queue: ClassVar[Mapping[str, Any]] = {"queue_limit": 4}
    secrets = ("guess",)
    offers_all = False
    """Whether the server offers every policy that the adapter speaks."""

    def __init__(self, peer: PeerProcess, folder: Path, certificate: str) -> None:
        self.peer = peer
        self._folder = folder
        self._certificate = folder / certificate

    async def ready(self) -> None:
        self.peer.thaw()
        if not self.peer.alive:
            self.peer.start()
        self.peer.ask(do="forget")

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.peer.port

    def adapter(
        self, tags: Mapping[str, Any], address: tuple[str, int] | None = None, **options: Any
    ) -> OpcUa:
        host, port = address or self.address
        options = {"url": f"opc.tcp://{host}:{port}", "namespace": NAMESPACE, **options}
        config = OpcUa.Config.model_validate(options)
        return OpcUa(
            self.device,
            config,
            {name: OpcUa.Tag.model_validate(tag) for name, tag in tags.items()},
        )

    async def set(self, tag: str, value: Value, quality: Quality = Quality.GOOD) -> None:
        sent: Any = value
        if isinstance(value, float) and not math.isfinite(value):
            sent = {"float": str(value)}
        elif tag in ("int64", "uint64"):
            sent = {"big": str(value)}
        self.peer.ask(do="set", tag=self._node(tag), value=sent, quality=str(quality))

    async def written(self, tag: str) -> Sequence[Value]:
        values = [value for name, value in self._writes() if name == self._node(tag)]
        if isinstance(self.cases[tag].values[0], float):
            return [float(value) for value in values]
        return values

    async def order_written(self) -> Sequence[str]:
        names = {self._node(name): name for name in self.cases}
        return [names[name] for name, _ in self._writes()]

    def _writes(self) -> list[tuple[str, Any]]:
        (writes,) = self.peer.ask(do="written")
        return [
            (name, int(value["big"]) if isinstance(value, dict) else value)
            for name, value in writes
        ]

    def _node(self, tag: str) -> str:
        address = self.cases[tag].address
        node = address if isinstance(address, str) else address["node"]
        return str(node).removeprefix("s=")

    async def kill(self) -> None:
        self.peer.kill()

    async def restart(self, *, reordered: bool = False) -> None:
        self.peer.start(*(["--reordered"] if reordered else []))

    async def freeze(self) -> None:
        self.peer.freeze()

    async def thaw(self) -> None:
        self.peer.thaw()

    def refusals(self) -> Mapping[str, tuple[Callable[[], Any], ConnectionFault]]:
        trusting = self._folder / "pki"
        (trusting / "trusted").mkdir(parents=True, exist_ok=True)
        shutil.copy(self._certificate, trusting / "trusted")
        secured = {"policy": "Basic256Sha256", "pki": trusting}
        guess = {**secured, "user": "operator", "password": "guess"}
        distrusting = {"policy": "Basic256Sha256", "pki": self._folder / "pki-empty"}

        def refused(**options: Any) -> Callable[[], OpcUa]:
            tags = {self.counter: self.cases[self.counter].address}
            return lambda: self.adapter(tags, **options)

        return {
            "untrusted certificate": (refused(security=distrusting), ConnectionFault.SECURITY),
            **self._unoffered(refused, trusting),
            "wrong password": (refused(security=guess), ConnectionFault.CREDENTIALS),
            "no such namespace": (
                refused(namespace="urn:absent"),
                ConnectionFault.CONFIGURATION,
            ),
        }

    def _unoffered(
        self, refused: Callable[..., Any], trusting: Path
    ) -> dict[str, tuple[Callable[[], Any], ConnectionFault]]:
        if self.offers_all:
            return {}
        security = {"policy": "Aes256Sha256RsaPss", "pki": trusting}
        return {"unoffered policy": (refused(security=security), ConnectionFault.SECURITY)}


class OpcUaKit(TagsKit):
    """The kit on OPC UA servers."""

    subject: ClassVar[str] = ""


Server = Callable[[Path], PeerProcess]


def running(make: Server, folder: Path) -> Iterator[OpcUaBench]:
    """Yield a bench on a server, which is started when a test first needs it."""
    peer = make(folder)
    yield OpcUaBench(peer, folder, CERTIFICATES[make])
    peer.kill()


@pytest.fixture(scope="module")
def on_asyncua(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpcUaBench]:
    yield from running(asyncua_server, tmp_path_factory.mktemp("asyncua"))


@pytest.fixture(scope="module")
def on_node_opcua(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpcUaBench]:
    yield from running(node_opcua_server, tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="module")
def on_open62541(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpcUaBench]:
    for bench in running(open62541_server, tmp_path_factory.mktemp("open62541")):
        bench.offers_all = True
        bench.cases = {name: case for name, case in CASES.items() if name != "ring"}
        yield bench


class TestOnAsyncua(OpcUaKit):
    subject, peer = "opcua", "asyncua server"

    @pytest.fixture
    def bench(self, on_asyncua: OpcUaBench) -> OpcUaBench:
        return on_asyncua


@needs_node_opcua
class TestOnNodeOpcUa(OpcUaKit):
    subject, peer, independent = "opcua", "node-opcua server", True

    @pytest.fixture
    def bench(self, on_node_opcua: OpcUaBench) -> OpcUaBench:
        return on_node_opcua


@needs_o6
class TestOnOpen62541(OpcUaKit):
    subject, peer, independent = "opcua", "open62541 server", True
    lacks: ClassVar[Mapping[str, str]] = {
        TagsCapability.SEVERAL: "this server does not tell in which order writes came",
    }

    @pytest.fixture
    def bench(self, on_open62541: OpcUaBench) -> OpcUaBench:
        return on_open62541
