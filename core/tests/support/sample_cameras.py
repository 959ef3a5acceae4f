"""A camera whose library crashes, hangs or holds up its loop, and an agent that looks at it.

Both are built in processes of their own, so they live in a module.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import time
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import numpy as np
from pydantic import BaseModel, SecretStr
from sample_agents import Passes

from millhand.contracts import CaptureRequest, Frame, FrameRef, Health, Link, Needs, TriggerKind
from millhand.errors import ConfigError
from millhand.journal.blobs import frame_hash


class CameraConfig(BaseModel):
    height: int = 4
    password: SecretStr = SecretStr("")
    path: Path = Path()
    refuses: bool = False


class Camera:
    """What it does is said by the part in front of it."""

    Config: ClassVar[type[BaseModel]] = CameraConfig

    def __init__(self, name: str, config: CameraConfig) -> None:
        if config.refuses:
            raise ConfigError("This camera refuses its options.", mend="Give it others.")
        self._name = name
        self._config = config
        self._count = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def health(self) -> Health:
        return Health(link=Link.UP, detail=str(self._config.path))

    async def capture(self, request: CaptureRequest) -> Frame:
        what, _, number = request.part_id.partition(" ")
        match what:
            case "crash":
                ctypes.string_at(0)  # as a vendor's library would: SIGSEGV
            case "block":
                time.sleep(60)  # noqa: ASYNC251  a library that holds up the loop
            case "slow":
                await asyncio.sleep(0.5)
            case "raise":
                raise ZeroDivisionError("by design")
        self._count += 1
        size = self._config.height
        pixels = np.full((size, size * 2, 3), int(number or 0), np.uint8)
        ref = FrameRef(
            camera=self._name,
            sha256=frame_hash(pixels),
            height=size,
            width=size * 2,
            frame_seq=self._count,
            trigger_seq=request.trigger_seq,
            origin=f"{os.getpid()} {self._config.password.get_secret_value()}",
        )
        return Frame(ref, pixels)


class Looks(Passes):
    """Passes what it sees."""

    def needs(self) -> Needs:
        return Needs(
            triggers=frozenset({TriggerKind.PART}),
            frames=frozenset({"frame"}),
            actions=super().needs().actions,
            light=True,
        )
