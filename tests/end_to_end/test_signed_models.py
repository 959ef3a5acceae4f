"""A cell that trusts a key: its workers open what was signed with it, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from millhand.engine.build import agent_spec
from millhand.errors import PackageError
from millhand.isolate.worker import open_agent
from millhand.models.signature import SIGNATURE, make_key, sign_folder
from millhand.plugins import Plugins
from millhand.scenario import load

CASTING_CELL = Path(__file__).parents[2] / "scenarios" / "casting_cell"


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    """A copy of the casting cell whose packages are signed, with the key named."""
    cell = tmp_path / "cell"
    shutil.copytree(CASTING_CELL, cell)
    make_key(tmp_path / "models.key")
    shutil.copy(tmp_path / "models.pub", cell / "models.pub")
    for product in ("impeller", "housing"):
        folder = cell / "models" / product
        key = (tmp_path / "models.key").read_bytes()
        (folder / SIGNATURE).write_bytes(sign_folder(folder, key))
    with (cell / "scenario.yaml").open("a") as file:
        file.write("\nmodels: {signed_by: models.pub}\n")
    return cell


def test_a_worker_opens_signed_packages_and_no_others(cell: Path) -> None:
    spec = agent_spec(load(cell), "inspector", Plugins.discover())
    resident = open_agent(spec)
    try:
        assert sorted(resident.opened.packages) == ["model.housing", "model.impeller"]
    finally:
        resident.close()
    # The packages lie there whole, as good as before; only the signature is gone.
    (cell / "models" / "housing" / SIGNATURE).unlink()
    with pytest.raises(PackageError) as caught:
        open_agent(spec)
    assert caught.value.fault == "unsigned"
