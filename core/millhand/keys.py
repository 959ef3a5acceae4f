"""Key pairs in files: the private one for its owner only, the public one beside it."""

from __future__ import annotations

import os
from pathlib import Path

from millhand.errors import ConfigError
from millhand.messages import tr


def require_cryptography() -> None:
    """Say what to install where keys cannot be used.

    Raises:
        ConfigError: the library ``cryptography`` is not there.
    """
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            tr("Keys and signatures need the library cryptography."),
            mend=tr("pip install 'millhand[signing]'"),
        ) from error


def write_key_pair(private: Path, secret: bytes, known: bytes) -> Path:
    """Write a new key pair; a key is never replaced.

    Args:
        private: file for ``secret``, readable for its owner only.
        secret: the private key in PEM.
        known: the public key in PEM.

    Returns:
        The file of the public key: the same name ending in ``.pub``.

    Raises:
        ConfigError: a file is there already or cannot be written.
    """
    public = private.with_suffix(".pub")
    try:
        private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _create(private, secret, 0o600)
        _create(public, known, 0o644)
    except FileExistsError as error:
        raise ConfigError(
            tr("{file} is there already.", file=error.filename),
            mend=tr("Name another file: what the old key has signed is checked with the old key."),
        ) from error
    except OSError as error:
        raise ConfigError(
            tr("The key {file} cannot be written: {reason}.", file=private, reason=error)
        ) from error
    return public


def _create(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
