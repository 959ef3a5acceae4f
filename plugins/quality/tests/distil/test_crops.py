import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand_quality.inspect.distil.crops import GRID, CropDealer
from millhand_quality.inspect.distil.examples import Examples


def examples(rows, columns, marks):
    good = np.zeros((rows, columns), np.uint8)
    marks = np.stack([good, *marks])
    pictures = np.zeros((len(marks), rows * 4, columns * 4, 3), np.uint8)
    kinds = ("good", *["pit"] * (len(marks) - 1))
    return Examples(pictures, marks, kinds, tuple(map(str, range(len(marks)))))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(2, 9).map(lambda n: 8 * n),
    columns=st.integers(2, 9).map(lambda n: 8 * n),
    side=st.sampled_from([32, 64, 128]),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_a_crop_lies_inside_on_the_grid_and_sees_its_defect(rows, columns, side, seed, data):
    mark = np.zeros((rows, columns), np.uint8)
    row = data.draw(st.integers(0, rows - 1))
    column = data.draw(st.integers(0, columns - 1))
    mark[row, column] = 16
    shown = examples(rows, columns, [mark])
    dealer = CropDealer(shown, side, np.random.default_rng(seed))
    for crop in dealer.deal(8):
        assert all(start % GRID == 0 for start in crop.corner)
        cut = crop.cells(shown.marks)
        assert cut.shape == (crop.side, crop.side)
        pixels = crop.pixels(shown.pictures)
        assert pixels.shape == (4 * crop.side, 4 * crop.side, 3)
        assert (cut.max() == 16) == (crop.place == 1)


def test_half_of_the_crops_hold_a_defect():
    mark = np.zeros((16, 16), np.uint8)
    mark[3, 3] = 4
    dealer = CropDealer(examples(16, 16, [mark, mark]), 32, np.random.default_rng(0))
    crops = dealer.deal(10)
    assert sum(crop.place > 0 for crop in crops) == 5


def test_what_was_hard_is_looked_at_again_and_where():
    mark = np.zeros((64, 64), np.uint8)
    mark[3, 3] = 4
    shown = examples(64, 64, [mark] * 10)
    dealer = CropDealer(shown, 32, np.random.default_rng(0))
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
