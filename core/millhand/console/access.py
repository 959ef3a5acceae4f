"""Who may ask the console: the right host name on loopback, the right token anywhere else.

The host name is looked at because a web page of a stranger can point a name of its own at
127.0.0.1 and let the visitor's browser ask (DNS rebinding).
"""

from __future__ import annotations

import hmac
from collections.abc import Collection

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN = frozenset({"/livez"})
"""Paths that tell nothing and are open to all who can reach the address."""
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'"),
)


class Gatekeeper:
    """Middleware that lets through only who may ask.

    Args:
        app: what is asked.
        token: what must be shown; None lets everybody on this computer ask.
        local: whether only this computer can reach us, so that only its names are right.
    """

    def __init__(self, app: ASGIApp, *, token: SecretStr | None, local: bool) -> None:
        self._app = app
        self._token = None if token is None else token.get_secret_value().encode()
        self._names: Collection[str] | None = _LOCAL_NAMES if local else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope["path"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, path: str, headers: Headers) -> PlainTextResponse | None:
        if self._names is not None and _name(headers.get("host", "")) not in self._names:
            return PlainTextResponse("unknown host name\n", 421)
        if self._token is None or path in OPEN:
            return None
        kind, _, shown = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and hmac.compare_digest(shown.encode(), self._token):
            return None
        return PlainTextResponse(
            "show the token of this cell\n", 401, {"WWW-Authenticate": "Bearer"}
        )


def _name(host: str) -> str:
    """Return the host of ``host:port``, keeping the brackets of an IPv6 address."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()


def _with_headers(send: Send) -> Send:
    async def forward(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        await send(message)

    return forward
