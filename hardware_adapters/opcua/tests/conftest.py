from __future__ import annotations

import asyncio
import importlib.util
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest
import pytest_asyncio
from asyncua import ua
from asyncua.common.callback import CallbackType

from millhand.contracts import Write
from millhand.errors import NotAllowed
from millhand_opcua.adapter import OpcUa

HERE = Path(__file__).parent


def _load_plant_server() -> Any:
    spec = importlib.util.spec_from_file_location(
        "millhand_opcua_plant_server", HERE / "plant_server.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


servers = _load_plant_server()


@pytest.fixture(scope="session")
def plant_server() -> Any:
    """The module that builds servers."""
    return servers


async def wait_until(condition: Callable[[], Any], timeout_s: float = 10) -> None:
    """Return when ``condition`` holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def eventually() -> Callable[..., Any]:
    return wait_until


class OnePermit:
    """A permit as the guard makes them: once, for one device."""

    def __init__(self, device: str, *writes: tuple[str, Any]) -> None:
        self.device = device
        self.writes = tuple(Write(tag=tag, value=value) for tag, value in writes)
        self.redeemed = 0

    def redeem(self, device: str) -> tuple[Write, ...]:
        if device != self.device or self.redeemed:
            raise NotAllowed("spent or made out to another device")
        self.redeemed += 1
        return self.writes


@pytest.fixture
def permit() -> Callable[..., OnePermit]:
    def make(*writes: tuple[str, Any], device: str = "plc") -> OnePermit:
        return OnePermit(device, *writes)

    return make


class Plant:
    """A running in-process server, and what was written to it over the wire."""

    def __init__(self, server: Any, index: int) -> None:
        self.server = server
        self.index = index
        self.url = f"opc.tcp://127.0.0.1:{servers.port_of(server)}/plant"
        self.written: list[list[Any]] = []
        """The WriteValues of each Write request, as decoded by the server."""
        self.refuse: dict[str, type[Exception]] = {}
        """Node identifiers whose write makes the whole request fail."""
        server.subscribe_server_callback(CallbackType.PreWrite, self._before_write)

    async def _before_write(self, event: Any, _service: Any) -> None:
        if not event.is_external:
            return
        writes = list(event.request_params.NodesToWrite)
        self.written.append(writes)
        for write in writes:
            if write.NodeId.Identifier in self.refuse:
                raise self.refuse[write.NodeId.Identifier]

    async def set(self, name: str, data: ua.DataValue) -> None:
        await self.server.write_attribute_value(ua.NodeId(name, self.index), data)

    def node(self, name: str) -> Any:
        return self.server.get_node(ua.NodeId(name, self.index))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant() -> AsyncIterator[Plant]:
    """Serve in the test's own loop; a module that asks for it runs all its tests in one loop."""
    server, index = await servers.build()
    async with server:
        yield Plant(server, index)


class Relay:
    """A TCP relay before a server: records what the client sends, can hold back and cut."""

    def __init__(self, url: str) -> None:
        port = int(url.split(":")[2].split("/", maxsplit=1)[0])
        self._upstream = ("127.0.0.1", port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent: list[bytes] = []
        self.answers = asyncio.Event()
        """Cleared: the server's answers are kept back."""
        self.answers.set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"opc.tcp://127.0.0.1:{port}/plant"
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break all connections without a word."""
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        self._writers |= {writer, up_writer}
        for pump in (
            self._pump(reader, up_writer, record=True),
            self._pump(up_reader, writer, record=False),
        ):
            task = asyncio.create_task(pump)
            self._tasks.add(task)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, record: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if record:
                    self.sent.append(data)
                else:
                    await self.answers.wait()
                writer.write(data)
        writer.close()


@pytest_asyncio.fixture(loop_scope="module")
async def relay(plant: Plant) -> AsyncIterator[Relay]:
    async with Relay(plant.url) as running:
        yield running


Adapt = Callable[..., Any]


@pytest.fixture
def adapt() -> Adapt:
    """Return a context manager: a connected adapter for a URL."""

    @asynccontextmanager
    async def make(
        url: str, tags: dict[str, Any], *, connect: bool = True, **config: Any
    ) -> AsyncIterator[OpcUa]:
        adapter = make_adapter(url, tags, **config)
        async with adapter:
            if connect:
                await adapter.wait_connected(10)
            yield adapter

    return make


def make_adapter(url: str, tags: dict[str, Any], **config: Any) -> OpcUa:
    config = {"namespace": servers.NAMESPACE, **config}
    return OpcUa(
        "plc",
        OpcUa.Config(url=url, **config),
        {name: OpcUa.Tag.model_validate(tag) for name, tag in tags.items()},
    )


class ServerProcess:
    """A server in a process of its own, to be killed, frozen and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/plant"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def start(self, *options: str) -> None:
        ready = self._folder / "ready"
        ready.unlink(missing_ok=True)
        command = [sys.executable, str(HERE / "plant_server.py"), str(self.port)]
        self._process = subprocess.Popen(  # noqa: ASYNC220  outlives the loop of one test
            [*command, "--ready", str(ready), *options], stderr=subprocess.DEVNULL
        )
        await wait_until(lambda: not self.alive or (ready.exists() and ready.read_text()), 90)
        assert self.alive
        self.port = int(ready.read_text())

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="module")
def shared_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path_factory.mktemp("server"))
    yield server
    server.kill()


@pytest.fixture
async def process(shared_process: ServerProcess) -> AsyncIterator[ServerProcess]:
    """A running server; a test may leave it frozen or dead, its values are not reset."""
    if not shared_process.alive:
        await shared_process.start()
    yield shared_process
    if shared_process.alive:
        shared_process.signal(signal.SIGCONT)
