"""Folders in and out: whole files once, in order; drafts once by key."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from millhand.contracts import DocumentRef, Link, WriteStatus
from millhand.testing import permit_for
from millhand_records.drop import DropAdapter, DropConfig
from millhand_records.inbox import InboxAdapter, InboxConfig

BODY = {"number": "INV-1", "total": "12.50", "lines": [
    json.dumps({"item": "=cmd()", "quantity": "2", "price": "6.25"}),
    json.dumps({"item": "B-2", "quantity": "-1.5", "price": "1"}),
]}  # fmt: skip


async def following(
    stream: AsyncIterator[tuple[DocumentRef, bytes]], within_s: float = 20
) -> tuple[DocumentRef, bytes]:
    async with asyncio.timeout(within_s):
        return await anext(stream)


def inbox(path: Path, **options: object) -> InboxAdapter:
    return InboxAdapter(
        "inbox", InboxConfig.model_validate({"path": path, "settle_s": 0} | options)
    )


async def test_files_come_once_and_are_put_aside_when_the_next_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "b.pdf").write_bytes(b"one")
    os.utime(tmp_path / "b.pdf", (1, 1))
    (tmp_path / "a.pdf").write_bytes(b"two")
    os.utime(tmp_path / "a.pdf", (2, 2))
    async with inbox(tmp_path) as box, aclosing(box.receive()) as stream:
        reference, content = await following(stream)
        assert (reference.name, content, reference.media_type) == (
            "b.pdf",
            b"one",
            "application/pdf",
        )
        assert (tmp_path / "taking" / "b.pdf").exists()
        assert (await following(stream))[1] == b"two"
        assert not (tmp_path / "taking" / "b.pdf").exists()
        (tmp_path / "c.xml").write_bytes(b"three")
        assert (await following(stream))[1] == b"three"
        assert box.health().link is Link.UP
    done = sorted(path.name for path in (tmp_path / "done").rglob("*.*") if path.is_file())
    assert done == ["a.pdf", "b.pdf"]
    assert (tmp_path / "taking" / "c.xml").exists()


async def test_what_was_not_acknowledged_comes_again(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"one")
    for _ in range(2):
        async with inbox(tmp_path) as box, aclosing(box.receive()) as stream:
            assert (await following(stream))[1] == b"one"


async def test_a_file_is_taken_only_when_it_is_left_alone(tmp_path: Path) -> None:
    growing = tmp_path / "a.pdf"
    growing.write_bytes(b"half")
    async with inbox(tmp_path, settle_s=0.4) as box, aclosing(box.receive()) as stream:
        waiting = asyncio.ensure_future(following(stream))
        for _ in range(4):
            await asyncio.wait([waiting], timeout=0.15)
            assert not waiting.done()
            with growing.open("ab") as file:
                file.write(b"+")
        assert (await waiting)[1] == b"half++++"


async def test_what_is_no_document_is_refused_or_left_alone(tmp_path: Path) -> None:
    (tmp_path / "large.pdf").write_bytes(b"x" * 2_000_000)
    os.utime(tmp_path / "large.pdf", (1, 1))
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "b.part").write_bytes(b"x")
    secret = tmp_path.parent / f"{tmp_path.name}-secret"
    secret.write_bytes(b"secret")
    (tmp_path / "link.pdf").symlink_to(secret)
    (tmp_path / "folder.pdf").mkdir()
    (tmp_path / "good.pdf").write_bytes(b"good")
    async with inbox(tmp_path, max_file_mb=1) as box, aclosing(box.receive()) as stream:
        assert (await following(stream))[1] == b"good"
    assert (tmp_path / "refused" / "large.pdf").exists()
    assert "1 MB" in (tmp_path / "refused" / "large.pdf.reason.txt").read_text()
    assert {"link.pdf", ".hidden", "b.part"} <= {path.name for path in tmp_path.iterdir()}


async def test_the_same_name_twice_keeps_both(tmp_path: Path) -> None:
    async with inbox(tmp_path) as box, aclosing(box.receive()) as stream:
        for content in (b"1", b"2", b"3"):
            (tmp_path / "a.pdf").write_bytes(content)
            assert (await following(stream))[1] == content
    kept = {path.read_bytes() for path in (tmp_path / "done").rglob("a*.pdf")}
    assert kept == {b"1", b"2"}


async def test_an_inbox_takes_no_drafts(tmp_path: Path) -> None:
    async with inbox(tmp_path) as box:
        result = await box.deliver(permit_for("inbox", ("deliver.bill", "k")), "bill", {}, "k")
    assert result.status is WriteStatus.REJECTED


# --- drop ---


def drop(path: Path, **options: object) -> DropAdapter:
    return DropAdapter("books", DropConfig.model_validate({"path": path} | options))


async def test_a_draft_is_written_once(tmp_path: Path) -> None:
    async with drop(tmp_path) as books:
        for _ in range(2):
            permit = permit_for("books", ("deliver.bill", "key-1"))
            result = await books.deliver(permit, "bill", BODY, "key-1")
            assert result.status is WriteStatus.APPLIED
        other = await books.deliver(permit_for("books", ("deliver.bill", "key-1")), "bill",
                                    BODY | {"total": "99"}, "key-1")  # fmt: skip
        assert other.status is WriteStatus.REJECTED
    (record,) = tmp_path.glob("*.json")
    assert json.loads(record.read_bytes())["body"] == BODY
    rows = list(csv.reader(io.StringIO(record.with_suffix(".csv").read_text("utf-8-sig")),
                           delimiter=";"))  # fmt: skip
    assert rows[0] == ["number", "total", "line_item", "line_price", "line_quantity"]
    assert rows[1] == ["INV-1", "12.50", "'=cmd()", "6.25", "2"]
    assert rows[2][-1] == "-1.5"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    "permit",
    [
        permit_for("books", ("deliver.bill", "other")),
        permit_for("books", ("deliver.order", "key-1")),
        permit_for("elsewhere", ("deliver.bill", "key-1")),
        permit_for("books", ("deliver.bill", "key-1"), valid_s=-1),
    ],
)
async def test_without_a_fitting_permit_nothing_is_written(tmp_path: Path, permit: object) -> None:
    async with drop(tmp_path) as books:
        result = await books.deliver(permit, "bill", BODY, "key-1")  # type: ignore[arg-type]
    assert result.status is WriteStatus.NOT_SENT
    assert list(tmp_path.iterdir()) == []


async def test_a_permit_is_spent_once(tmp_path: Path) -> None:
    permit = permit_for("books", ("deliver.bill", "key-1"))
    async with drop(tmp_path) as books:
        first = await books.deliver(permit, "bill", BODY, "key-1")
        second = await books.deliver(permit, "bill", BODY, "key-1")
    assert (first.status, second.status) == (WriteStatus.APPLIED, WriteStatus.NOT_SENT)


async def test_a_kind_cannot_leave_the_folder(tmp_path: Path) -> None:
    async with drop(tmp_path / "out") as books:
        kind = "../../evil"
        await books.deliver(permit_for("books", (f"deliver.{kind}", "k")), kind, {}, "k")
    assert all(path.parent == tmp_path / "out" for path in tmp_path.rglob("*.json"))
    assert len(list(tmp_path.rglob("*.json"))) == 1
