"""The packages of a scenario: each verified once, found by path and by id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from millhand.errors import PackageError
from millhand.messages import did_you_mean, tr
from millhand.models.package import Package, open_package


class Registry:
    """Packages below a base folder, as a scenario names them."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._packages: dict[str, Package] = {}

    def open(self, path: str, *, expected_id: str | None = None, again: bool = False) -> Package:
        """Return the package at ``path`` (relative to the base), verified when first asked for.

        Args:
            path: as the scenario writes it.
            expected_id: the id that the scenario pins, if it does.
            again: verify anew, because the folder may have been replaced.

        Raises:
            PackageError: as :func:`millhand.models.package.open_package`.
        """
        known = self._packages.get(path)
        if known is not None and not again and expected_id in {None, known.id}:
            return known
        package = open_package(self._base / path, expected_id=expected_id)
        self._packages[path] = package
        return package

    def by_id(self, package_id: str) -> Package:
        """Return the opened package with this id.

        Raises:
            PackageError: ``missing``, none of the opened packages has it.
        """
        by_id = {package.id: package for package in self._packages.values()}
        if package_id not in by_id:
            raise PackageError(
                tr("No package with the id {id} is open.", id=package_id),
                fault="missing",
                mend=did_you_mean(package_id, list(by_id)),
            )
        return by_id[package_id]

    def __iter__(self) -> Iterator[Package]:
        return iter(self._packages.values())

    def __len__(self) -> int:
        return len(self._packages)
