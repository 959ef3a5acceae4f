"""What the general student may be taught on, and what is generated for it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from millhand.errors import ConfigError
from millhand_quality.inspect.distil.general.relief import height_of, lit
from millhand_quality.inspect.distil.general.sources import (
    PERMISSIVE,
    SOURCES,
    read_sources,
    require_listed,
)
from millhand_quality.inspect.distil.general.textures import KINDS


def listed(folder: Path, content: bytes, licence: str) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    path = folder / "sources.toml"
    path.write_text(
        f'[[photograph]]\nname = "a.png"\nsha256 = "{digest}"\nby = "me"\n'
        f'licence = "{licence}"\nsource = "my camera"\n'
    )
    return path


def test_every_shipped_photograph_has_a_permissive_licence() -> None:
    photographs = read_sources(SOURCES)
    assert len(photographs) == 25
    assert {one.licence for one in photographs.values()} <= PERMISSIVE


@pytest.mark.parametrize("licence", ["CC-BY-SA-4.0", "GPL-2.0-or-later", "unknown"])
def test_a_licence_that_reaches_further_is_refused(tmp_path: Path, licence: str) -> None:
    with pytest.raises(ConfigError, match=licence):
        read_sources(listed(tmp_path, b"picture", licence))


def test_a_photograph_that_nobody_listed_is_refused(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"picture")
    sources = listed(tmp_path, b"picture", "LicenseRef-own")
    require_listed([picture], sources)
    picture.write_bytes(b"another")
    with pytest.raises(ConfigError, match="not in the list"):
        require_listed([picture], sources)


def test_a_list_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "sources.toml"
    broken.write_text("[[photograph]]\nname = 3\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_sources(broken)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_surface_stays_within_its_range(kind) -> None:  # type: ignore[no-untyped-def]
    plane = kind(np.random.default_rng(1), 64)
    assert plane.shape == (64, 64)
    assert plane.min() >= 0
    assert plane.max() <= 1


def test_a_relief_is_brighter_on_the_side_of_the_lamp() -> None:
    """A slope turned every way under one lamp is lit differently: it is no flat drawing."""
    ramp = np.tile(np.arange(32, dtype=np.float32), (32, 1))
    flat = np.zeros((32, 32), np.float32)
    one, other = (lit(np.random.default_rng(5), way, flat) for way in (ramp, ramp[:, ::-1]))
    assert abs(float(one.mean() - other.mean())) > 0.02
    assert np.ptp(height_of(np.random.default_rng(2), 64)) > 0
