"""What the kit for ``Tags`` needs of whoever is tested: a device that it can do everything to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from millhand.contracts import ConnectionFault, Quality, Value


class TagsCapability(StrEnum):
    """What a ``Tags`` adapter, or its protocol, may lack; each opt-out needs a reason."""

    WRITE = "write"
    """Anything can be written at all."""
    SEVERAL = "several"
    """Several values in one permit."""
    ARRAYS = "arrays"
    NOT_FINITE = "not finite"
    """The protocol can carry NaN and infinity."""
    BAD = "bad"
    """The device can say that a value is bad."""
    UNCERTAIN = "uncertain"
    """The device can say that a value is uncertain."""
    GHOST = "ghost"
    """The device can be asked for something that it does not have."""
    BROWSE = "browse"
    """The device can list what it has."""
    KILL = "kill"
    """The peer can be ended and started again on the same address."""
    FREEZE = "freeze"
    """The peer can be stopped where it is, with its connections open."""
    PROXY = "proxy"
    """The adapter speaks TCP, so that faults can be put on the wire."""
    REORDER = "reorder"
    """The device numbers its names anew when it restarts."""
    SECURITY = "security"
    """The protocol has trust, protection or users that can be refused."""


@dataclass(frozen=True, slots=True)
class TagCase:
    """One tag of the device: how the scenario writes it, and what it can and cannot hold."""

    address: str | Mapping[str, Any]
    values: tuple[Value, ...]
    """Values that it holds exactly: its limits too. At least two, different from each other."""
    misfits: tuple[Value, ...] = ()
    """Values that must not be sent: of another type, beyond its limits."""
    writable: bool = True


class TagsBench(ABC):
    """A device on a bench: the test sets its values, sees what arrives, and breaks it.

    It is used in this order: :meth:`ready` before each test, then whatever the test does. Methods
    that a subject has no use for (because of its ``lacks``) need not be written.
    """

    device: ClassVar[str] = "device"
    """The name that adapters are built with."""
    cases: ClassVar[Mapping[str, TagCase]]
    """All tags by name, one for each type at least."""
    counter: ClassVar[str]
    """The tag of :attr:`cases` that tests set and watch; writable if any is."""
    second: ClassVar[str]
    """Another tag than the counter."""
    judged: ClassVar[str] = ""
    """A tag that can be bad or uncertain; the counter unless told."""
    floating: ClassVar[str] = ""
    """A tag that can hold NaN."""
    ghost: ClassVar[str | Mapping[str, Any]] = ""
    """The address of something that the device does not have."""
    patience_s: ClassVar[float] = 20.0
    """How long the adapter may take to come back, with the slowest machine in mind."""
    quick: ClassVar[Mapping[str, Any]] = {}
    """Options that make time-outs short, for tests that wait for one."""
    small_queue: ClassVar[Mapping[str, Any]] = {}
    """Options that make the queue of a subscription short."""

    @abstractmethod
    async def ready(self) -> None:
        """Bring the device up, thawed, with its names in their first order."""

    @property
    @abstractmethod
    def address(self) -> tuple[str, int]:
        """Host and port where the device listens now."""

    @abstractmethod
    def adapter(
        self, tags: Mapping[str, Any], address: tuple[str, int] | None = None, **options: Any
    ) -> Any:
        """Build the adapter, not yet entered, for tags by name and the device at ``address``."""

    @abstractmethod
    async def set(self, tag: str, value: Value, quality: Quality = Quality.GOOD) -> None:
        """Give a tag of the device a value; ``nan`` and ``inf`` come as Python's floats."""

    async def written(self, tag: str) -> Sequence[Value]:
        """Return every value that was written to a tag over the wire since :meth:`ready`."""
        raise NotImplementedError

    async def order_written(self) -> Sequence[str]:
        """Return the tags written since :meth:`ready`, in the order in which they arrived."""
        raise NotImplementedError

    async def kill(self) -> None:
        """End the device at once."""
        raise NotImplementedError

    async def restart(self, *, reordered: bool = False) -> None:
        """Start it again at the same address, with the names in another order if asked."""
        raise NotImplementedError

    async def freeze(self) -> None:
        """Stop the device where it is; its connections stay open."""
        raise NotImplementedError

    async def thaw(self) -> None:
        """Let it run on."""
        raise NotImplementedError

    def refusals(self) -> Mapping[str, tuple[Callable[[], Any], ConnectionFault]]:
        """Return adapters that will be refused, by what is wrong, and the class of the fault."""
        raise NotImplementedError

    secrets: ClassVar[tuple[str, ...]] = ()
    """Texts that no message may contain."""
