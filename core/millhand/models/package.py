"""Open a model package from a place that is not trusted.

Nothing in a package is parsed before its hash is known to be right, nothing is unpickled,
and no path leads out of the folder. ``PackageError.fault`` names the fault in a word:

``unsigned``    keys are trusted, and the package has no signature
``signature``   damaged, by no trusted key, or for other files
``missing``     no folder, no manifest, or a listed file is not there
``json``        the manifest is not plain JSON
``version``     a manifest version that this Millhand does not know
``schema``      the manifest does not follow its schema
``id``          not the package that was asked for
``path``        a link, a special file, or a way out of the folder
``unlisted``    a file that the manifest does not list
``size``        too many files, or too large
``truncated``   a listed file is empty
``hash``        a file's content is not what the manifest says
``pickle``      a file that would run code when read
``permission``  the teacher's terms do not permit distillation
``golden``      golden arrays that are damaged or do not fit the manifest
``graph``, ``external``, ``opset``, ``shape``  see :mod:`millhand.models.graph`
``precision``   no graph of the precision asked for
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError

from millhand.messages import tr
from millhand.models.files import Part, read_part, read_regular, refuse
from millhand.models.golden_files import read_golden
from millhand.models.graph import check_facts, read_facts
from millhand.models.manifest import (
    Golden,
    GraphFile,
    Manifest,
    Permission,
    RelativePath,
    Sha256,
)
from millhand.models.migrations import LATEST, upgraded
from millhand.models.signature import SIGNATURE, check_signature

MANIFEST = "manifest.json"
CARD = "card.md"
MANIFEST_LIMIT = 4 * 2**20
PACKAGE_LIMIT = 1024 * 2**20
COUNT_LIMIT = 64
DEPTH_LIMIT = 4

_PICKLE_SUFFIXES = frozenset({".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".npy"})
_PICKLE_STARTS = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))


@dataclass(frozen=True, slots=True)
class Package:
    """A verified package: folder, manifest, and the id that covers every byte of it."""

    folder: Path
    manifest: Manifest
    id: str

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions there is a graph for, in the manifest's order."""
        return tuple(graph.precision for graph in self.manifest.graphs)

    def graph(self, precision: str | None = None) -> GraphFile:
        """Return the graph of ``precision``, by default fp32 or else the manifest's first.

        Raises:
            PackageError: ``precision``, there is none.
        """
        by_precision = {graph.precision: graph for graph in self.manifest.graphs}
        if precision is None:
            return by_precision.get("fp32", self.manifest.graphs[0])
        for name, graph in by_precision.items():
            if name == precision:
                return graph
        return refuse(
            "precision",
            tr("The package {id} has no {precision} graph.", id=self.id, precision=precision),
            tr("It has: {present}.", present=", ".join(self.precisions)),
        )

    def path(self, part: Part) -> Path:
        """Where a part of the package lies."""
        return self.folder / part.path


def open_package(
    path: Path, *, expected_id: str | None = None, trusted_keys: Sequence[bytes] = ()
) -> Package:
    """Verify the package in the folder ``path`` and return it.

    In this order: the signature, where keys are trusted; the hashes, of the manifest where an id
    is expected and of every file that it lists; its schema and the permission; and only then
    what the files hold.

    Args:
        path: the package's folder.
        expected_id: the id that is asked for, if one is.
        trusted_keys: public keys in PEM; with any, what none of their owners signed is refused.

    Raises:
        PackageError: the first fault found; ``fault`` names it.
    """
    folder = Path(path)
    present = _walk(folder)
    if trusted_keys:
        check_signature(folder, trusted_keys)
    raw = _read_manifest(folder, present)
    if expected_id is not None:
        _check_id(folder, raw, expected_id)
    data = _parse_json(folder, raw)
    _check_hashes(folder, data, present)
    manifest = _parse_manifest(folder, data)
    package = Package(folder, manifest, _id_of(manifest.name, raw))
    _check_permission(package)
    for part in listed_files(manifest):
        _check_content(package, part, read_part(package.path(part), part))
    return package


def listed_files(manifest: Manifest) -> Iterator[Part]:
    """Yield every file that the manifest lists."""
    yield from manifest.graphs
    yield from manifest.golden
    yield from manifest.files


def _walk(folder: Path) -> dict[str, int]:
    """Return the size of every file under ``folder`` by its relative path."""
    if not folder.is_dir():
        refuse(
            "missing",
            tr("There is no package folder {folder}.", folder=folder),
            tr("Give the folder that holds manifest.json."),
        )
    present: dict[str, int] = {}
    _walk_into(folder, "", 0, present)
    if sum(present.values()) > PACKAGE_LIMIT:
        refuse("size", tr("{folder} is larger than a package may be.", folder=folder))
    return present


def _walk_into(folder: Path, prefix: str, depth: int, present: dict[str, int]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False) and depth < DEPTH_LIMIT:
                _walk_into(Path(entry.path), f"{name}/", depth + 1, present)
            elif entry.is_file(follow_symlinks=False):
                present[name] = entry.stat(follow_symlinks=False).st_size
            else:
                refuse(
                    "path",
                    tr("{path} is neither a file nor a folder of the package.", path=entry.path),
                    tr("A package holds plain files only: no links, no deep folders."),
                )
            if len(present) > COUNT_LIMIT:
                refuse(
                    "size",
                    tr("{folder} holds more than {n} files.", folder=folder, n=COUNT_LIMIT),
                )


def _read_manifest(folder: Path, present: dict[str, int]) -> bytes:
    if MANIFEST not in present:
        refuse(
            "missing",
            tr("{folder} holds no {manifest}.", folder=folder, manifest=MANIFEST),
            tr("Give the folder of a model package, as `millhand distil` writes it."),
        )
    return read_regular(folder / MANIFEST, MANIFEST_LIMIT)


def _parse_json(folder: Path, raw: bytes) -> dict[str, Any]:
    where = folder / MANIFEST
    try:
        data = json.loads(raw, object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        refuse("json", tr("{path} is not plain JSON: {error}.", path=where, error=error))
    if not isinstance(data, dict):
        refuse("json", tr("{path} holds no JSON object.", path=where))
    return data


def _parse_manifest(folder: Path, data: dict[str, Any]) -> Manifest:
    where = folder / MANIFEST
    try:
        return Manifest.model_validate(upgraded(data))
    except LookupError:
        version = data.get("manifest_version")
        refuse(
            "version",
            tr("{path} has the manifest version {version!r}.", path=where, version=version),
            tr("This Millhand reads versions 1 to {latest}; a newer one may read it.",
               latest=LATEST),
        )  # fmt: skip
    except ValidationError as error:
        _refuse_schema(where, error)


def _refuse_schema(where: Path, error: ValidationError) -> NoReturn:
    lines = "; ".join(
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
        for item in error.errors()[:5]
    )
    refuse("schema", tr("{path} does not follow its schema: {what}.", path=where, what=lines))


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(tr("a key stands twice in one object"))
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(tr("{name} is not a number of JSON", name=name))


def _id_of(name: str, raw: bytes) -> str:
    """The id covers the bytes on disk, in whichever version they are."""
    return f"{name}@{hashlib.sha256(raw).hexdigest()[:16]}"


def _check_id(folder: Path, raw: bytes, expected: str) -> None:
    found = _id_of(expected.partition("@")[0], raw)
    if found != expected:
        refuse(
            "id",
            tr(
                "{folder} does not hold the package {expected} that was asked for: its manifest's "
                "hash begins with {found}.",
                folder=folder,
                found=found.rpartition("@")[2],
                expected=expected,
            ),
            tr("Put the right package there, or ask for the one that is there."),
        )


def _check_permission(package: Package) -> None:
    teacher = package.manifest.teacher
    if teacher.permission is not Permission.GRANTED:
        refuse(
            "permission",
            tr(
                "The package {id} was made from {teacher}, whose permission to distil is "
                "{permission}.",
                id=package.id,
                teacher=teacher.id,
                permission=teacher.permission.value,
            ),
            tr("Use a package whose teacher's terms permit distillation; nothing overrides this."),
        )


class _Listed(BaseModel):
    """A file as any version of the manifest lists it; what else is said of it comes later."""

    path: RelativePath
    sha256: Sha256


class _Listing(BaseModel):
    graphs: tuple[_Listed, ...] = ()
    golden: tuple[_Listed, ...] = ()
    files: tuple[_Listed, ...] = ()


def _check_hashes(folder: Path, data: dict[str, Any], present: dict[str, int]) -> None:
    try:
        listing = _Listing.model_validate(data)
    except ValidationError as error:
        _refuse_schema(folder / MANIFEST, error)
    parts = (*listing.graphs, *listing.golden, *listing.files)
    listed = {part.path for part in parts}
    if len(listed) != len(parts) or listed & {MANIFEST, SIGNATURE}:
        refuse("schema", tr("{folder} lists a file twice, or itself.", folder=folder))
    for name in sorted(set(present) - listed - {MANIFEST, SIGNATURE}):
        if _looks_pickled(name, b""):
            _refuse_pickle(name)
        refuse(
            "unlisted",
            tr("{name} lies in {folder} but is not listed.", name=name, folder=folder),
            tr("Remove the file, or build the package again."),
        )
    for part in parts:
        read_part(folder / part.path, part)


def _check_content(package: Package, part: Part, data: bytes) -> None:
    if _looks_pickled(part.path, data):
        _refuse_pickle(part.path)
    if isinstance(part, GraphFile):
        check_facts(read_facts(data, part.path), part, package.manifest)
    elif isinstance(part, Golden):
        read_golden(data, part, package.manifest)


def _looks_pickled(name: str, data: bytes) -> bool:
    return Path(name).suffix.lower() in _PICKLE_SUFFIXES or data.startswith(_PICKLE_STARTS)


def _refuse_pickle(name: str) -> NoReturn:
    refuse(
        "pickle",
        tr("{name} is of a kind that can run code when it is read.", name=name),
        tr("A package holds ONNX graphs and .npz arrays only."),
    )
