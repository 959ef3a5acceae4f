"""Shared memory: pixels and documents cross to a worker without being part of a message.

On Linux an anonymous ``memfd`` is used; its pages are really allocated (``posix_fallocate``), so
that a full memory shows as an error here and not as a killed process in the middle of a copy.
Elsewhere a named block of :mod:`multiprocessing.shared_memory` serves.
"""

from __future__ import annotations

import mmap
import os
import sys
from multiprocessing import resource_tracker, shared_memory
from typing import TYPE_CHECKING

from millhand.errors import Unavailable
from millhand.isolate.messages import DocumentSlot, FrameSlot
from millhand.messages import tr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HAS_MEMFD = hasattr(os, "memfd_create") and hasattr(os, "posix_fallocate")
_ALIGNMENT = 64


class MemoryFull(Unavailable):
    """There is no memory for what is to cross to a worker; the worker itself is well."""


class MemfdRegion:
    """A region in an anonymous file. ``fd`` is None for the process that creates it."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = os.memfd_create("millhand-frames", os.MFD_CLOEXEC) if fd is None else fd
        self._map: mmap.mmap | None = None
        self.size = 0

    @property
    def handle(self) -> str:
        """The file descriptor's number, which the worker inherits unchanged."""
        return f"memfd:{self._fd}"

    @property
    def inherited(self) -> tuple[int, ...]:
        """The one descriptor."""
        return (self._fd,)

    def grow(self, size: int) -> None:
        """Allocate at least ``size`` bytes.

        Raises:
            MemoryFull: there is not enough memory.
        """
        if size <= self.size:
            return
        try:
            os.posix_fallocate(self._fd, 0, size)
        except OSError as error:
            raise MemoryFull(
                tr("No memory for frames of {size} bytes: {error}.", size=size, error=error)
            ) from error
        self.attach(size)

    def attach(self, size: int) -> None:
        """Map what the other side has allocated."""
        self._map = mmap.mmap(self._fd, size)
        self.size = size

    def view(self) -> memoryview:
        """The bytes; valid until the region grows."""
        return memoryview(b"") if self._map is None else memoryview(self._map)

    def close(self) -> None:
        """Give the descriptor back; the mapping goes with its last user."""
        self._map = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class NamedRegion:
    """A region in a named block of fixed size, for systems without ``memfd``."""

    FIXED_SIZE = 128 * 2**20

    def __init__(self, name: str | None = None) -> None:
        self._owner = name is None
        if name is None:
            self._block = shared_memory.SharedMemory(create=True, size=self.FIXED_SIZE)
        else:
            self._block = _attach_untracked(name)
        self.size = self._block.size

    @property
    def handle(self) -> str:
        """The block's name."""
        return f"named:{self._block.name}"

    @property
    def inherited(self) -> tuple[int, ...]:
        """None: the block is found by its name."""
        return ()

    def grow(self, size: int) -> None:
        """Check that ``size`` bytes fit.

        Raises:
            MemoryFull: they do not.
        """
        if size > self.size:
            raise MemoryFull(tr("Frames of {size} bytes do not fit the shared memory.", size=size))

    def attach(self, size: int) -> None:
        """Nothing to do: the block is mapped whole."""

    def view(self) -> memoryview:
        """The bytes."""
        return self._block.buf if self._block.buf is not None else memoryview(b"")

    def close(self) -> None:
        """Unmap, and remove the block where we made it."""
        self._block.close()
        if self._owner:
            self._block.unlink()


def _attach_untracked(name: str) -> shared_memory.SharedMemory:
    """Attach without this process removing the block when it ends (python/cpython 82300)."""
    if sys.version_info >= (3, 13):
        return shared_memory.SharedMemory(name=name, track=False)
    block = shared_memory.SharedMemory(name=name)
    if os.name == "posix":
        resource_tracker.unregister(f"/{block.name.lstrip('/')}", "shared_memory")
    return block


def create_region(*, named: bool = not HAS_MEMFD) -> MemfdRegion | NamedRegion:
    """Make the engine's side of a region."""
    return NamedRegion() if named else MemfdRegion()


def attach_region(handle: str) -> MemfdRegion | NamedRegion:
    """Make the worker's side of a region from its handle."""
    kind, _, rest = handle.partition(":")
    return MemfdRegion(int(rest)) if kind == "memfd" else NamedRegion(rest)


def warm_up() -> None:
    """Import what the first frame would otherwise wait for, 100 ms and more. Blocks."""
    import numpy as np

    np.frombuffer(b"\0", dtype=np.uint8)


def place_frames(
    region: MemfdRegion | NamedRegion, frames: dict[str, NDArray[np.uint8]]
) -> tuple[FrameSlot, ...]:
    """Copy frames by role, each ``(height, width, channels) uint8``, into the region."""
    if not frames:
        return ()
    slots: list[FrameSlot] = []
    offset = 0
    for role, pixels in frames.items():
        height, width, channels = pixels.shape
        slots.append(
            FrameSlot(role=role, offset=offset, height=height, width=width, channels=channels)
        )
        offset += -(-pixels.nbytes // _ALIGNMENT) * _ALIGNMENT
    import numpy as np

    region.grow(offset)
    view = region.view()
    for slot, pixels in zip(slots, frames.values(), strict=True):
        np.copyto(_array(view, slot), pixels)
    return tuple(slots)


def place_documents(
    region: MemfdRegion | NamedRegion, documents: dict[str, bytes], *, after: int
) -> tuple[DocumentSlot, ...]:
    """Copy documents by role into the region, behind the ``after`` bytes that frames take."""
    slots: list[DocumentSlot] = []
    offset = after
    for role, content in documents.items():
        slots.append(DocumentSlot(role=role, offset=offset, size=len(content)))
        offset += -(-len(content) // _ALIGNMENT) * _ALIGNMENT
    if slots:
        region.grow(offset)
        view = region.view()
        for slot, content in zip(slots, documents.values(), strict=True):
            view[slot.offset : slot.offset + slot.size] = content
    return tuple(slots)


def document_at(region: MemfdRegion | NamedRegion, slot: DocumentSlot) -> bytes:
    """Return a copy of a document's bytes in the region."""
    return bytes(region.view()[slot.offset : slot.offset + slot.size])


def end_of(slots: tuple[FrameSlot, ...]) -> int:
    """Return how many bytes of the region the frames take, a multiple of the alignment."""
    if not slots:
        return 0
    last = slots[-1]
    size = last.height * last.width * last.channels
    return last.offset + -(-size // _ALIGNMENT) * _ALIGNMENT


def frame_at(region: MemfdRegion | NamedRegion, slot: FrameSlot) -> NDArray[np.uint8]:
    """Return a read-only view of a frame in the region, ``(height, width, channels) uint8``."""
    pixels = _array(region.view(), slot)
    pixels.flags.writeable = False
    return pixels


def _array(view: memoryview, slot: FrameSlot) -> NDArray[np.uint8]:
    import numpy as np

    shape = (slot.height, slot.width, slot.channels)
    count = slot.height * slot.width * slot.channels
    return np.frombuffer(view, dtype=np.uint8, count=count, offset=slot.offset).reshape(shape)
