"""The console's web server: it runs on the engine's own loop and ends with it.

``/livez``    the loop turns; nothing else is looked at
``/readyz``   the cell can decide and act, or why not (503)
``/metrics``  Prometheus

On the engine's loop: one that is blocked does not answer, which is what a probe wants to know.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from millhand.console.access import Gatekeeper
from millhand.console.health import readiness
from millhand.console.metrics import CONTENT_TYPE, Metrics
from millhand.contracts.codec import to_json
from millhand.errors import ConfigError, Unavailable
from millhand.messages import tr
from millhand.scenario.console import Console
from millhand.scenario.load import Scenario

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from millhand.engine.snapshot import EngineSnapshot

_STOP_S = 2


@asynccontextmanager
async def serve(
    scenario: Scenario, snapshot: Callable[[], EngineSnapshot]
) -> AsyncIterator[str | None]:
    """Serve the console that a scenario asks for; yield its URL, None where it asks for none.

    Args:
        scenario: says where, to whom, and under which certificate.
        snapshot: how the engine is now; called on this loop.

    Raises:
        ConfigError: token or certificate cannot be had.
        Unavailable: the address is taken.
    """
    console = scenario.file.console
    if console is None:
        yield None
        return
    token = None if console.token is None else scenario.secret(console.token)
    with _listening(console) as channel:
        server = _Server(_config(scenario, console, application(snapshot, console, token)))
        running = asyncio.create_task(server.serve(sockets=[channel]), name="console")
        try:
            await server.listening(running)
            scheme = "http" if console.tls is None else "https"
            host, port = channel.getsockname()[:2]
            yield f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        finally:
            server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await running


def application(
    snapshot: Callable[[], EngineSnapshot], console: Console, token: SecretStr | None
) -> ASGIApp:
    """Build what answers, behind the gatekeeper."""
    metrics = Metrics(snapshot)

    async def livez(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        found = readiness(snapshot())
        return Response(to_json(found), 200 if found.ready else 503, media_type="application/json")

    async def scrape(_request: Request) -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    routes = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", scrape)]
    return Gatekeeper(Starlette(routes=routes), token=token, local=console.listen.loopback)


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs the engine."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def listening(self, running: asyncio.Task[None]) -> None:
        """Return once requests are answered."""
        while not self.started:
            if running.done():
                raise Unavailable(tr("The console did not start."))
            await asyncio.sleep(0.01)


def _config(scenario: Scenario, console: Console, app: ASGIApp) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_STOP_S,
        limit_concurrency=64,
        h11_max_incomplete_event_size=16_384,
    )
    if console.tls is not None:
        config.ssl_certfile = str(scenario.folder / console.tls.certificate)
        config.ssl_keyfile = str(scenario.folder / console.tls.private_key)
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            tr("The console's certificate cannot be used: {reason}.", reason=error),
            mend=tr("Give a PEM certificate and its PEM key, without a passphrase."),
        ) from error
    return config


@contextmanager
def _listening(console: Console) -> Iterator[socket.socket]:
    host, port = console.listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        channel = socket.create_server((host, port), family=family)
    except OSError as error:
        raise Unavailable(
            tr("The console cannot listen on {address}: {reason}.", address=console.listen,
               reason=error.strerror or error),
            mend=tr("Give another port under console: listen."),
        ) from error  # fmt: skip
    with channel:
        yield channel
