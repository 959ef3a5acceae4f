"""JSON over HTTP to an ERP system, with the four ways a request can end."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp

from millhand.errors import ConfigError
from millhand.messages import tr

_MOST_BYTES = 4 * 2**20


class NotSent(Exception):
    """The request never reached the peer: no connection was made."""


class NoAnswer(Exception):
    """The request left and no whole answer came: it may have been carried out."""


class Answer(NamedTuple):
    """What the peer said."""

    status: int
    body: Any


def check_url(url: str) -> str:
    """Return the URL without a slash at its end.

    Raises:
        ConfigError: it would carry secrets in the clear beyond this machine.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ConfigError(
            tr("{url} is neither https nor on this machine.", url=url),
            mend=tr("Give an https address."),
        )
    return url.rstrip("/")


class JsonHttp:
    """One peer. An async context manager; requests are never repeated."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float) -> None:
        self._url = check_url(url)
        self._headers = dict(headers)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(3.0, timeout_s))
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open the session; nothing is sent yet."""
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request and return the answer, whatever its status.

        Raises:
            NotSent: no connection could be made.
            NoAnswer: it left, and no whole answer came.
        """
        assert self._session is not None
        try:
            async with self._session.request(
                method, self._url + path, json=body, params=query, allow_redirects=False
            ) as response:
                content = await response.content.read(_MOST_BYTES + 1)
                if len(content) > _MOST_BYTES:
                    raise NoAnswer(tr("The answer is too large."))
                return Answer(response.status, _decoded(content))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(str(error)) from error
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise NoAnswer(str(error) or type(error).__name__) from error


def _decoded(content: bytes) -> Any:
    import json

    try:
        return json.loads(content)
    except ValueError:
        return None
