"""Known weaknesses of what is installed, looked up in advisories that lie in a file.

The form is OSV (https://ossf.github.io/osv-schema/): one advisory, a list of them, or a ZIP of
many, as https://osv.dev offers for all of PyPI. Nothing is asked over the network.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from millhand.errors import ConfigError
from millhand.messages import tr

_LARGEST = 64 * 2**20
_ECOSYSTEM = "pypi"


class _Package(Struct):
    ecosystem: str = ""
    name: str = ""


class _Range(Struct):
    type: str = ""
    events: list[dict[str, str]] = []


class _Affected(Struct):
    package: _Package = msgspec.field(default_factory=_Package)
    ranges: list[_Range] = []
    versions: list[str] = []


class Advisory(Struct):
    """What is read of an advisory; other fields are passed over."""

    id: str
    summary: str = ""
    aliases: list[str] = []
    affected: list[_Affected] = []
    withdrawn: str = ""


class Weakness(Struct, frozen=True, kw_only=True):
    """An installed package that an advisory is about."""

    package: str
    version: str
    advisory: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    fixed: tuple[str, ...] = ()
    """Versions in which it is mended."""


_one = msgspec.json.Decoder(Advisory).decode
_many = msgspec.json.Decoder(list[Advisory]).decode


def audit(file: Path, versions: Mapping[str, str]) -> tuple[list[Weakness], int]:
    """Return the weaknesses of what is installed, and how many advisories were read.

    Args:
        file: advisories.
        versions: normalised name to installed version.

    Raises:
        ConfigError: the file cannot be read or holds no advisories.
    """
    found: list[Weakness] = []
    count = 0
    for advisory in _advisories(file):
        count += 1
        if not advisory.withdrawn:
            found += _weaknesses(advisory, versions)
    if not count:
        raise _unreadable(file, tr("it is empty"))
    return sorted(found, key=lambda one: (one.package, one.advisory)), count


def _advisories(file: Path) -> Iterator[Advisory]:
    try:
        if not zipfile.is_zipfile(file):
            yield from _read(file.read_bytes())
            return
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if info.filename.endswith(".json") and info.file_size <= _LARGEST:
                    yield from _read(archive.read(info))
    except (
        OSError, msgspec.MsgspecError, UnicodeDecodeError, zipfile.BadZipFile, zlib.error,
        NotImplementedError, RuntimeError,
    ) as error:  # fmt: skip
        raise _unreadable(file, error) from error


def _read(data: bytes) -> list[Advisory]:
    return _many(data) if data.lstrip()[:1] == b"[" else [_one(data)]


def _unreadable(file: Path, reason: object) -> ConfigError:
    return ConfigError(
        tr("{file} holds no advisories: {reason}.", file=file, reason=reason),
        mend=tr("Give advisories in the form OSV: a JSON file, or the ZIP that osv.dev offers."),
    )


def _weaknesses(advisory: Advisory, versions: Mapping[str, str]) -> Iterator[Weakness]:
    for affected in advisory.affected:
        name = canonicalize_name(affected.package.name)
        installed = versions.get(name)
        if affected.package.ecosystem.lower() != _ECOSYSTEM or installed is None:
            continue
        if _is_affected(installed, affected):
            yield Weakness(
                package=name,
                version=installed,
                advisory=advisory.id,
                aliases=tuple(advisory.aliases),
                summary=advisory.summary,
                fixed=tuple(_fixes(affected)),
            )


def _is_affected(installed: str, affected: _Affected) -> bool:
    if installed in affected.versions:
        return True
    version = _version(installed)
    return version is not None and any(
        one.type == "ECOSYSTEM" and _within(version, one.events) for one in affected.ranges
    )


def _within(version: Version, events: list[dict[str, str]]) -> bool:
    """Follow introduced, fixed and last_affected in the order of their versions."""
    inside = False
    known = (
        (limit, kind) for event in events for kind, text in event.items()
        if (limit := _version("0.dev0" if text == "0" else text)) is not None
    )  # fmt: skip
    for limit, kind in sorted(known, key=lambda one: one[0]):
        if kind == "introduced" and version >= limit:
            inside = True
        elif (kind == "fixed" and version >= limit) or (
            kind == "last_affected" and version > limit
        ):
            inside = False
    return inside


def _fixes(affected: _Affected) -> Iterator[str]:
    for one in affected.ranges:
        yield from (event["fixed"] for event in one.events if "fixed" in event)


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
