"""Whether model packages are there, undamaged, and made for the products they are used for."""

from __future__ import annotations

from collections.abc import Iterator

from millhand.errors import ConfigError, PackageError, Problem
from millhand.messages import tr
from millhand.scenario.checks.names import Names
from millhand.scenario.document import KeyPath
from millhand.scenario.trust import trusted_keys


def check_packages(names: Names) -> Iterator[Problem]:
    """Verify every package that an agent names; each folder is read once."""
    from millhand.models.package import open_package
    from millhand.models.signature import check_keys

    try:
        keys = trusted_keys(names.scenario)
        check_keys(keys)
    except ConfigError as error:
        yield names.problem(
            ("models", "signed_by"), error.message, tr("public keys of who signs"), error.mend
        )
        return
    faults: dict[str, PackageError | None] = {}
    products: dict[str, str | None] = {}
    for path, folder, product in _uses(names):
        if folder not in faults:
            try:
                package = open_package(names.scenario.folder / folder, trusted_keys=keys)
                faults[folder], products[folder] = None, package.manifest.product
            except PackageError as error:
                faults[folder] = error
        fault = faults[folder]
        if fault is not None:
            expected = tr("a whole and unchanged model package ({fault})", fault=fault.fault)
            yield names.problem(path, fault.message, expected, fault.mend)
        elif product and products[folder] not in {None, product}:
            yield names.problem(
                path,
                tr("The package was made for the product {made}.", made=products[folder]),
                tr("a package for {product}", product=product),
                tr("Name the right folder."),
            )


def _uses(names: Names) -> Iterator[tuple[KeyPath, str, str]]:
    """Yield each use of a package: where it stands, its folder, the product it is used for."""
    for name, agent in names.scenario.file.agents.items():
        for role, choice in agent.model.items():
            root: KeyPath = ("agents", name, "model", *([role] if role else []))
            for product, folder in choice.packages.items():
                yield (*root, product) if product else root, folder, product
