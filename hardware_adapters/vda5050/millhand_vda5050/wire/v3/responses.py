"""The topic ``responses`` of VDA 5050 3.0.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from millhand_vda5050.wire.base import Timestamp, Wire


class Response(Wire, frozen=True, kw_only=True):
    """``responses.responses[]``."""

    request_id: str
    grant_type: Literal["GRANTED", "QUEUED", "REVOKED", "REJECTED"]
    lease_expiry: str | UnsetType = UNSET


class Responses(Wire, frozen=True, kw_only=True):
    """``responses``."""

    header_id: int
    timestamp: Timestamp
    version: str
    manufacturer: str
    serial_number: str
    responses: list[Response]
