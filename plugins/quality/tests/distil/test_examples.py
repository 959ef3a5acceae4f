from collections.abc import Sequence

import numpy as np
import pytest

from millhand.distil.dataset import Item, Items
from millhand.errors import ConfigError
from millhand_quality.inspect.distil.examples import marked, pairs, read_examples


class Pictures:
    """Pictures held in memory."""

    def __init__(self, arrays):
        self.arrays = arrays

    def items(self) -> Sequence[Item]:
        return [Item(id=name, group=name, sha256="") for name in sorted(self.arrays)]

    def read(self, item):
        return {"image": self.arrays[item.id]}

    def sources(self):
        return ()

    def shelf(self):
        return Items(self, self.items())


def picture(height=64, width=32, level=90):
    return np.full((height, width, 3), level, np.uint8)


def mask(*points, height=64, width=32):
    pixels = np.zeros((height, width, 3), np.uint8)
    for row, column in points:
        pixels[row, column] = 255
    return pixels


def test_pictures_masks_and_kinds_come_together(tmp_path):
    source = Pictures(
        {
            "train/good/1.png": picture(level=10),
            "test/good/2.png": picture(level=20),
            "test/pit/3.png": picture(level=30),
            "ground_truth/pit/3_mask.png": mask((0, 0), (1, 3), (63, 31)),
        }
    )
    told = []
    shown = read_examples(source.shelf(), tmp_path / "x.npy", told.append)
    found = dict(zip(shown.ids, shown.kinds, strict=True))
    assert found == {"train/good/1.png": "good", "test/good/2.png": "good", "test/pit/3.png": "pit"}
    place = shown.ids.index("test/pit/3.png")
    assert list(shown.defective) == [place]
    assert len(shown.good) == 2
    assert (shown.pictures[place] == 30).all()
    assert shown.cells == (16, 8)
    marks = shown.marks(range(3))
    assert marks.shape == (3, 16, 8)
    assert marks[place, 0, 0] == 2
    assert marks[place, 15, 7] == 1
    assert marks.sum() == 3
    assert shown.mask(place)[63, 31]
    assert shown.mask(place).sum() == 3
    assert told[-1] == 1


def test_pixels_of_a_cell_are_counted():
    pixels = np.zeros((64, 32), bool)
    pixels[4:8, :4] = True
    assert marked(pixels)[1, 0] == 16
    assert marked(pixels).sum() == 16


def test_several_folders_of_the_layout_do_not_mix(tmp_path):
    source = Pictures(
        {
            "a/test/pit/1.png": picture(),
            "a/ground_truth/pit/1_mask.png": mask((0, 0)),
            "b/test/pit/1.png": picture(),
            "b/ground_truth/pit/1_mask.png": mask((63, 31)),
        }
    )
    shown = read_examples(source.shelf(), tmp_path / "x.npy", lambda _: None)
    assert shown.ids == ("a/test/pit/1.png", "b/test/pit/1.png")
    assert [np.argwhere(shown.mask(place)).tolist() for place in (0, 1)] == [[[0, 0]], [[63, 31]]]


def test_a_defect_without_a_mask_is_refused():
    with pytest.raises(ConfigError, match=r"test/pit/3\.png has no mask"):
        pairs(Pictures({"test/pit/3.png": picture()}).items())


def test_a_shelf_without_pictures_is_refused():
    with pytest.raises(ConfigError, match="no pictures"):
        pairs(Pictures({"ground_truth/pit/3_mask.png": mask()}).items())


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"train/good/1.png": picture(60, 32)}, "multiples of 32"),
        ({"train/good/1.png": picture(), "train/good/2.png": picture(32, 32)}, "good/2.png is"),
    ],
)
def test_sizes_that_do_not_fit_are_named(arrays, why, tmp_path):
    with pytest.raises(ConfigError, match=why) as caught:
        read_examples(Pictures(arrays).shelf(), tmp_path / "x.npy", lambda _: None)
    assert caught.value.mend
