"""Permits for tests, made by a real permit office."""

from __future__ import annotations

from time import monotonic_ns

from millhand.contracts import Value, Write
from millhand.guard.permits import IssuedPermit, PermitOffice

_SECOND_NS = 1_000_000_000


def permit_for(device: str, *writes: tuple[str, Value], valid_s: float = 60.0) -> IssuedPermit:
    """Issue a permit for writes, as the guard would; negative ``valid_s`` makes an expired one."""
    return PermitOffice().issue(
        device,
        tuple(Write(tag=tag, value=value) for tag, value in writes),
        expires_monotonic_ns=monotonic_ns() + int(valid_s * _SECOND_NS),
    )
