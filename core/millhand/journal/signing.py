"""Signed heads of a chain: Ed25519 (RFC 8032), so that nobody without the key can write it anew.

What is signed is one line of JSON in UTF-8, without white space::

    ["millhand-checkpoint/1", cell, seq, hash, at, key]

``hash`` is that of entry ``seq``, ``at`` is in nanoseconds since 1970 (UTC), and ``key`` names the
public key: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes. Keys are files in PEM,
so that ``openssl pkeyutl -verify`` can check a signature as well. The library is imported where a
key is used: ``pip install 'millhand[signing]'``.
"""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from millhand.errors import ConfigError
from millhand.journal.chain import ChainHead
from millhand.journal.records import Signature
from millhand.keys import require_cryptography, write_key_pair
from millhand.messages import tr

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "millhand-checkpoint/1"
_encode = msgspec.json.Encoder().encode


class SignedHead(Struct, frozen=True, kw_only=True):
    """The end of a cell's chain, signed: one line of an exported file of checkpoints."""

    cell: str
    seq: int
    hash: str
    signature: Signature


class SigningKey:
    """The cell's private key.

    Args:
        pem: the key as PKCS 8 in PEM, not encrypted.

    Raises:
        ConfigError: it is no Ed25519 key, or the library is not installed.
    """

    def __init__(self, pem: str) -> None:
        require_cryptography()
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError) as error:
            raise _no_key(str(error)) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _no_key(type(key).__name__)
        self._key = key
        self.public = PublicKey(key.public_key())

    def sign(self, head: ChainHead) -> Signature:
        """Sign the end of a chain as it is now; some 0.1 ms."""
        at, name = time.time_ns(), self.public.name
        value = self.sign_bytes(_statement(head, at, name))
        return Signature(at_utc_ns=at, key=name, value=value)

    def sign_bytes(self, statement: bytes) -> str:
        """Sign a statement of another form, which must name its form first; in hexadecimal."""
        return self._key.sign(statement).hex()


class PublicKey:
    """What a signature is checked with; needs no secrecy."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.name = sha256(key.public_bytes_raw()).hexdigest()[:16]
        """What signatures call it."""

    @classmethod
    def read(cls, file: Path) -> PublicKey:
        """Read a key from a file in PEM.

        Raises:
            ConfigError: it cannot be read, is no Ed25519 key, or the library is not installed.
        """
        require_cryptography()
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            key = load_pem_public_key(file.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigError(
                tr("{file} holds no public key: {reason}.", file=file, reason=error),
                mend=tr("Give the file ending in .pub that millhand journal keygen wrote."),
            ) from error
        if not isinstance(key, Ed25519PublicKey):
            raise ConfigError(tr("{file} holds no Ed25519 key.", file=file))
        return cls(key)

    def fits(self, head: ChainHead, signature: Signature) -> bool:
        """Say whether ``signature`` is this key's, for exactly this head."""
        statement = _statement(head, signature.at_utc_ns, signature.key)
        return signature.key == self.name and self.fits_bytes(statement, signature.value)

    def fits_bytes(self, statement: bytes, value: str) -> bool:
        """Say whether ``value`` is this key's signature of exactly these bytes."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(bytes.fromhex(value), statement)
        except (InvalidSignature, ValueError):
            return False
        return True


def make_key(private: Path) -> Path:
    """Make a key pair: ``private`` for its owner only, and the public one beside it.

    Returns:
        The file of the public key: the same name ending in ``.pub``.

    Raises:
        ConfigError: a file is there already or cannot be written; a key is never replaced.
    """
    require_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    known = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return write_key_pair(private, secret, known)


def read_heads(file: Path) -> list[ChainHead | SignedHead]:
    """Read a head that ``verify --head`` wrote, or a file of exported checkpoints.

    A line that a power cut has torn is left out, where others can be read.

    Raises:
        ConfigError: it holds something else.
    """
    found: list[ChainHead | SignedHead] = []
    reason: Exception | None = None
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        lines, reason = [], error
    for line in filter(None, lines):
        wanted: type[ChainHead | SignedHead] = SignedHead if b'"signature"' in line else ChainHead
        try:
            found.append(msgspec.json.decode(line, type=wanted))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            reason = error
    if reason is not None and not found:
        raise ConfigError(
            tr("{file} holds no head of a journal: {reason}.", file=file, reason=reason),
            mend=tr("Give the file that millhand journal verify --head or the engine wrote."),
        ) from reason
    return found


def _statement(head: ChainHead, at_utc_ns: int, key: str) -> bytes:
    return _encode((FORMAT, head.cell, head.seq, head.hash, at_utc_ns, key))


def _no_key(reason: str) -> ConfigError:
    return ConfigError(
        tr("The journal's signing key is no Ed25519 key: {reason}.", reason=reason),
        mend=tr("Make one: millhand journal keygen"),
    )
