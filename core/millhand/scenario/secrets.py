"""Secrets by reference: ``file:secrets/plc`` or ``env:PLC_PASSWORD``, never in the file itself."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.scenario.document import KeyPath

LARGEST_SECRET = 100_000
"""Bytes of a secret's file."""

_SECRET_KEY = re.compile(
    r"(?:.*[_-])?(?:password|passphrase|passwd|secret|token|api_?key|credentials?)", re.IGNORECASE
)
_URL_WITH_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#@\s:]*:[^/?#@\s]+@")
_SCHEMES = ("file:", "env:")


def is_secret_key(key: object) -> bool:
    """Say whether a key of this name holds a secret: ``password``, ``key_passphrase``."""
    return isinstance(key, str) and _SECRET_KEY.fullmatch(key) is not None


def is_reference(value: object) -> bool:
    """Say whether a value points to a secret and is none itself."""
    return isinstance(value, str) and value.startswith(_SCHEMES)


def is_literal(path: KeyPath, value: Any) -> bool:
    """Say whether a plain value is itself a secret, by its key or as a password in a URL."""
    if isinstance(value, str) and _URL_WITH_PASSWORD.match(value):
        return True
    if value is None or isinstance(value, bool) or is_reference(value):
        return False
    return bool(path) and is_secret_key(path[-1])


def values_in(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield path and value of everything plain in ``data``, to be asked :func:`is_literal`."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from values_in(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from values_in(value, (*path, index))
    else:
        yield path, data


def resolve(reference: str, folder: Path) -> SecretStr:
    """Read the secret behind a reference.

    Args:
        reference: ``file:PATH`` (relative to ``folder``, or absolute) or ``env:NAME``.
        folder: the scenario's folder.

    Raises:
        ConfigError: it is no reference, there is nothing behind it, or others may read the file.
            The secret itself is never part of the message.
    """
    if reference.startswith("env:"):
        return _from_environment(reference.removeprefix("env:"))
    if reference.startswith("file:"):
        return _from_file(folder / reference.removeprefix("file:"))
    raise ConfigError(
        tr("A secret stands in the scenario itself."),
        mend=tr("Put it into a file and write file:secrets/NAME, or env:NAME."),
    )


def _from_environment(name: str) -> SecretStr:
    value = os.environ.get(name)
    if not value:
        raise ConfigError(
            tr("The environment variable {name} is not set.", name=name),
            mend=tr("Set it for the process that runs Millhand."),
        )
    return SecretStr(value)


def _from_file(path: Path) -> SecretStr:
    try:
        status = path.stat()
        if os.name == "posix" and status.st_mode & stat.S_IRWXO:
            raise ConfigError(
                tr("Everybody on this machine may read the secret {path}.", path=path),
                mend=f"chmod 600 {path}",
            )
        if status.st_size > LARGEST_SECRET:
            raise ConfigError(
                tr("The secret {path} is too large.", path=path),
                mend=tr("Name the file that holds only the secret."),
            )
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else tr("it is no UTF-8 text")
        raise ConfigError(
            tr("The secret {path} cannot be read: {why}.", path=path, why=why),
            mend=tr("Write the secret into this file and make it readable for its user only."),
        ) from error
    if not text:
        raise ConfigError(
            tr("The secret {path} is empty.", path=path), mend=tr("Write the secret into it.")
        )
    return SecretStr(text)


def fill(data: Any, read: Callable[[str, KeyPath], SecretStr], path: KeyPath = ()) -> Any:
    """Return a copy of ``data`` with the reference under every secret key replaced.

    Args:
        data: options as they stand in the file.
        read: called with each reference and its key path; gives the secret.
        path: where ``data`` stands.
    """
    if isinstance(data, Mapping):
        return {
            key: read(value, (*path, key))
            if is_secret_key(key) and isinstance(value, str)
            else fill(value, read, (*path, key))
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [fill(value, read, (*path, index)) for index, value in enumerate(data)]
    return data
