from __future__ import annotations

import uuid

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from millhand_opcua.addresses import Address


@pytest.mark.parametrize(
    ("text", "node_id"),
    [
        ("s=Cell.PackML.State", ua.NodeId("Cell.PackML.State", 3)),
        ("i=4711", ua.NodeId(4711, 3)),
        (
            "g=09087e75-8e5e-499b-954f-f2a9603db28a",
            ua.NodeId(uuid.UUID("09087e75-8e5e-499b-954f-f2a9603db28a"), 3),
        ),
        ("b=AP8=", ua.NodeId(b"\x00\xff", 3)),
        ("nsu=urn:other;s=a;b=c", ua.NodeId("a;b=c", 3)),
    ],
)
def test_a_node_id_becomes_that_of_the_server(text: str, node_id: ua.NodeId) -> None:
    address = Address.parse(text)
    assert address.node_id(3) == node_id
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "Cell.State", "i=", "i=-1", "i=4294967296", "i=x", "g=1", "b=?", "s=", "ns=2;s=a"]
)
def test_what_is_no_node_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Address.parse(text)


def test_a_namespace_index_is_refused_with_the_mend() -> None:
    with pytest.raises(ValueError, match="nsu="):
        Address.parse("ns=2;s=Cell.State")


@given(st.text(min_size=1))
def test_any_string_identifier_survives(identifier: str) -> None:
    assert Address.parse(f"s={identifier}").node_id(1).Identifier == identifier
