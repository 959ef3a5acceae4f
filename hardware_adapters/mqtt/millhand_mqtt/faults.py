"""How a conversation with a broker can fail."""

from __future__ import annotations

from paho.mqtt.reasoncodes import ReasonCode

from millhand.contracts import ConnectionFault
from millhand.errors import NotAllowed, Unavailable
from millhand.messages import tr

FAILURE = 0x80
"""Reason codes from here on are failures (MQTT 5, section 2.4)."""
_PROTOCOL = frozenset({0x81, 0x82, 0x84})
_IDENTITY = frozenset({0x86, 0x87, 0x8A, 0x8C})
_CLIENT_ID = 0x85


class LinkLost(Unavailable):
    """The broker is gone or silent; what had been asked has no answer."""


class Refused(NotAllowed):
    """The broker, or our trust in it, says no: a person must act."""

    def __init__(self, message: str, *, fault: ConnectionFault, mend: str) -> None:
        super().__init__(message, mend=mend)
        self.fault = fault


def from_connack(code: ReasonCode, url: str) -> LinkLost | Refused:
    """Say what a refused connection means for the person who must act, if one must."""
    text = tr("{url} refuses the connection: {reason}.", url=url, reason=str(code))
    if code.value in _IDENTITY:
        return Refused(
            text,
            fault=ConnectionFault.CREDENTIALS,
            mend=tr("Check user, password and what the broker lets them do."),
        )
    if code.value in _PROTOCOL:
        return Refused(
            text,
            fault=ConnectionFault.CONFIGURATION,
            mend=tr("Set protocol to a version that the broker speaks: 3.1.1."),
        )
    if code.value == _CLIENT_ID:
        return Refused(
            text,
            fault=ConnectionFault.CONFIGURATION,
            mend=tr("Set client_id to one that the broker accepts."),
        )
    return LinkLost(text)
