"""OPC UA status codes: what they mean for us, and their words."""

from __future__ import annotations

from asyncua.ua.status_codes import StatusCodes as Codes
from asyncua.ua.status_codes import get_name_and_doc

BAD_NOT_CONNECTED: int = Codes.BadNotConnected
BAD_DATA_UNAVAILABLE: int = Codes.BadDataUnavailable
BAD_DECODING: int = Codes.BadDecodingError

_CREDENTIALS = frozenset(
    {
        Codes.BadUserAccessDenied,
        Codes.BadIdentityTokenInvalid,
        Codes.BadIdentityTokenRejected,
        Codes.BadUserSignatureInvalid,
    }
)
_CERTIFICATES = frozenset(
    {
        Codes.BadCertificateInvalid,
        Codes.BadCertificateTimeInvalid,
        Codes.BadCertificateIssuerTimeInvalid,
        Codes.BadCertificateHostNameInvalid,
        Codes.BadCertificateUriInvalid,
        Codes.BadCertificateUseNotAllowed,
        Codes.BadCertificateIssuerUseNotAllowed,
        Codes.BadCertificateUntrusted,
        Codes.BadCertificateRevocationUnknown,
        Codes.BadCertificateIssuerRevocationUnknown,
        Codes.BadCertificateRevoked,
        Codes.BadCertificateIssuerRevoked,
        Codes.BadCertificateChainIncomplete,
        Codes.BadCertificatePolicyCheckFailed,
        Codes.BadNoValidCertificates,
        Codes.BadSecurityChecksFailed,
        Codes.BadApplicationSignatureInvalid,
    }
)
_POLICIES = frozenset(
    {
        Codes.BadSecurityPolicyRejected,
        Codes.BadSecurityModeRejected,
        Codes.BadSecurityModeInsufficient,
    }
)
_SESSION_GONE = frozenset(
    {
        Codes.BadSessionIdInvalid,
        Codes.BadSessionClosed,
        Codes.BadSessionNotActivated,
        Codes.BadSecureChannelIdInvalid,
        Codes.BadSecureChannelClosed,
        Codes.BadSecureChannelTokenUnknown,
        Codes.BadConnectionClosed,
        Codes.BadServerHalted,
        Codes.BadShutdown,
        Codes.BadTcpSecureChannelUnknown,
    }
)
_OUTCOME_OPEN = frozenset(
    {
        Codes.BadTimeout,
        Codes.BadRequestTimeout,
        Codes.BadCommunicationError,
        Codes.BadConnectionClosed,
        Codes.BadUnexpectedError,
        Codes.BadInternalError,
        Codes.BadSessionClosed,
        Codes.BadSecureChannelClosed,
        Codes.BadShutdown,
        Codes.BadDecodingError,
    }
)


def words(code: int) -> str:
    """Return the name of a status code and what the specification says it means."""
    name, meaning = get_name_and_doc(code)
    return f"{name} (0x{code:08X}): {meaning}" if meaning else f"{name} (0x{code:08X})"


def about_credentials(code: int) -> bool:
    """Whether the server refuses the user."""
    return code in _CREDENTIALS


def about_certificates(code: int) -> bool:
    """Whether the server refuses our certificate or signature."""
    return code in _CERTIFICATES


def about_policies(code: int) -> bool:
    """Whether the server refuses the security policy or mode."""
    return code in _POLICIES


def session_gone(code: int) -> bool:
    """Whether nothing more can be asked in this session."""
    return code in _SESSION_GONE


def outcome_open(code: int) -> bool:
    """Whether a write that ended so may still be, or have been, carried out.

    A gateway answers like this when the controller behind it was late.
    """
    return code in _OUTCOME_OPEN


def is_bad(code: int) -> bool:
    """Whether the severity is bad."""
    return code >= 0x8000_0000
