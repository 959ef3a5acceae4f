"""Freezes a process in the middle of writing a command.

``plan`` says what happens: ``pid`` is the process to stop, 0 for this one; ``command`` before which
command of this process's life, counted from 1; ``before`` which bytes: those of the record
(``record``: the permit is spent, nothing has left) or of the id that makes it valid (``id``).
"""

from __future__ import annotations

import itertools
import os
import signal
from contextvars import ContextVar
from typing import Any

from asyncua import ua

from millhand.contracts import Permit, WriteResult
from millhand_opcua import writing
from millhand_opcua.adapter import OpcUa
from millhand_opcua.connection import Online

plan: dict[str, Any] = {}
_commands = itertools.count(1)
_batches_left: ContextVar[int] = ContextVar("batches_left", default=0)


def freeze() -> None:
    pid = plan["pid"] or os.getpid()
    os.write(1, f"frozen {pid}\n".encode())
    os.kill(pid, signal.SIGSTOP)


def install() -> None:
    """Put the freezing under the adapter's own write."""
    write, send_batch = OpcUa.write, writing._send_batch

    async def counted_write(self: OpcUa, permit: Permit) -> WriteResult:
        commands = any(one.tag == "result.id" for one in permit.writes)
        if plan and commands and next(_commands) == plan["command"]:
            _batches_left.set(1 if plan["before"] == "record" else 2)
        return await write(self, permit)

    async def freezing_send(online: Online, nodes: list[ua.WriteValue]) -> list[int]:
        left = _batches_left.get()
        _batches_left.set(max(0, left - 1))
        if left == 1:
            freeze()
        return await send_batch(online, nodes)

    OpcUa.write = counted_write  # type: ignore[method-assign]
    writing._send_batch = freezing_send
