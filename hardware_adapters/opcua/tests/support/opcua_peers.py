"""The real OPC UA servers of these tests, each in a process of its own, and whether they are here.

``source .ci/peers`` brings node-opcua (``NODE_PATH``) and open62541 (``O6_PATH``; o6's wheel, which
is installed apart, because it is a peer of tests and no library of ours).
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from millhand.testing import PeerProcess

HERE = Path(__file__).parents[1]
NODE = shutil.which("node")


@functools.cache
def node_opcua_installed() -> bool:
    """Whether ``node`` finds node-opcua."""
    command = [str(NODE), "-e", "require.resolve('node-opcua-server')"]
    return NODE is not None and subprocess.run(command, check=False).returncode == 0


def o6_installed() -> bool:
    """Whether Python finds o6, by itself or below ``O6_PATH``."""
    folder = os.environ.get("O6_PATH")
    apart = folder is not None and (Path(folder) / "o6").is_dir()
    return apart or importlib.util.find_spec("o6") is not None


needs_node_opcua = pytest.mark.skipif(
    not node_opcua_installed(), reason="node-opcua is not installed: source .ci/peers"
)
needs_o6 = pytest.mark.skipif(
    not o6_installed(), reason="open62541 (o6) is not installed: source .ci/peers"
)


def asyncua_server(folder: Path) -> PeerProcess:
    """An asyncua server that keeps its certificate in ``folder``; not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    return PeerProcess(sys.executable, str(HERE / "asyncua_peer.py"), str(folder))


def node_opcua_server(folder: Path) -> PeerProcess:
    """A node-opcua server; see :func:`asyncua_server`."""
    folder.mkdir(parents=True, exist_ok=True)
    return PeerProcess(str(NODE), str(HERE / "node_peer.js"), str(folder))


def open62541_server(folder: Path) -> PeerProcess:
    """An open62541 server; see :func:`asyncua_server`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [path for path in (os.environ.get(name) for name in ("O6_PATH", "PYTHONPATH")) if path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, str(HERE / "o6_peer.py"), str(folder)]
    return PeerProcess(*command, environment=environment)


CERTIFICATES = {
    asyncua_server: "server.der",
    node_opcua_server: "server/own/certs/certificate.pem",
    open62541_server: "server.der",
}
"""Where a server keeps its certificate, below its folder."""
EVERY_SERVER = [
    pytest.param(asyncua_server, id="asyncua"),
    pytest.param(node_opcua_server, id="node-opcua", marks=needs_node_opcua),
    pytest.param(open62541_server, id="open62541", marks=needs_o6),
]
