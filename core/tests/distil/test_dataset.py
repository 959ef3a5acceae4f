import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.distil.dataset import Dataset, Item, Shelf, Split
from millhand.distil.sealed import SealedTest
from millhand.errors import ConfigError


class Listed:
    def __init__(self, items):
        self.listed = items

    def items(self):
        return self.listed

    def read(self, item):
        return {}

    def sources(self):
        return ()


def item(number, group, shelf=None, label=""):
    return Item(id=str(number), group=group, sha256="0" * 64, shelf=shelf, label=label)


SHARES = st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(any)


@st.composite
def splits(draw):
    shares = draw(SHARES)
    names = ("train", "pool", "calibration", "test")
    return Split(**{n: s / sum(shares) for n, s in zip(names, shares, strict=True)}, salt="s")


@given(splits(), st.lists(st.text(max_size=5), max_size=50))
def test_a_group_lies_on_a_shelf_with_a_share_wherever_others_lie(split, groups):
    for group in groups:
        shelf = split.shelf(group)
        assert shelf is Split.model_validate(split.model_dump()).shelf(group)
        assert getattr(split, shelf.value) > 0 or shelf is Shelf.TRAIN


def test_shares_are_kept_in_the_long_run():
    split = Split(train=0.5, pool=0.1, calibration=0.1, test=0.3)
    found = [split.shelf(str(n)) for n in range(10_000)]
    for shelf in Shelf:
        assert found.count(shelf) / 10_000 == pytest.approx(getattr(split, shelf.value), abs=0.02)


def test_growing_data_move_nothing():
    few = [item(n, f"part{n % 30}") for n in range(60)]
    more = few + [item(n, f"part{n % 90}") for n in range(60, 400)]
    before, after = Dataset(Listed(few), Split()), Dataset(Listed(more), Split())
    ids = {i.id for i in few}
    assert {i.id for i in before.train} == {i.id for i in after.train} & ids
    assert {i.id for i in before.sealed()} == {i.id for i in after.sealed()} & ids


def test_shares_must_be_whole():
    with pytest.raises(ValueError, match="sum to 1"):
        Split(train=0.5)


def test_one_part_on_two_shelves_is_refused():
    items = [item(1, "a", Shelf.TRAIN), item(2, "a", Shelf.TEST)]
    with pytest.raises(ConfigError, match="two shelves"):
        Dataset(Listed(items), Split())


def test_one_id_twice_is_refused():
    with pytest.raises(ConfigError, match="same id"):
        Dataset(Listed([item(1, "a"), item(1, "b")]), Split())


def test_the_fingerprint_is_that_of_the_content():
    items = [item(n, str(n)) for n in range(50)]
    fingerprint = Dataset(Listed(items), Split()).fingerprint
    assert Dataset(Listed(items[::-1]), Split()).fingerprint == fingerprint
    changed = [*items[:-1], item(49, "49", label="bad")]
    assert Dataset(Listed(changed), Split()).fingerprint != fingerprint


def test_the_seal_counts_across_processes(tmp_path):
    data = Dataset(Listed([item(n, str(n)) for n in range(50)]), Split())
    record = tmp_path / "deep" / "sealed.json"
    sealed = SealedTest(data, record)
    assert sealed.readings() == ()
    assert len(sealed.open("a" * 64, "first")) == len(data.sealed())
    SealedTest(data, record).open("b" * 64, "second")
    assert [reading.reason for reading in sealed.readings()] == ["first", "second"]
    grown = Dataset(Listed([item(n, str(n)) for n in range(80)]), Split())
    assert SealedTest(grown, record).readings() == ()


def test_a_spoilt_record_is_not_forgotten(tmp_path):
    data = Dataset(Listed([item(n, str(n)) for n in range(50)]), Split())
    (tmp_path / "r.json").write_text("{")
    with pytest.raises(ConfigError, match="backup"):
        SealedTest(data, tmp_path / "r.json").open("a" * 64, "x")
