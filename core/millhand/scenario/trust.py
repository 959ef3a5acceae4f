"""The keys whose owners a scenario trusts to sign model packages."""

from __future__ import annotations

from pathlib import Path

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.scenario.load import Scenario

_LARGEST_KEY = 64 * 1024


def trusted_keys(scenario: Scenario) -> tuple[bytes, ...]:
    """Read the public keys that the scenario names, in PEM.

    Raises:
        ConfigError: a file is not there or cannot be read.
    """
    return tuple(_read(scenario.folder / name) for name in scenario.file.models.signed_by)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as key:
            return key.read(_LARGEST_KEY)
    except OSError as error:
        raise ConfigError(
            tr("The key {file} cannot be read: {why}.", file=file, why=error),
            mend=tr("Put the public key of whoever signs your models there."),
        ) from error
