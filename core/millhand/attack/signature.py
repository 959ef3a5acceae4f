"""The signature beside a report: Ed25519, by the key that signs the journal's checkpoints too.

What is signed is one line of JSON without white space::

    ["millhand-report/1", name of the file, SHA-256 of its bytes, at, key]

``at`` is in nanoseconds since 1970 (UTC); ``key`` names the public key as in
:mod:`millhand.journal.signing`. It lies beside the report, as ``<name>.sig``.
"""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from millhand.errors import ConfigError
from millhand.journal.signing import PublicKey, SigningKey
from millhand.messages import tr

FORMAT = "millhand-report/1"
SUFFIX = ".sig"


class ReportSignature(Struct, frozen=True, kw_only=True):
    """What the file beside a report holds."""

    format: str
    file: str
    sha256: str
    at_utc_ns: int
    key: str
    value: str


def sign_report(report: Path, key: SigningKey) -> Path:
    """Sign a report; return the file of the signature."""
    digest, at = sha256(report.read_bytes()).hexdigest(), time.time_ns()
    name = key.public.name
    value = key.sign_bytes(_statement(report.name, digest, at, name))
    signature = ReportSignature(
        format=FORMAT, file=report.name, sha256=digest, at_utc_ns=at, key=name, value=value
    )
    target = report.with_name(report.name + SUFFIX)
    target.write_bytes(msgspec.json.format(msgspec.json.encode(signature), indent=1) + b"\n")
    return target


def report_fits(report: Path, key: PublicKey) -> bool:
    """Say whether a report is the one that its signature was made for, by this key.

    Raises:
        ConfigError: report or signature cannot be read.
    """
    try:
        data = report.read_bytes()
        raw = report.with_name(report.name + SUFFIX).read_bytes()
        found = msgspec.json.decode(raw, type=ReportSignature)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError(
            tr("{file} or its signature cannot be read: {reason}.", file=report, reason=error),
            mend=tr("Keep the report and its .sig file side by side."),
        ) from error
    digest = sha256(data).hexdigest()
    if (found.format, found.sha256, found.key) != (FORMAT, digest, key.name):
        return False
    return key.fits_bytes(_statement(found.file, digest, found.at_utc_ns, found.key), found.value)


def _statement(file: str, digest: str, at_utc_ns: int, key: str) -> bytes:
    return msgspec.json.encode((FORMAT, file, digest, at_utc_ns, key))
