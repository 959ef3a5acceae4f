"""Own application certificate, made on first use, and which server certificates are trusted."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from asyncua.crypto import cert_gen
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from millhand.contracts import ConnectionFault
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_opcua.config import Security
from millhand_opcua.faults import Refused

_VALID_DAYS = 3650
"""A plant must not stand still because a client certificate made by itself has run out."""


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """What identifies this application to servers."""

    certificate_der: bytes
    key_pem: bytes
    application_uri: str


def default_application_uri() -> str:
    """Return the URI that names this application on this host."""
    return f"urn:{socket.gethostname()}:millhand"


def pki_folder(security: Security) -> Path:
    """Return the folder that holds certificates."""
    return security.pki or platformdirs.user_data_path("millhand", appauthor=False) / "opcua"


def own_certificate(security: Security, application_uri: str) -> OwnCertificate:
    """Load the application certificate, or make one. Blocks (0.1 to 1 s when it makes one).

    Raises:
        ConfigError: the files cannot be read or written.
    """
    certificate_path, key_path = security.certificate, security.private_key
    if certificate_path is None or key_path is None:
        own = pki_folder(security) / "own"
        certificate_path, key_path = own / "certificate.der", own / "key.pem"
        if not (certificate_path.exists() and key_path.exists()):
            _make(certificate_path, key_path, application_uri or default_application_uri())
    certificate = load_certificate(certificate_path)
    return OwnCertificate(
        certificate.public_bytes(serialization.Encoding.DER),
        _key_pem(key_path),
        application_uri or _uri_in(certificate) or default_application_uri(),
    )


def load_certificate(path: Path) -> x509.Certificate:
    """Read a certificate, DER or PEM.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        content = path.read_bytes()
        if content.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(content)
        return x509.load_der_x509_certificate(content)
    except (OSError, ValueError) as error:
        raise ConfigError(
            tr("The certificate {path} cannot be read: {error}.", path=path, error=error),
            mend=tr("Give a DER or PEM file."),
        ) from error


def check_trusted(security: Security, server_der: bytes, url: str) -> None:
    """Compare the server's certificate with those that a person has put into the trusted set.

    An unknown one is left in ``rejected/`` so that it only needs to be moved.

    Raises:
        Refused: it is not trusted.
        ConfigError: ``server_certificate`` cannot be read.
    """
    if security.server_certificate is not None:
        if _der(load_certificate(security.server_certificate)) == server_der:
            return
        raise Refused(
            tr(
                "{url} shows another certificate than {path}.",
                url=url,
                path=security.server_certificate,
            ),
            fault=ConnectionFault.SECURITY,
            mend=tr("If the server was renewed on purpose, replace the file."),
        )
    folder = pki_folder(security)
    if any(_der(trusted) == server_der for trusted in _certificates(folder / "trusted")):
        return
    rejected = folder / "rejected" / f"{hashlib.sha256(server_der).hexdigest()[:40]}.der"
    with suppress(OSError):
        rejected.parent.mkdir(parents=True, exist_ok=True)
        rejected.write_bytes(server_der)
    raise Refused(
        tr("The certificate of {url} is not trusted.", url=url),
        fault=ConnectionFault.SECURITY,
        mend=tr(
            "If it is the right server, move {path} to {trusted}.",
            path=rejected,
            trusted=folder / "trusted",
        ),
    )


def _certificates(folder: Path) -> Iterator[x509.Certificate]:
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.suffix.lower() in {".der", ".pem", ".crt", ".cer"}:
            with suppress(ConfigError):
                yield load_certificate(path)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _uri_in(certificate: x509.Certificate) -> str:
    with suppress(x509.ExtensionNotFound):
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
        return uris[0] if uris else ""
    return ""


def _key_pem(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        if content.lstrip().startswith(b"-----BEGIN"):
            key = serialization.load_pem_private_key(content, password=None)
        else:
            key = serialization.load_der_private_key(content, password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            tr("The private key {path} cannot be read: {error}.", path=path, error=error),
            mend=tr("Give a PEM or DER file without password."),
        ) from error
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _make(certificate_path: Path, key_path: Path, application_uri: str) -> None:
    key = cert_gen.generate_private_key()
    host = socket.gethostname()
    certificate = cert_gen.generate_self_signed_app_certificate(
        key,
        f"Millhand@{host}",
        {"organizationName": "Millhand"},
        [x509.UniformResourceIdentifier(application_uri), x509.DNSName(host)],
        extended=[ExtendedKeyUsageOID.CLIENT_AUTH],
        days=_VALID_DAYS,
    )
    try:
        certificate_path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(key_path, cert_gen.dump_private_key_as_pem(key))
        _write_whole(certificate_path, _der(certificate))
    except OSError as error:
        raise ConfigError(
            tr(
                "No certificate can be written into {folder}: {error}.",
                folder=certificate_path.parent,
                error=error,
            ),
            mend=tr("Set security.pki to a folder that may be written."),
        ) from error


def _write_whole(path: Path, content: bytes) -> None:
    """Write so that the file is there as a whole or not at all, readable for its owner only."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).replace(path)
