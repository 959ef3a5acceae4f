"""A timetable of documents: in order, unharmed, as often as one likes."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest

from millhand.errors import ConfigError
from millhand_records.rehearsed import RehearsedAdapter, RehearsedConfig


async def test_files_come_in_the_timetables_order_and_stay(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(b"<a/>")
    (tmp_path / "b.xml").write_bytes(b"<b/>")
    config = RehearsedConfig.model_validate(
        {"path": tmp_path, "at": {"b.xml": "20 ms", "a.xml": "60 ms"}}
    )
    for _ in range(2):
        async with RehearsedAdapter("post", config) as adapter, asyncio.timeout(30):
            received = adapter.receive()
            found = [await anext(received), await anext(received)]
        assert [content for _, content in found] == [b"<b/>", b"<a/>"]
        reference = found[0][0]
        assert reference.name == "b.xml"
        assert reference.sha256 == sha256(b"<b/>").hexdigest()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.xml", "b.xml"]


@pytest.mark.parametrize("limit", [20.0, 0.000001])
async def test_missing_and_large_files_are_told_at_the_start(tmp_path: Path, limit: float) -> None:
    if limit < 1:
        (tmp_path / "a.xml").write_bytes(b"<a/>" * 10)
    config = RehearsedConfig.model_validate(
        {"path": tmp_path, "at": {"a.xml": "1 s"}, "max_file_mb": limit}
    )
    with pytest.raises(ConfigError, match=r"a\.xml"):
        await RehearsedAdapter("post", config).__aenter__()
