from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

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


plant_server = _load_plant_server()


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
    """A running in-process server."""

    def __init__(self, server: Any, index: int) -> None:
        self.server = server
        self.index = index
        self.url = f"opc.tcp://127.0.0.1:{plant_server.port_of(server)}/plant"

    def node(self, name: str) -> Any:
        from asyncua import ua

        return self.server.get_node(ua.NodeId(name, self.index))


@pytest.fixture
async def plant() -> AsyncIterator[Plant]:
    server, index = await plant_server.build()
    async with server:
        yield Plant(server, index)


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
    config = {"namespace": plant_server.NAMESPACE, **config}
    return OpcUa(
        "plc",
        OpcUa.Config(url=url, **config),
        {name: OpcUa.Tag.model_validate(tag) for name, tag in tags.items()},
    )


class ServerProcess:
    """A server in a process of its own, to be killed, frozen and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/plant"

    async def start(self, *options: str) -> None:
        ready = self._folder / "ready"
        ready.unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "plant_server.py"),
            str(self.port),
            "--ready",
            str(ready),
            *options,
            stderr=asyncio.subprocess.DEVNULL,
        )
        while not (ready.exists() and ready.read_text()):
            assert self._process.returncode is None
            await asyncio.sleep(0.02)
        self.port = int(ready.read_text())

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    server = ServerProcess(tmp_path)
    await server.start()
    yield server
    await server.kill()
