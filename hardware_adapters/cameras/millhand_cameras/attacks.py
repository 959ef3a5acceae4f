"""What a camera made of files does with hostile ones, beside the attacked cell."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image

from millhand.attack import Finding, judged
from millhand.attack.arena import Arena
from millhand.contracts import CaptureRequest
from millhand.errors import Unavailable
from millhand.messages import tr
from millhand_cameras.config import FolderConfig
from millhand_cameras.folder import FolderCamera

_IN_TIME_NS = 5_000_000_000


class HostilePictures:
    """Files that lie about their size, end too early, or are no pictures."""

    title = tr("Picture files that are bombs, cut off, or no pictures")
    promise = 14

    async def run(self, arena: Arena) -> Finding:
        """Let a camera show each; every one must be refused, and a good one after them shown."""
        folder = arena.folder / "hostile-pictures"
        folder.mkdir()
        for number, make in enumerate(_HOSTILE.values()):
            make(folder / f"{number}.png")
        Image.new("RGB", (32, 32), "grey").save(folder / f"{len(_HOSTILE)}.png")
        shown = []
        async with FolderCamera("hostile", FolderConfig(path=folder, at_end="end")) as camera:
            for number, name in enumerate((*_HOSTILE, "good")):
                deadline = time.monotonic_ns() + _IN_TIME_NS
                request = CaptureRequest(
                    trigger_seq=number, part_id=name, deadline_monotonic_ns=deadline
                )
                try:
                    await camera.capture(request)
                except Unavailable:
                    continue
                shown.append(name)
        if arena.has_line:
            await arena.recovered()
        return judged(
            shown == ["good"],
            tr("camera: limits of the decoder"),
            tr("{count} hostile files; shown: {shown}", count=len(_HOSTILE),
               shown=", ".join(shown) or "-"),
        )  # fmt: skip


def _bomb(path: Path) -> None:
    """Say 60,000 by 60,000 pixels in a few bytes."""
    _write_png(path, 60_000, 60_000, zlib.compress(bytes(10_000_000), 9))


def _cut_off(path: Path) -> None:
    """End in the middle of the pixels."""
    Image.effect_noise((256, 256), 50).save(path)
    path.write_bytes(path.read_bytes()[:2_000])


def _overlong(path: Path) -> None:
    """Hold far fewer rows than it says."""
    _write_png(path, 4_000, 4_000, zlib.compress(bytes(100)))


def _script(path: Path) -> None:
    """Be something else under a picture's name."""
    path.write_text("#!/bin/sh\nrm -rf /\n", encoding="utf-8")


def _floating(path: Path) -> None:
    """Hold numbers without a known range."""
    Image.new("F", (64, 64), float("nan")).save(path, format="TIFF")


def _write_png(path: Path, width: int, height: int, pixels: bytes) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


_HOSTILE: Mapping[str, Callable[[Path], None]] = {
    "bomb": _bomb,
    "cut off": _cut_off,
    "overlong": _overlong,
    "script": _script,
    "floating": _floating,
}
