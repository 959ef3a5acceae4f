"""Whose models a scenario runs: named keys are read, and a package that none signed is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from millhand.errors import ConfigError
from millhand.models.signature import SIGNATURE, make_key, sign_folder
from millhand.plugins import Plugins
from millhand.scenario.check import check
from millhand.scenario.load import load_text
from millhand.scenario.trust import trusted_keys


@pytest.fixture
def signed(cell: Path, good_text: str) -> str:
    """The good scenario with signed packages, and its text naming the key."""
    public = make_key(cell / "maker" / "models.key")
    for folder in (cell / "models").iterdir():
        key = (cell / "maker" / "models.key").read_bytes()
        (folder / SIGNATURE).write_bytes(sign_folder(folder, key))
    (cell / "keys").mkdir()
    public.rename(cell / "keys" / "models.pub")
    return good_text.rstrip() + "\nmodels: {signed_by: keys/models.pub}\n"


def problems(text: str, cell: Path, plugins: Plugins) -> list[str]:
    found = check(load_text(text, cell / "scenario.yaml"), plugins)
    return [str(problem) for problem in found]


def test_signed_packages_are_fine(signed: str, cell: Path, plugins: Plugins) -> None:
    assert problems(signed, cell, plugins) == []


def test_an_unsigned_package_is_an_error_where_it_is_named(
    signed: str, cell: Path, plugins: Plugins
) -> None:
    (cell / "models" / "housing" / SIGNATURE).unlink()
    (met,) = problems(signed, cell, plugins)
    assert "agents.inspector.model" in met
    assert "unsigned" in met


def test_one_of_several_keys_is_enough(signed: str, cell: Path, plugins: Plugins) -> None:
    make_key(cell / "keys" / "next.key")
    both = signed.replace("keys/models.pub", "[keys/next.pub, keys/models.pub]")
    assert problems(both, cell, plugins) == []
    (met, *_) = problems(signed.replace("keys/models.pub", "keys/next.pub"), cell, plugins)
    assert "signature" in met


@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read"), ("no key", "P-256")])
def test_a_key_that_is_none_is_an_error_at_its_line(
    signed: str, cell: Path, plugins: Plugins, content: str | None, says: str
) -> None:
    file = cell / "keys" / "models.pub"
    file.unlink()
    if content is not None:
        file.write_text(content)
    (met,) = problems(signed, cell, plugins)
    assert says in met
    assert f":{len(signed.splitlines())}:" in met


def test_a_missing_key_stops_the_engine_too(signed: str, cell: Path) -> None:
    (cell / "keys" / "models.pub").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        trusted_keys(load_text(signed, cell / "scenario.yaml"))
