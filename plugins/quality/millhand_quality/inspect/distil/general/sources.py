"""Whose photographs a student may be taught on: each is listed with a licence, or is refused."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from millhand.errors import ConfigError
from millhand.messages import tr

SOURCES = Path(__file__).with_name("sources.toml")
"""What the shipped student was taught on."""
PERMISSIVE = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC0-1.0",
        "ISC",
        "LicenseRef-own",
        "LicenseRef-public-domain",
        "MIT",
    }
)
"""SPDX ids of licences that ask for no more than to name the author; ``LicenseRef-own`` is one's
own. Licences that reach into what is derived (share-alike, GPL) are not among them: whether they
reach into weights, nobody has to find out here."""


class Photograph(BaseModel):
    """One photograph that may be learnt from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="File name, for people.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the file, whatever its name.")
    by: str = Field(min_length=1, description="Who made it.")
    licence: str = Field(description="SPDX id.")
    source: str = Field(min_length=1, description="Where it was had from, and its licence is said.")


class _List(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    photograph: tuple[Photograph, ...] = ()


def read_sources(path: Path = SOURCES) -> dict[str, Photograph]:
    """Read a list of photographs, by SHA-256.

    Raises:
        ConfigError: it cannot be read, or a photograph's licence is not permissive.
    """
    try:
        read = _List.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise ConfigError(
            tr("The list of photographs {path} cannot be read: {error}.", path=path, error=error),
            mend=tr("Write it as the shipped {name} is written.", name=SOURCES.name),
        ) from error
    for one in read.photograph:
        if one.licence not in PERMISSIVE:
            raise ConfigError(
                tr("{name} is under {licence}.", name=one.name, licence=one.licence),
                mend=tr(
                    "Leave it out; these are learnt from: {names}.",
                    names=", ".join(sorted(PERMISSIVE)),
                ),
            )
    return {one.sha256: one for one in read.photograph}


def require_listed(photographs: Sequence[Path], sources: Path = SOURCES) -> None:
    """Refuse photographs of which nobody has said whose they are.

    Raises:
        ConfigError: one is not in the list, or the list does not do.
    """
    listed = read_sources(sources)
    for path in photographs:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in listed:
            raise ConfigError(
                tr("{path} is not in the list {sources}.", path=path, sources=sources),
                mend=tr(
                    "State in it whose it is and under which licence; its SHA-256 is {digest}.",
                    digest=digest,
                ),
            )
