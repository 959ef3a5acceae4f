"""The PLC as an OPC UA server in a process of its own.

``python -m millhand_simulated.plc --config cell.json`` writes one JSON line to standard output
once it listens, ``{"url": …, "namespace": …, "pid": …}``, and ends when its standard input is
closed or at the first end signal, so that it never outlives the one who started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hmac
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from asyncua import ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_server import InternalServer
from asyncua.server.server import Server
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import ValidationError

from millhand.errors import ConfigError
from millhand.isolate.server_process import watch_parent
from millhand.messages import tr
from millhand_simulated.plc.config import CellConfig
from millhand_simulated.plc.nodes import Nodes
from millhand_simulated.plc.tags import NAMESPACE
from millhand_simulated.plc.task import Task

APPLICATION_URI = "urn:millhand:simulated:plc"


class _OneUser:
    """Lets in one user by name and password."""

    def __init__(self, name: str, password: str) -> None:
        self._name = name.encode()
        self._password = password.encode()

    def get_user(
        self,
        iserver: InternalServer,  # noqa: ARG002
        username: str | None = None,
        password: str | bytes | None = None,
        certificate: object = None,  # noqa: ARG002
    ) -> User | None:
        """Return the user, or None to refuse."""
        given = password.encode() if isinstance(password, str) else password or b""
        right = hmac.compare_digest((username or "").encode(), self._name)
        right &= hmac.compare_digest(given, self._password)
        return User(role=UserRole.User, name=username) if right else None


@contextlib.asynccontextmanager
async def serve(config: CellConfig, folder: Path) -> AsyncIterator[str]:
    """Run server and PLC task; yield the server's URL once it listens.

    Args:
        config: the cell.
        folder: where the server keeps its certificate and key.

    Raises:
        ConfigError: the password file cannot be read, or the port is taken.
    """
    with _no_collection():
        server = Server(user_manager=_users(config))  # type: ignore[arg-type]
        server.name = "Millhand simulated PLC"
        await server.init()
        await server.set_application_uri(APPLICATION_URI)
        server.set_endpoint(f"opc.tcp://{config.host}:{config.port}/")
        await _secure(server, config, folder)
        nodes = Nodes(server)
        await nodes.build()
    try:
        await server.start()
    except OSError as error:
        raise ConfigError(
            tr(
                "The simulated PLC cannot listen on {host}:{port}: {error}.",
                host=config.host,
                port=config.port,
                error=error.strerror or error,
            ),
            mend=tr("Give another port, or 0 for a free one."),
        ) from error
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(Task(config, nodes).run(), name="plc-task")
            port = server.bserver.port if server.bserver else config.port
            yield f"opc.tcp://{config.host}:{port}/"
            task.cancel()
    finally:
        await server.stop()


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Build thousands of lasting objects without looking for garbage, then never look at them.

    Halves the start, and later keeps the collector's long passes out of the scans.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def _users(config: CellConfig) -> _OneUser | None:
    if config.user is None or config.password_file is None:
        return None
    try:
        password = config.password_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(
            tr("The password file {path} cannot be read.", path=config.password_file),
            mend=tr("Write the password into it, one line."),
        ) from error
    return _OneUser(config.user, password)


async def _secure(server: Server, config: CellConfig, folder: Path) -> None:
    """Set what clients must bring: certificate, user name, both or nothing."""
    token = ua.AnonymousIdentityToken if config.user is None else ua.UserNameIdentityToken
    server.set_identity_tokens([token])
    policies = [] if config.secure else [ua.SecurityPolicyType.NoSecurity]
    if config.secure or config.user is not None:
        policies.append(ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt)
        key, certificate = folder / "plc-key.pem", folder / "plc-certificate.der"
        await setup_self_signed_certificate(
            key,
            certificate,
            APPLICATION_URI,
            config.host,
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
            {"commonName": "Millhand simulated PLC", "organizationName": "Millhand"},
        )
        await server.load_certificate(certificate)
        await server.load_private_key(key)
    server.set_security_policy(policies)


async def _run(config: CellConfig, folder: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    watch_parent(lambda: loop.call_soon_threadsafe(stop.set))
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers here
            loop.add_signal_handler(number, stop.set)
    async with serve(config, folder) as url:
        line = json.dumps({"url": url, "namespace": NAMESPACE, "pid": os.getpid()})
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        await stop.wait()


def main(config_file: Path) -> int:
    """Serve until told to end; return the exit code, 2 for a configuration error."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        config = CellConfig.model_validate_json(config_file.read_bytes())
        asyncio.run(_run(config, config_file.parent))
    except (OSError, ValidationError, ConfigError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0
