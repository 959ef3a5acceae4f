"""Names for what a device offers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.cli.discover import tag_names


@pytest.mark.parametrize(
    ("addresses", "names"),
    [
        (["s=Cell.PackML.State", "s=Cell.Product"], ["pack_ml_state", "product"]),
        (["s=Cell.Speed"], ["speed"]),
        (["s=Cell", "s=Cell.Speed"], ["cell", "cell_speed"]),
        (["i=4711", "nsu=urn:x;i=4712"], ["t_4711", "t_4712"]),
        (["a.1", "a-1"], ["t_1", "t_1_2"]),
        (["s=Wärme", "s=温度"], ["w_rme", "tag"]),
        ([], []),
    ],
)
def test_names_follow_the_addresses(addresses: list[str], names: list[str]) -> None:
    assert tag_names(addresses) == names


@given(st.lists(st.text(max_size=80), max_size=20))
def test_names_are_valid_and_different_for_any_addresses(addresses: list[str]) -> None:
    names = tag_names(addresses)
    assert len(names) == len(set(names)) == len(addresses)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name) for name in names)
