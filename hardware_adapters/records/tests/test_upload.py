"""Documents by HTTP, over real sockets."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import ValidationError

aiohttp = pytest.importorskip("aiohttp", reason="upload needs millhand-records[http]")

from millhand_records.upload import UploadAdapter, UploadConfig  # noqa: E402

TOKEN = "0123456789abcdef"


def config(path: Path, **options: object) -> UploadConfig:
    return UploadConfig.model_validate({"path": path, "port": 0, "token": TOKEN} | options)


async def post(
    port: int, content: bytes, name: str = "a.pdf", token: str = TOKEN
) -> tuple[int, object]:
    url = f"http://127.0.0.1:{port}/documents"
    headers = {"Authorization": f"Bearer {token}"}
    sent = io.BytesIO(content)
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, params={"name": name}, data=sent, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def test_what_was_answered_is_on_disk_and_comes_in_order(tmp_path: Path) -> None:
    async with UploadAdapter("door", config(tmp_path)) as door:
        status, answer = await post(door.port, b"one", "../../etc/in voice.pdf")
        assert (status, answer) == (201, {"sha256": sha256(b"one").hexdigest(), "size": 3})
        assert (await post(door.port, b"two", "b.xml"))[0] == 201
    async with (
        UploadAdapter("door", config(tmp_path)) as door,
        aclosing(door.receive()) as stream,
        asyncio.timeout(20),
    ):
        reference, content = await anext(stream)
        assert (reference.name, content) == ("in voice.pdf", b"one")
        assert (await anext(stream))[1] == b"two"
        await post(door.port, b"three")
        assert (await anext(stream))[1] == b"three"
    assert {path.parent.parent for path in tmp_path.rglob("*in voice.pdf")} == {tmp_path / "done"}


async def test_strangers_and_what_is_too_large_are_turned_away(tmp_path: Path) -> None:
    async with UploadAdapter("door", config(tmp_path, max_file_mb=1)) as door:
        assert (await post(door.port, b"x", token="wrong"))[0] == 401
        assert (await post(door.port, b"x" * 2_000_000))[0] == 413
        assert (await post(door.port, b""))[0] == 400
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_full_spool_says_so(tmp_path: Path) -> None:
    async with UploadAdapter("door", config(tmp_path, most_waiting=2)) as door:
        assert [(await post(door.port, b"x"))[0] for _ in range(3)] == [201, 201, 503]


@pytest.mark.parametrize("options", [{"host": "0.0.0.0"}, {"token": "short"}])
def test_unsafe_settings_are_refused(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        config(tmp_path, **options)
