"""Permits: only what the guard allowed can be written, once, unchanged, and not for long."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns
from typing import NamedTuple

from millhand.contracts import Write
from millhand.errors import NotAllowed
from millhand.messages import tr


class IssuedPermit:
    """A permit made by a :class:`PermitOffice`; see :class:`millhand.contracts.Permit`."""

    __slots__ = ("_office", "device", "expires_monotonic_ns", "number", "writes")

    def __init__(
        self,
        office: PermitOffice,
        number: int,
        device: str,
        writes: tuple[Write, ...],
        expires_monotonic_ns: int,
    ) -> None:
        self._office = office
        self.number = number
        self.device = device
        self.writes = writes
        self.expires_monotonic_ns = expires_monotonic_ns

    def redeem(self, device: str) -> tuple[Write, ...]:
        """Spend the permit; see :meth:`millhand.contracts.Permit.redeem`."""
        return self._office.spend(self, device)


class _Issue(NamedTuple):
    """What the office itself knows of a permit: nothing on the permit is believed."""

    permit: IssuedPermit
    device: str
    writes: tuple[Write, ...]
    expires_monotonic_ns: int


class PermitOffice:
    """Issues permits and sees to it that each is spent at most once.

    The office remembers the very objects that it issued and what it wrote on them, so that a copy,
    a forgery or a permit that was changed is worth nothing. Not thread-safe: it lives on the
    engine's loop.
    """

    def __init__(self, clock: Callable[[], int] = monotonic_ns) -> None:
        self._clock = clock
        self._next = 1
        self._open: dict[int, _Issue] = {}

    def issue(
        self, device: str, writes: tuple[Write, ...], *, expires_monotonic_ns: int
    ) -> IssuedPermit:
        """Make a permit for exactly these writes. Call only with a ruling that allows them."""
        self._forget_expired()
        permit = IssuedPermit(self, self._next, device, writes, expires_monotonic_ns)
        known = tuple(map(_own_copy, writes))
        self._open[permit.number] = _Issue(permit, device, known, expires_monotonic_ns)
        self._next += 1
        return permit

    def spend(self, permit: IssuedPermit, device: str) -> tuple[Write, ...]:
        """Spend ``permit``, or raise ``NotAllowed`` and spend it all the same where it was real."""
        issue = self._open.get(permit.number)
        if issue is None or issue.permit is not permit:
            raise NotAllowed(tr("This permit was spent already or never issued."))
        del self._open[permit.number]
        if device != issue.device:
            raise NotAllowed(
                tr(
                    "This permit is for {meant}, not for {met}.",
                    meant=issue.device,
                    met=device,
                )
            )
        if self._clock() >= issue.expires_monotonic_ns:
            raise NotAllowed(tr("This permit has expired."))
        if permit.writes != issue.writes:
            raise NotAllowed(tr("This permit was changed after it was issued."))
        return issue.writes

    @property
    def outstanding(self) -> int:
        """How many permits are issued and not spent."""
        return len(self._open)

    def _forget_expired(self) -> None:
        if len(self._open) < 64:
            return
        now = self._clock()
        self._open = {
            number: issue
            for number, issue in self._open.items()
            if issue.expires_monotonic_ns > now
        }


def _own_copy(write: Write) -> Write:
    """Copy what could be changed behind the office's back: the value, where it is an array."""
    return Write(tag=write.tag, value=list(write.value)) if type(write.value) is list else write
