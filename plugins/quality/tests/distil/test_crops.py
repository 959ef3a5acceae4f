import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand_quality.inspect.distil.crops import GRID, Crop, CropDealer
from millhand_quality.inspect.distil.examples import Examples


def examples(rows, columns, *defects):
    """A good picture and defective ones, each with one marked cell."""
    masks = np.zeros((1 + len(defects), rows * 4, columns * 4), bool)
    for mask, (row, column) in zip(masks[1:], defects, strict=True):
        mask[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = True
    pictures = np.repeat(masks[..., None], 3, axis=3).astype(np.uint8) * 200
    kinds = ("good", *["pit"] * len(defects))
    packed = np.packbits(masks, axis=2)
    return Examples(pictures, packed, kinds, tuple(map(str, range(len(masks)))))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(2, 9).map(lambda n: 8 * n),
    columns=st.integers(2, 9).map(lambda n: 8 * n),
    side=st.sampled_from([32, 64, 128]),
    reach=st.integers(0, 2),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_a_crop_lies_inside_on_the_grid_and_sees_its_defect(rows, columns, side, reach, seed, data):
    row = data.draw(st.integers(0, rows - 1))
    column = data.draw(st.integers(0, columns - 1))
    shown = examples(rows, columns, (row, column))
    dealer = CropDealer(shown, side, reach, np.random.default_rng(seed))
    for crop in dealer.deal(8):
        assert all(start % GRID == 0 for start in crop.corner)
        assert max(map(abs, crop.shift)) <= reach
        cut = crop.cells(shown.marks(range(2)))
        assert cut.shape == (crop.side, crop.side)
        assert (cut.max() == 16) == (crop.place == 1)
        pixels = crop.pixels(shown.pictures[crop.place])
        assert pixels.shape == (4 * crop.side, 4 * crop.side, 3)
        # Picture and mask are moved alike.
        assert ((pixels[..., 0] > 0) == crop.pixels(shown.mask(crop.place))).all()
        assert (pixels.max() > 0) == (crop.place == 1)


def test_a_picture_is_moved_under_the_grid():
    picture = np.arange(64 * 64).reshape(64, 64)
    assert (Crop(0, (0, 0), 16).pixels(picture) == picture).all()
    moved = Crop(0, (4, 4), 8, (2, -1)).pixels(picture)
    assert (moved == picture[14:46, 17:49]).all()
    border = Crop(0, (0, 0), 16, (3, 0)).pixels(picture)
    assert (border[:4] == picture[0]).all()
    assert (border[3:] == picture[:-3]).all()


def test_half_of_the_crops_hold_a_defect():
    dealer = CropDealer(examples(16, 16, (3, 3), (9, 9)), 32, 2, np.random.default_rng(0))
    crops = dealer.deal(10)
    assert sum(crop.place > 0 for crop in crops) == 5


def test_what_was_hard_is_looked_at_again_and_where():
    dealer = CropDealer(examples(64, 64, *[(3, 3)] * 10), 32, 2, np.random.default_rng(0))
    hardness, worst = np.zeros(11, np.float32), np.zeros((11, 2), np.int64)
    hardness[7], worst[0] = 5.0, (50, 20)
    dealer.reviewed(hardness, worst)
    crops = dealer.deal(4000)
    looks = [crop.place for crop in crops if crop.place]
    assert looks.count(7) > 2.5 * len(looks) / 10
    assert set(looks) == set(range(1, 11))
    # A good picture is looked at anywhere, and about half of the times where it looked worst.
    seen = [
        row <= 50 < row + crop.side and column <= 20 < column + crop.side
        for crop in crops
        if crop.place == 0
        for row, column in [crop.corner]
    ]
    assert 0.45 < np.mean(seen) < 0.65
