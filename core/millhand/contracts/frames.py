"""Pictures and documents by reference: what they are, where their bytes are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from millhand.errors import InternalError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FrameRef(Struct, frozen=True, kw_only=True):
    """What is known of a picture without holding it.

    ``sha256`` is taken over the raw pixels (:func:`millhand.journal.blobs.frame_hash`) and is the
    picture's name in the blob store. Pixels are ``(height, width, channels) uint8``; three
    channels are RGB, one is grey.
    """

    camera: str
    sha256: str
    height: int
    width: int
    channels: int = 3
    frame_seq: int
    """Counts the camera's frames; a jump is a dropped frame."""
    trigger_seq: int | None = None
    """The part trigger that this frame belongs to."""
    exposed_utc_ns: int | None = None
    exposed_monotonic_ns: int | None = None
    dropped: int = 0
    """Frames that the camera dropped since the one before."""
    origin: str = ""
    """Where the picture came from, for a person: a file name, a lens, a seed."""


class Frame:
    """A reference with a way to its pixels.

    In a worker the pixels lie in shared memory, in a replay in the blob store; either way
    ``pixels`` gives a read-only array. A frame is equal to another when the references are.
    """

    __slots__ = ("_load", "_pixels", "ref")

    def __init__(
        self,
        ref: FrameRef,
        pixels: NDArray[np.uint8] | None = None,
        load: Callable[[FrameRef], NDArray[np.uint8]] | None = None,
    ) -> None:
        self.ref = ref
        self._pixels = pixels
        self._load = load

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The picture, ``(height, width, channels) uint8``, RGB or grey, not to be written to.

        Raises:
            InternalError: the frame was decoded from a record without a source of pixels.
        """
        if self._pixels is None:
            if self._load is None:
                raise InternalError(f"frame {self.ref.sha256[:12]} was not loaded")
            self._pixels = self._load(self.ref)
        return self._pixels

    @property
    def loaded(self) -> bool:
        """Whether pixels are at hand or can be loaded."""
        return self._pixels is not None or self._load is not None

    def with_pixels(self, pixels: NDArray[np.uint8]) -> Frame:
        """Return the same frame with its pixels attached."""
        return Frame(self.ref, pixels)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frame) and self.ref == other.ref

    def __hash__(self) -> int:
        return hash(self.ref.sha256)

    def __repr__(self) -> str:
        return f"Frame({self.ref!r})"


class DocumentRef(Struct, frozen=True, kw_only=True):
    """A document received: its bytes lie in the blob store under ``sha256``."""

    sha256: str
    name: str
    media_type: str
    size: int
    received_utc_ns: int
    source: str = ""


class Document:
    """A reference with a way to the document's bytes, as :class:`Frame` is for a picture.

    In a worker the bytes lie in shared memory, in a replay in the blob store. A document is equal
    to another when the references are.
    """

    __slots__ = ("_content", "_load", "ref")

    def __init__(
        self,
        ref: DocumentRef,
        content: bytes | None = None,
        load: Callable[[str], bytes] | None = None,
    ) -> None:
        self.ref = ref
        self._content = content
        self._load = load

    @property
    def content(self) -> bytes:
        """The document's bytes. May block where they are still to be loaded.

        Raises:
            InternalError: it was decoded from a record without a source of bytes.
            Unavailable, PackageError: it is no longer kept, or is damaged.
        """
        if self._content is None:
            if self._load is None:
                raise InternalError(f"document {self.ref.sha256[:12]} was not loaded")
            self._content = self._load(self.ref.sha256)
        return self._content

    def with_content(self, content: bytes) -> Document:
        """Return the same document with its bytes attached."""
        return Document(self.ref, content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self.ref == other.ref

    def __hash__(self) -> int:
        return hash(self.ref.sha256)

    def __repr__(self) -> str:
        return f"Document({self.ref!r})"
