"""The topic ``connection`` of VDA 5050 2.1.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Literal

from millhand_vda5050.wire.base import Timestamp, Wire


class Connection(Wire, frozen=True, kw_only=True):
    """``connection``."""

    header_id: int
    timestamp: Timestamp
    version: str
    manufacturer: str
    serial_number: str
    connection_state: Literal["ONLINE", "OFFLINE", "CONNECTIONBROKEN"]
