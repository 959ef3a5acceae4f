"""A small MQTT broker inside this process, for demonstrations: amqtt (MIT).

It keeps nothing and lets everybody in, so it listens on loopback alone. A plant runs mosquitto or
another real broker.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from millhand.errors import ConfigError, Unavailable
from millhand.messages import tr

PROTOCOL = "3.1.1"
"""The only version that it speaks."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def embedded_broker(port: int) -> AsyncIterator[str]:
    """Serve on 127.0.0.1 while entered; yields the broker's URL.

    Raises:
        ConfigError: amqtt is not installed.
        Unavailable: the port is taken.
    """
    try:
        from amqtt.broker import Broker
        from amqtt.errors import AMQTTError
    except ImportError as error:
        raise ConfigError(
            tr("The embedded broker needs amqtt."),
            mend="pip install 'millhand-vda5050[broker]'",
        ) from error
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.ERROR)
    config: dict[str, Any] = {
        "listeners": {
            "default": {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 0}
        },
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(config)
    try:
        await broker.start()
    except (AMQTTError, OSError) as error:
        raise Unavailable(
            tr("Port {port} cannot be served: {reason}", port=port, reason=error),
            mend=tr("Choose another port."),
        ) from None
    try:
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        await broker.shutdown()
