"""What is installed, as a bill of materials: CycloneDX 1.6 JSON, checked by its own validator.

What counts is what Millhand needs here: its distributions, its plugins, and all that they require,
as the installed metadata says; other packages in the environment are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from millhand import __version__
from millhand.errors import ConfigError, InternalError
from millhand.messages import tr

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

_EVERY = frozenset({"*"})
"""Every extra: of our own distributions, whose optional parts count where they are installed."""


def installed() -> dict[str, Distribution]:
    """Return Millhand, its plugins and all that they need, by normalised name."""
    found: dict[NormalizedName, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    own = ["millhand", *(point.dist.name for point in entry_points(group="millhand")
                         if point.dist is not None)]  # fmt: skip
    waiting = [(canonicalize_name(name), _EVERY) for name in own]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # an optional part that is not here
        waiting += _needed(found[name], extras)
    return {str(name): one for name, one in sorted(found.items())}


def _needed(
    one: Distribution, extras: frozenset[str] = frozenset()
) -> Iterator[tuple[NormalizedName, frozenset[str]]]:
    """Yield name and wanted extras of all that a distribution requires here, under its extras."""
    if extras is _EVERY:
        extras = frozenset(one.metadata.get_all("Provides-Extra") or ())
    for text in one.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)


def bill_of_materials() -> str:
    """Return the bill as CycloneDX 1.6 JSON.

    Raises:
        ConfigError: the library is not installed.
        InternalError: what came out does not follow the standard.
    """
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError as error:
        raise ConfigError(
            tr("The bill of materials needs the library cyclonedx-python-lib."),
            mend=tr("pip install 'millhand[sbom]'"),
        ) from error
    found = installed()
    components = {name: _component(one) for name, one in found.items()}
    root = Component(name="millhand-installation", version=__version__,
                     type=ComponentType.APPLICATION)  # fmt: skip
    bom = Bom(components=components.values())
    bom.metadata.component = root
    bom.register_dependency(root, [components["millhand"]])
    for name, one in found.items():
        needs = {needed for needed, _ in _needed(one, _EVERY)} & components.keys()
        bom.register_dependency(components[name], [components[need] for need in sorted(needs)])
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise InternalError(tr("The bill does not follow CycloneDX 1.6: {fault}", fault=fault))
    return text


def _said(one: Distribution, key: str) -> str:
    """Return the first value of a key of the distribution's metadata, empty where it has none."""
    return next(iter(one.metadata.get_all(key) or ()), "")


def _component(one: Distribution) -> Component:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    stated = _said(one, "License-Expression") or _said(one, "License")
    short = stated.strip().partition("\n")[0][:200]
    licences = [LicenseFactory().make_from_string(short)] if short else []
    return Component(
        name=one.name,
        version=one.version,
        type=ComponentType.LIBRARY,
        description=_said(one, "Summary") or None,
        purl=PackageURL("pypi", None, canonicalize_name(one.name), one.version),
        bom_ref=f"{canonicalize_name(one.name)}@{one.version}",
        licenses=licences,
    )
