"""Start one of our own processes and connect with it, and with nobody else."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable

from millhand.isolate.frames import MemfdRegion, NamedRegion
from millhand.isolate.wire import WorkerLost
from millhand.messages import tr

_NICE = 10
"""Set before the process has begun, so that all its threads and its start give way too."""
HAS_SOCKET_PAIR = hasattr(socket, "AF_UNIX")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Process = subprocess.Popen[bytes]


async def spawn(
    module: str,
    region: MemfdRegion | NamedRegion,
    *arguments: str,
    loopback: bool = not HAS_SOCKET_PAIR,
    yields: bool = False,
) -> tuple[Process, socket.socket]:
    """Run ``python -m MODULE CONNECTION REGION …``; return the process and our end of the way.

    Args:
        module: a module of ours that is a program.
        region: memory that is shared with it.
        arguments: what else it is told.
        loopback: connect over loopback TCP with a one-time token instead of a socket pair
            (the only way on Windows).
        yields: give way to processes that do not, where there is not enough processor for all.

    Raises:
        WorkerLost: over loopback, nobody connected in time.
    """
    start = functools.partial(_popen, module, region, arguments, yields=yields)
    if loopback:
        return await _over_loopback(module, start)
    ours, theirs = socket.socketpair()
    with theirs:
        process = start(f"fd:{theirs.fileno()}", inherit=(theirs.fileno(),))
    ours.setblocking(False)
    return process, ours


async def _over_loopback(
    module: str, start: Callable[..., Process]
) -> tuple[Process, socket.socket]:
    token = secrets.token_bytes(32)
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        server.setblocking(False)
        way = f"tcp:{server.getsockname()[1]}"
        process = start(way, standard_input=token.hex().encode() + b"\n")
        try:
            while True:
                connection, _ = await asyncio.wait_for(loop.sock_accept(server), timeout=30)
                connection.setblocking(False)
                received = await asyncio.wait_for(_receive_exactly(connection, 32), timeout=5)
                if secrets.compare_digest(received, token):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return process, connection
                connection.close()
        except BaseException as error:
            process.kill()
            process.wait()
            if isinstance(error, TimeoutError):
                raise WorkerLost(tr("{module} did not connect.", module=module)) from error
            raise


def _popen(
    module: str,
    region: MemfdRegion | NamedRegion,
    arguments: tuple[str, ...],
    connection: str,
    *,
    inherit: tuple[int, ...] = (),
    standard_input: bytes = b"",
    yields: bool,
) -> Process:
    process = subprocess.Popen(  # noqa: S603  our own interpreter and module
        [sys.executable, "-m", module, connection, region.handle, *arguments],
        stdin=subprocess.PIPE if standard_input else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(*inherit, *region.inherited) if os.name == "posix" else (),
        env={**_ONE_THREAD, **os.environ},
    )
    if yields and hasattr(os, "setpriority"):
        nice = max(_NICE, os.getpriority(os.PRIO_PROCESS, 0))
        os.setpriority(os.PRIO_PROCESS, process.pid, nice)
    if process.stdin is not None:
        process.stdin.write(standard_input)
        process.stdin.close()
    return process


async def _receive_exactly(connection: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    received = b""
    while len(received) < count:
        more = await loop.sock_recv(connection, count - len(received))
        if not more:
            break
        received += more
    return received
