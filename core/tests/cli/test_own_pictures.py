"""The demo on own pictures: what is fitted, what is shown, what is known of it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from millhand.cli import own_pictures as own
from millhand.contracts.decision import Verdict
from millhand.contracts.frames import Frame, FrameRef
from millhand.errors import ConfigError
from millhand.ledger.run import read_run
from millhand.ledger.score import DetectionLimit, Standing, standing
from millhand.scenario.load import load
from millhand.testing.runs import MadeRun

SCENARIO = """
millhand: 1
name: cell
simulation: {plant: simulated.conveyor_cell, parts: 5}
devices:
  plc: {adapter: opcua, url: "opc.tcp://127.0.0.1:4840", tags: {product: s=P}}
  camera: {adapter: simulated.camera, parts: 5}
  spare: {adapter: simulated.camera, parts: 5}
agents:
  inspector:
    use: quality.inspect
    when: every 1 s
    see: {frame: camera}
    model: {by: plc.product, impeller: models/a, housing: models/b}
    deadline: 80 ms
"""


@pytest.fixture
def scenario(tmp_path):
    folder = tmp_path / "scenario"
    folder.mkdir()
    (folder / "scenario.yaml").write_text(SCENARIO)
    return load(folder)


@pytest.fixture(autouse=True)
def fitted(monkeypatch) -> list[int]:
    """Fitting is the plugin's own; here only how many pictures it gets counts."""
    counts: list[int] = []

    def fit(good: Path, package: Path) -> None:
        counts.append(len(list(good.iterdir())))
        package.mkdir(parents=True)

    monkeypatch.setattr(own, "_fit", fit)
    return counts


def draw(folder: Path, count: int, size=(64, 48), start: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(start, start + count):
        pixels = np.full((size[1], size[0], 3), index, np.uint8)
        Image.fromarray(pixels).save(folder / f"p{index}.png")


def test_good_ones_are_fitted_and_the_others_shown(tmp_path, scenario, fitted):
    draw(tmp_path / "in/train/good", 4)
    draw(tmp_path / "in/test/good", 2)
    draw(tmp_path / "in/test/crack", 3)
    prepared = own.own_pictures(scenario, tmp_path / "in", tmp_path / "run", parts=None, seed=1)
    shown = sorted(path.name for path in (tmp_path / "run/cell/pictures").iterdir())
    assert fitted == [4]
    assert len(shown) == prepared.plant_options["parts"] == 5
    assert [name[:6] for name in shown] == [f"{n:05d}-" for n in range(1, 6)]
    assert sum("crack" in name for name in shown) == 3


def test_the_scenario_changes_only_where_it_must(tmp_path, scenario):
    draw(tmp_path / "in", 9)
    changed = own.own_pictures(
        scenario, tmp_path / "in", tmp_path / "run", parts=None, seed=0
    ).scenario
    devices = changed.file.devices
    assert devices["camera"].adapter == "folder"
    assert devices["spare"].adapter == "simulated.camera"
    assert devices["plc"].adapter == "opcua"
    agent = changed.file.agents["inspector"]
    assert agent.deadline == 0.4
    (choice,) = agent.model.values()
    assert list(choice.packages.values()) == ["models/own"]


def test_pictures_alone_are_held_out_by_thirds(tmp_path, scenario, fitted):
    draw(tmp_path / "in", 9)
    prepared = own.own_pictures(scenario, tmp_path / "in", tmp_path / "run", parts=2, seed=0)
    assert fitted == [6]
    assert prepared.plant_options["parts"] == 2
    assert prepared.truth(life("00001-unknown.png")) == []


def test_other_sizes_are_scaled_to_the_first(tmp_path, scenario):
    draw(tmp_path / "in/train/good", 3, size=(1300, 650))
    draw(tmp_path / "in/test/good", 1, size=(300, 200))
    own.own_pictures(scenario, tmp_path / "in", tmp_path / "run", parts=None, seed=0)
    sizes = set()
    for path in (tmp_path / "run/cell").rglob("*.png"):
        with Image.open(path) as image:
            sizes.add(image.size)
    assert sizes == {(640, 320)}


def life(origin: str):
    made = MadeRun()
    ref = FrameRef(camera="camera", sha256="0" * 64, height=1, width=1, frame_seq=1, origin=origin)
    made.part(Verdict.OK, frame=Frame(ref))
    return read_run(made.entries).parts


@pytest.mark.parametrize(
    ("origin", "found"),
    [("00001-good.png", Standing.GOOD), ("/a/b/00002-deep-crack.png", Standing.DEFECTIVE)],
)
def test_the_truth_stands_in_the_name_of_the_picture(tmp_path, scenario, origin, found):
    draw(tmp_path / "in", 9)
    prepared = own.own_pictures(scenario, tmp_path / "in", tmp_path / "run", parts=1, seed=0)
    (truth,) = prepared.truth(life(origin))
    assert standing(truth, DetectionLimit()) is found
    assert truth.defect == (None if found is Standing.GOOD else "deep-crack")


@pytest.mark.parametrize("count", [0, 3])
def test_too_few_pictures(tmp_path, scenario, count):
    draw(tmp_path / "in", count)
    with pytest.raises(ConfigError, match="too few"):
        own.own_pictures(scenario, tmp_path / "in", tmp_path / "run", parts=None, seed=0)


def test_a_picture_that_is_none(tmp_path, scenario):
    draw(tmp_path / "in", 8)
    (tmp_path / "in" / "a.png").write_bytes(b"no picture")
    with pytest.raises(ConfigError, match=r"a\.png"):
        own.own_pictures(scenario, tmp_path / "in", tmp_path / "run", parts=None, seed=0)
