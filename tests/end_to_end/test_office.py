"""The office as it ships: a watched folder, the clerk in its worker, drafts, a person's word."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from millhand.contracts import Highlight, Mode, Verdict
from millhand.engine import Engine
from millhand.feedback.review import answer, questions
from millhand.journal.records import AnswerKind, Intent, OutcomeStatus
from millhand.scenario.load import load

pytest.importorskip("millhand_admin.made.week")

from millhand_admin.commands.papers_look import papers_look
from millhand_admin.made.week import MadeFile, made_bills, made_week
from millhand_admin.reading.ocr.charset import Language
from millhand_admin.reading.ocr.engines import PpOcr, Tesseract
from millhand_records.dry_run import dry_run

SCENARIO = Path(__file__).parents[2] / "scenarios" / "office" / "scenario.yaml"
VERDICTS = {"filed": Verdict.OK, "draft": Verdict.OK, "ask": Verdict.NOT_DECIDABLE,
            "refuse": Verdict.NOT_OK}  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Path:
    folder = tmp_path / "office"
    folder.mkdir()
    shutil.copy(SCENARIO, folder)
    return folder


def put(folder: Path, files: list[MadeFile]) -> None:
    (folder / "in").mkdir(exist_ok=True)
    for number, file in enumerate(files):
        path = folder / "in" / f".{file.name}"
        path.write_bytes(file.content)
        os.utime(path, (1_700_000_000 + number,) * 2)
        path.rename(folder / "in" / file.name)


async def outcomes(engine: Engine, count: int, after: int = 0, within_s: float = 90) -> list[Any]:
    found: list[Any] = []
    async with asyncio.timeout(within_s):
        async for entry in engine.journal.cursor(after=after, kinds=("outcome",)):
            found.append(entry)
            if len(found) == count:
                break
    return found


def verdicts(engine: Engine) -> dict[str, Verdict | None]:
    found = {}
    for entry in engine.journal.read(kinds=("intent",), limit=None):
        intent = entry.record
        assert isinstance(intent, Intent)
        found[intent.observation.documents["document"].ref.name] = intent.decision.verdict
    return found


def drafts(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(path.read_bytes())["body"] for path in sorted((folder / "out").glob("*.json"))
    ]


async def test_a_week_of_papers_becomes_what_it_should(office: Path) -> None:
    files = made_week(seed=3, deals=9)
    expected = {file.becomes for file in files}
    assert expected == {"filed", "draft", "ask", "refuse"}
    put(office, files)
    async with Engine(load(office / "scenario.yaml")) as engine:
        engine.set_mode("clerk", Mode.CONTROL, by="test")
        await outcomes(engine, len(files))
        found = verdicts(engine)
        assert found == {file.name: VERDICTS[file.becomes] for file in files}
        assert len(drafts(office)) == sum(file.becomes == "draft" for file in files)
        await _approve_one(engine, office)
    done = [path.name for path in (office / "in" / "done").rglob("*.xml")]
    assert len(done) >= len(files) - 1


async def _approve_one(engine: Engine, office: Path) -> None:
    """A person approves a question: exactly its draft goes out, once."""
    before = drafts(office)
    asked = [one for one in questions(engine.journal) if "Shall the draft" in one.question.text]
    assert asked
    head = engine.journal.head
    answer(engine.journal, asked[0].id, AnswerKind.APPROVE, by="anna")
    (entry,) = await outcomes(engine, 1, after=head)
    assert entry.record.status is OutcomeStatus.CONFIRMED
    (fresh,) = [draft for draft in drafts(office) if draft not in before]
    intent = engine.journal.read(kinds=("intent",), id=asked[0].question.decision)[0].record
    assert isinstance(intent, Intent)
    assert fresh["document"] == intent.observation.documents["document"].ref.sha256


async def test_a_dry_run_shows_what_a_shadow_would_write(office: Path) -> None:
    files = made_week(seed=3, deals=5)
    put(office, files)
    async with Engine(load(office / "scenario.yaml")) as engine:
        await outcomes(engine, len(files))
    asked = ["--at", str(office)]
    result = await asyncio.to_thread(CliRunner().invoke, dry_run, asked, standalone_mode=False)
    assert result.exception is None
    bills = [file for file in files if file.becomes in {"draft", "ask"}]
    assert result.output.count("--- (nothing there)") == len(bills) > 1
    assert '+  "vendor_tax_number"' in result.output
    assert drafts(office) == []


async def test_scans_in_three_languages_become_drafts(office: Path) -> None:
    """Rendered scans, a JPEG and PDFs without characters, from the watched folder to drafts."""
    pytest.importorskip("pypdfium2", reason="PDF needs millhand-admin[pdf]")
    if not (Tesseract().available(Language.VIETNAMESE) and PpOcr().available(Language.CHINESE)):
        pytest.skip("tesseract-ocr-vie or millhand-admin[ocr] is not installed")
    # A week whose pages are read whole; how often that is, stands in the benchmarks.
    files = made_week(seed=10, deals=3, exceptions=0, scans=1)
    bills = [file for file in files if not file.name.endswith(".xml")]
    assert {Path(file.name).suffix for file in bills} == {".pdf", ".jpg"}
    put(office, files)
    async with Engine(load(office / "scenario.yaml")) as engine:
        engine.set_mode("clerk", Mode.CONTROL, by="test")
        await outcomes(engine, len(files), within_s=280)
        assert verdicts(engine) == {file.name: Verdict.OK for file in files}
        ids = [entry.id for entry in engine.journal.read(kinds=("intent",), limit=None)]
        intents = [entry.record for entry in engine.journal.read(kinds=("intent",), limit=None)]
    payable = {Decimal(str(one["payable"])) for one in drafts(office)}
    assert payable == {bill.gross for bill in made_bills(10, 3)}
    shown = [one for intent in intents if isinstance(intent, Intent)
             for one in intent.decision.explanations if isinstance(one, Highlight)
             and one.fields["form"] == "page"]  # fmt: skip
    assert len(shown) == len(bills)
    page = office / "look.html"
    asked = [ids[-1], "--at", str(office), "--out", str(page)]
    assert CliRunner().invoke(papers_look, asked, standalone_mode=False).exception is None
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") >= 8  # a picture beside each value
    data = office / "look.json"
    asked[-1] = str(data)
    assert CliRunner().invoke(papers_look, asked, standalone_mode=False).exception is None
    values = {one["path"]: one for one in json.loads(data.read_text("utf-8"))["values"]}
    picture = base64.b64decode(values["number"]["picture"])
    assert picture.startswith(b"\x89PNG")
    for one in shown:
        assert re.fullmatch(r"page 1 \[[0-9. ]+\] ocr [01]\.\d+", str(one.fields["number@"]))


async def test_in_shadow_nothing_leaves(office: Path) -> None:
    files = made_week(seed=4, deals=2, exceptions=0)
    put(office, files)
    async with Engine(load(office / "scenario.yaml")) as engine:
        await outcomes(engine, len(files))
        assert verdicts(engine)["01c-bill.xml"] is Verdict.OK
    assert drafts(office) == []


async def test_after_a_restart_orders_are_remembered_and_drafts_are_not_made_twice(
    office: Path,
) -> None:
    files = made_week(seed=5, deals=1, exceptions=0)
    put(office, files[:2])
    async with Engine(load(office / "scenario.yaml")) as engine:
        await outcomes(engine, 2)
    put(office, files[2:])
    async with Engine(load(office / "scenario.yaml")) as engine:
        engine.set_mode("clerk", Mode.CONTROL, by="test")
        await outcomes(engine, 1, after=engine.journal.head - 1)
        assert len(drafts(office)) == 1
    put(office, files[2:])
    async with Engine(load(office / "scenario.yaml")) as engine:
        async with asyncio.timeout(60):
            while sum(v is Verdict.NOT_OK for v in verdicts(engine).values()) < 1:
                await asyncio.sleep(0.05)
    assert len(drafts(office)) == 1
