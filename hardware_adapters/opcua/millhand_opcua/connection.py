"""Keep one session with the server: connect, notice its end, connect again, for ever."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog

from millhand.contracts import ConnectionFault, Health, Link
from millhand.errors import NeedsPerson, Unavailable
from millhand.links import LinkHealth
from millhand.messages import tr
from millhand_opcua.certificates import OwnCertificate, own_certificate
from millhand_opcua.config import RETRY_LIMIT_S, OpcUaConfig, OpcUaTag, Policy
from millhand_opcua.connecting import open_session
from millhand_opcua.faults import Fault, LinkLost, Refused
from millhand_opcua.publishing import Publisher
from millhand_opcua.quiet import quietly
from millhand_opcua.session import Session
from millhand_opcua.variables import Variable, describe, locate

_FIRST_RETRY_S = 0.1

log = structlog.get_logger(__name__)


class Online:
    """A session together with what the server says of each tag in it."""

    def __init__(self, session: Session, variables: dict[str, Variable]) -> None:
        self.session = session
        self.variables = variables
        self.publisher = Publisher(session)


class Connection:
    """The link to one server. ``online`` is None while there is none."""

    def __init__(self, name: str, config: OpcUaConfig, tags: Mapping[str, OpcUaTag]) -> None:
        self.online: Online | None = None
        self._name = name
        self._config = config
        self._tags = tags
        self._link = LinkHealth(name)
        self._task: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> int:
        """Number of the session; 0 before the first."""
        return self._link.epoch

    @property
    def health(self) -> Health:
        """How the link is now."""
        return self._link.now

    async def start(self) -> None:
        """Load own certificate, then keep connecting in the background.

        Raises:
            ConfigError: the certificate or key cannot be read or made.
        """
        own = await self._load_own()
        with quietly():
            self._task = asyncio.create_task(self._run(own), name=f"opcua {self._name}")

    async def _load_own(self) -> OwnCertificate | None:
        security = self._config.security
        if security.policy is Policy.NONE:
            return None
        with ThreadPoolExecutor(1) as thread:
            return await asyncio.get_running_loop().run_in_executor(
                thread, own_certificate, security, self._config.application_uri
            )

    async def stop(self) -> None:
        """End the session and the background task; works even when cancelled."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        try:
            await asyncio.gather(task, return_exceptions=True)
        finally:
            self.online = None
            self._link.close()

    async def wait_online(self) -> Online:
        """Return the session, as soon as there is one."""
        while self.online is None:
            await self.change()
        return self.online

    async def wait_next(self, before: Online) -> None:
        """Return when ``before`` is no longer the session in use."""
        while self.online is before:
            await self.change()

    async def change(self) -> None:
        """Return when the health has changed."""
        await self._link.change()

    async def _run(self, own: OwnCertificate | None) -> None:
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                online = await self._connect(own)
            except NeedsPerson as error:
                fault = error.fault if isinstance(error, Refused) else ConnectionFault.CONFIGURATION
                self._link.set(Link.REFUSED, error.message, fault, error.mend)
                pause_s = self._config.refused_retry_s
            except Unavailable as error:
                self._unreachable(error.message)
                pause_s, retry_s = retry_s, min(retry_s * 2, RETRY_LIMIT_S)
            else:
                came = time.monotonic()
                await self._stay(online)
                if time.monotonic() - came > RETRY_LIMIT_S:
                    retry_s = _FIRST_RETRY_S
                pause_s, retry_s = retry_s, min(retry_s * 2, RETRY_LIMIT_S)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  jitter

    async def _connect(self, own: OwnCertificate | None) -> Online:
        session = await open_session(self._config, own, self.epoch + 1)
        try:
            variables = self._locate(session)
            await describe(session, variables.values())
        except Fault as fault:
            session.lose(str(fault))
            raise LinkLost(str(fault)) from None
        except BaseException:
            session.lose(tr("closed"))
            raise
        return Online(session, variables)

    def _locate(self, session: Session) -> dict[str, Variable]:
        namespace = self._config.namespace
        if namespace and namespace not in session.namespaces:
            raise self._no_namespace(namespace, session)
        try:
            return locate(self._tags, namespace, session.namespaces)
        except KeyError as error:
            raise self._no_namespace(error.args[0], session) from None

    def _no_namespace(self, uri: str, session: Session) -> Refused:
        return Refused(
            tr("{url} has no namespace {uri}.", url=self._config.url, uri=uri),
            fault=ConnectionFault.CONFIGURATION,
            mend=tr("It has: {uris}.", uris=", ".join(session.namespaces)),
        )

    async def _stay(self, online: Online) -> None:
        """Hold the session until it ends."""
        session = online.session
        self._link.epoch = session.epoch
        self.online = online
        troubles = _troubles(online.variables)
        self._link.set(Link.UP, troubles)
        if troubles:
            log.warning("tags cannot be used as declared", device=self._name, detail=troubles)
        try:
            await session.watch(self._config.keepalive_s)
        finally:
            self.online = None
            await online.publisher.stop()
            await session.close(min(1.0, self._config.request_timeout_s))
        self._unreachable(session.reason)

    def _unreachable(self, reason: str) -> None:
        mend = tr(
            "It is tried again by itself. Check that the server runs at {url} and that no firewall "
            "is between.",
            url=self._config.url,
        )
        self._link.set(Link.DOWN, reason, ConnectionFault.NETWORK, mend)


def _troubles(variables: Mapping[str, Variable]) -> str:
    """Say which tags the server does not know, or has with another type."""
    return "; ".join(
        tr("{tag}: {trouble}", tag=name, trouble=variable.trouble)
        for name, variable in variables.items()
        if variable.trouble
    )
