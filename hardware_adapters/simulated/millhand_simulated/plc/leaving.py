"""Leave a session with a PLC that may have gone before: nothing to warn of.

asyncua warns, as of a mistake, where a session is closed whose connection was lost. A plant that is
ended after its PLC was killed does just that. Only lines from inside the block are touched.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_leaving: ContextVar[bool] = ContextVar("millhand_simulated_leaving", default=False)


def _not_while_leaving(record: logging.LogRecord) -> bool:
    return record.levelno > logging.WARNING or not _leaving.get()


for _name in ("asyncua.client.ua_session.UaSession", "asyncua.client.ua_client.UaClient"):
    logging.getLogger(_name).addFilter(_not_while_leaving)


@contextmanager
def leaving() -> Iterator[None]:
    """Keep asyncua's warnings about a connection that has gone out of the log."""
    token = _leaving.set(True)
    try:
        yield
    finally:
        _leaving.reset(token)
