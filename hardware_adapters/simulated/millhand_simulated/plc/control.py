"""The simulation's control panel over OPC UA: buttons, gauges, faults, counters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.ua.uaerrors import UaError
from cryptography.x509.oid import ExtendedKeyUsageOID

from millhand.errors import Unavailable
from millhand.messages import tr
from millhand_simulated.plc.config import CellConfig
from millhand_simulated.plc.leaving import leaving
from millhand_simulated.plc.tags import ALL, NAMESPACE, Kind

_APPLICATION_URI = "urn:millhand:simulated:panel"
_TIMEOUT_S = 10.0
_SESSION_MS = 60_000
_VARIANTS: dict[Kind, ua.VariantType] = {
    "DINT": ua.VariantType.Int32,
    "STRING": ua.VariantType.String,
    "BOOL": ua.VariantType.Boolean,
    "LREAL": ua.VariantType.Double,
}
_KINDS = {tag.path: tag.kind for tag in ALL}


class Control:
    """A session of its own with the simulated PLC. Tags go by path: ``Fault.EStop``."""

    def __init__(self, url: str, config: CellConfig, folder: Path) -> None:
        self._config = config
        self._folder = folder
        # A PLC that was frozen for a moment is still the one that we speak to, and a panel that
        # nobody touches asks often enough to stay a session.
        ask_every_s = _SESSION_MS / 1000 / 4
        self._client = Client(url, timeout=_TIMEOUT_S, watchdog_intervall=ask_every_s)
        self._client.session_timeout = _SESSION_MS
        self._index = 0

    async def __aenter__(self) -> Self:
        with self._errors():
            await self._identify()
            await self._client.connect()
            self._index = await self._client.get_namespace_index(NAMESPACE)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._errors(), leaving():
                await self._client.disconnect()
        except Unavailable:
            pass  # it has gone before us, which is all that was wanted

    async def read(self, path: str) -> Any:
        """Return a tag's value.

        Raises:
            Unavailable: the PLC has gone away.
        """
        return (await self.read_all(path))[0]

    async def read_all(self, *paths: str) -> list[Any]:
        """Return the values of tags, read in one request.

        Raises:
            Unavailable: the PLC has gone away.
        """
        nodes = [self._client.get_node(self._node_id(path)) for path in paths]
        with self._errors():
            return list(await self._client.read_values(nodes))

    async def write(self, path: str, value: bool | int | str) -> None:
        """Write one tag.

        Raises:
            Unavailable: the PLC has gone away.
        """
        variant = ua.Variant(value, _VARIANTS[_KINDS[path]])
        with self._errors():
            await self._client.get_node(self._node_id(path)).write_value(ua.DataValue(variant))

    async def write_all(self, **values: bool | int | str) -> None:
        """Write several tags in one request, in order; ``__`` in a name stands for a dot.

        Raises:
            Unavailable: the PLC has gone away.
        """
        named = {name.replace("__", "."): value for name, value in values.items()}
        nodes = [self._client.get_node(self._node_id(path)) for path in named]
        data = [
            ua.DataValue(ua.Variant(value, _VARIANTS[_KINDS[path]]))
            for path, value in named.items()
        ]
        with self._errors():
            await self._client.write_values(nodes, data)

    def _node_id(self, path: str) -> ua.NodeId:
        return ua.NodeId(ua.String(path), ua.Int16(self._index))

    async def _identify(self) -> None:
        config = self._config
        if config.user is not None and config.password_file is not None:
            self._client.set_user(config.user)
            self._client.set_password(config.password_file.read_text(encoding="utf-8").strip())
        if config.secure:
            key, certificate = self._folder / "panel-key.pem", self._folder / "panel.der"
            await setup_self_signed_certificate(
                key,
                certificate,
                _APPLICATION_URI,
                config.host,
                [ExtendedKeyUsageOID.CLIENT_AUTH],
                {"commonName": "Millhand simulation panel", "organizationName": "Millhand"},
            )
            self._client.application_uri = _APPLICATION_URI
            await self._client.set_security(
                SecurityPolicyBasic256Sha256, str(certificate), str(key)
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, TimeoutError, ConnectionError, UaError) as error:
            raise Unavailable(
                tr("The simulated PLC does not answer: {reason}", reason=error or type(error))
            ) from error
