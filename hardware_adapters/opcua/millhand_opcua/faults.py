"""How a conversation with a server can fail, inside this adapter."""

from __future__ import annotations

from millhand.contracts import ConnectionFault
from millhand.errors import NotAllowed, Unavailable
from millhand.messages import tr
from millhand_opcua import status


class LinkLost(Unavailable):
    """The server is gone or silent; what had been asked has no answer."""


class Refused(NotAllowed):
    """The server, or our trust in it, says no: a person must act."""

    def __init__(self, message: str, *, fault: ConnectionFault, mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.fault = fault


class Fault(Unavailable):
    """The server answered a whole request with a bad status."""

    def __init__(self, code: int) -> None:
        super().__init__(tr("The server answered {status}.", status=status.words(code)))
        self.code = code


def from_status(code: int, url: str) -> Unavailable | Refused:
    """Say what a bad status during connecting means for the person who must act, if one must."""
    text = status.words(code).rstrip(".")
    if status.about_credentials(code):
        return Refused(
            tr("{url} refuses the user: {status}.", url=url, status=text),
            fault=ConnectionFault.CREDENTIALS,
            mend=tr("Check security.user and security.password."),
        )
    if status.about_certificates(code):
        return Refused(
            tr("{url} does not accept our certificate: {status}.", url=url, status=text),
            fault=ConnectionFault.SECURITY,
            mend=tr("Trust the certificate of Millhand in the server's settings."),
        )
    if status.about_policies(code):
        return Refused(
            tr("{url} refuses the security policy or mode: {status}.", url=url, status=text),
            fault=ConnectionFault.SECURITY,
            mend=tr("Choose a policy and mode that the server offers."),
        )
    return LinkLost(tr("{url} answered {status}.", url=url, status=text))
