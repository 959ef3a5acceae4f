import numpy as np
import pytest
from PIL import Image

from millhand.distil.dataset import Shelf
from millhand.distil.folder import FolderSource, plan_data
from millhand.distil.plan import FolderUse
from millhand.errors import ConfigError
from millhand.models.arrays import write_arrays


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    for label in ("good", "scratch"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for part in range(3):
            for view in range(2):
                pixels = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "data" / label / f"p{part}_{view}.png")
    return tmp_path


def use(**changes):
    return FolderUse(**{"folder": "data", "licence": "CC0-1.0", **changes})


def test_pictures_with_group_and_label(pictures):
    source = FolderSource(use(group=r"(?P<group>\w+/p\d+)_\d\.png"), pictures)
    items = source.items()
    assert len(items) == 12
    assert {i.group for i in items} == {f"{a}/p{n}" for a in ("good", "scratch") for n in range(3)}
    assert {i.label for i in items} == {"good", "scratch"}
    image = source.read(items[0])["image"]
    assert (image.shape, image.dtype) == ((4, 5, 3), np.uint8)
    (stated,) = source.sources()
    assert (stated.items, stated.licence) == (12, "CC0-1.0")


def test_without_an_expression_every_file_is_its_own_part(pictures):
    items = FolderSource(use(pattern="good/*.png"), pictures).items()
    assert len({i.group for i in items}) == len(items) == 6


def test_grey_pictures_and_arrays(tmp_path):
    (tmp_path / "data").mkdir()
    Image.fromarray(np.full((4, 4), 7, np.uint8)).save(tmp_path / "data/a.png")
    (tmp_path / "data/b.npz").write_bytes(write_arrays({"x": np.arange(3)}))
    (tmp_path / "data/notes.txt").write_text("not an item")
    source = FolderSource(use(), tmp_path)
    grey, arrays = source.items()
    assert (source.read(grey)["image"] == 7).all()
    np.testing.assert_array_equal(source.read(arrays)["x"], [0, 1, 2])


def test_damage_is_named(pictures):
    path = pictures / "data/good/p0_0.png"
    path.write_bytes(path.read_bytes()[:40])
    source = FolderSource(use(), pictures)
    with pytest.raises(ConfigError, match=r"p0_0\.png cannot be read"):
        source.read(source.items()[0])


def test_a_file_changed_meanwhile_is_named(pictures):
    source = FolderSource(use(), pictures)
    path = pictures / "data" / source.items()[0].id
    path.write_bytes(b"other")
    with pytest.raises(ConfigError, match="changed"):
        source.read(source.items()[0])


def test_the_sources_hash_is_that_of_the_content(pictures):
    before = FolderSource(use(), pictures).sources()[0].sha256
    assert FolderSource(use(), pictures).sources()[0].sha256 == before
    (pictures / "data/good/p0_0.png").unlink()
    assert FolderSource(use(), pictures).sources()[0].sha256 != before


def test_no_folder_no_fit_no_data(pictures, make_plan):
    with pytest.raises(ConfigError, match="no data folder"):
        FolderSource(use(folder="elsewhere", recipe="render it"), pictures)
    with pytest.raises(ConfigError, match="does not fit"):
        FolderSource(use(group=r"(?P<group>x)"), pictures)
    with pytest.raises(ConfigError, match="names no data"):
        plan_data(make_plan(), pictures)
    named = make_plan(data={"folder": "data", "licence": "CC0-1.0"})
    assert len(plan_data(named, pictures).items()) == 12


def test_the_folder_itself_may_say_what_a_file_is_for(pictures):
    (pictures / "data/good").rename(pictures / "data/train")
    (pictures / "data/scratch").rename(pictures / "data/test")
    items = FolderSource(use(shelf=r"(?P<shelf>\w+)/.*"), pictures).items()
    assert {(item.id.split("/")[0], item.shelf) for item in items} == {
        ("train", Shelf.TRAIN),
        ("test", Shelf.TEST),
    }


def test_a_shelf_that_does_not_exist_is_named(pictures):
    with pytest.raises(ConfigError, match=r"finds “good” in good/p0_0\.png") as caught:
        FolderSource(use(shelf=r"(?P<shelf>\w+)/.*"), pictures)
    assert "calibration" in caught.value.mend
