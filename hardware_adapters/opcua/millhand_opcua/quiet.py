"""Keep asyncua's own log lines about our sessions at debug level.

asyncua logs a lost link as errors with tracebacks, again and again; this adapter says it once,
in its own words. Only lines from our own sessions are touched: another user of asyncua in the same
process (a simulated PLC, an embedding program) keeps its log as it is.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar, Token

_LOGGERS = (
    "asyncua.client.client",
    "asyncua.client.ua_client.UaClient",
    "asyncua.client.ua_client.UASocketProtocol",
    "asyncua.client.ua_session.UaSession",
    "asyncua.crypto.uacrypto",
    "asyncua.uaprotocol",
)

_ours: ContextVar[bool] = ContextVar("millhand_opcua_session", default=False)


class _Demote(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if not _ours.get():
            return True
        record.levelno = logging.DEBUG
        record.levelname = logging.getLevelName(logging.DEBUG)
        return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)


_demote = _Demote()


for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_demote)


class quietly:  # noqa: N801  reads as a statement: with quietly(): …
    """Demote what asyncua logs inside the block, and in sockets and tasks started in it."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token: Token[bool] = _ours.set(True)

    def __exit__(self, *_error: object) -> None:
        _ours.reset(self._token)
