"""Permits for tests, made by a real permit office."""

from __future__ import annotations

from copy import copy
from time import monotonic_ns

from millhand.contracts import Value, Write
from millhand.guard.permits import IssuedPermit, PermitOffice

_SECOND_NS = 1_000_000_000


def worthless_permits(device: str, *writes: tuple[str, Value]) -> dict[str, IssuedPermit]:
    """Return permits that no adapter may act upon, by what is wrong with each.

    They are spent, expired, another device's, forged after a real one, copied from one, or a real
    one with other writes or a later end written on it.
    """
    office = PermitOffice()
    asked = tuple(Write(tag=tag, value=value) for tag, value in writes)
    now_ns = monotonic_ns()
    end_ns = now_ns + 60 * _SECOND_NS

    def issue(to: str = device, expires_ns: int = end_ns) -> IssuedPermit:
        return office.issue(to, asked, expires_monotonic_ns=expires_ns)

    spent, edited, prolonged, relabelled, original = (
        issue(),
        office.issue(device, (*asked, *asked), expires_monotonic_ns=end_ns),
        issue(expires_ns=now_ns - 1),
        issue("another device"),
        issue(),
    )
    spent.redeem(device)
    edited.writes = asked
    prolonged.expires_monotonic_ns = end_ns
    relabelled.device = device
    return {
        "spent": spent,
        "expired": issue(expires_ns=now_ns - 1),
        "another device's": issue("another device"),
        "forged": IssuedPermit(office, original.number + 1000, device, asked, end_ns),
        "copied": copy(original),
        "edited": edited,
        "prolonged": prolonged,
        "relabelled": relabelled,
    }


def permit_for(device: str, *writes: tuple[str, Value], valid_s: float = 60.0) -> IssuedPermit:
    """Issue a permit for writes, as the guard would; negative ``valid_s`` makes an expired one."""
    return PermitOffice().issue(
        device,
        tuple(Write(tag=tag, value=value) for tag, value in writes),
        expires_monotonic_ns=monotonic_ns() + int(valid_s * _SECOND_NS),
    )
