"""Reports: every sentence has its entries, nothing else is told, pages hold all three languages."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from millhand.contracts import Disposition, Event, Hold, Mode, Nonconformance, Verdict
from millhand.errors import ConfigError
from millhand.journal.records import (
    Alarm,
    AlarmState,
    AnswerKind,
    ModeChange,
    Published,
    Question,
    Review,
)
from millhand.testing.runs import MadeRun
from millhand_admin.reports.html import as_html
from millhand_admin.reports.nonconformance import eight_d, ncr
from millhand_admin.reports.report import Report
from millhand_admin.reports.shift import shift_report


@pytest.fixture
def run() -> MadeRun:
    made = MadeRun(cell="casting")
    for _ in range(3):
        made.part(Verdict.OK, product="泵壳")
    bad = [made.part(Verdict.NOT_OK, Disposition.REJECT, product="vỏ bơm") for _ in range(2)]
    for number, decision in enumerate(bad, start=4):
        body = Nonconformance(part_id=f"P{number:06d}", product="vỏ bơm", lot="L-4711",
                              characteristic="bề mặt / 表面", measured=7.25, limit=5.0,
                              evidence=("ab" * 32,))  # fmt: skip
        event = Event(id=f"{decision}.e1", producer="inspector", mode=Mode.CONTROL, at_utc_ns=1,
                      cause=decision, body=body)  # fmt: skip
        made.add(Published(event=event), id=event.id)
    hold = Event(id="h1", producer="planner", mode=Mode.CONTROL, at_utc_ns=2,
                 body=Hold(subject="L-4711", reason="2 rejects in a row"))  # fmt: skip
    made.add(Published(event=hold), id="h1")
    made.add(Alarm(name="x", source="plc", state=AlarmState.ACTIVE, text="<b>away</b>"), id="a1")
    made.add(ModeChange(agent="inspector", before=Mode.SHADOW, now=Mode.CONTROL, by="anna"),
             id="m1")  # fmt: skip
    made.add(Question(decision="d", agent="clerk", text="?", kind="proposal"), id="q1")
    made.add(Question(decision="d", agent="clerk", text="?", kind="proposal"), id="q2")
    made.add(Review(question="q1", decision="d", answer=AnswerKind.APPROVE, by="anna"), id="r1")
    return made


def test_every_sentence_names_entries_that_exist(run: MadeRun) -> None:
    known = {entry.id for entry in run.entries}
    for report in (shift_report(run.entries, "casting"), ncr(run.entries, "casting", "L-4711"),
                   eight_d(run.entries, "casting", "L-4711")):  # fmt: skip
        sentences = list(report.sentences())
        assert sentences
        for sentence in sentences:
            assert sentence.ids
            assert set(sentence.ids) <= known


def test_the_shift_is_told_in_full(run: MadeRun) -> None:
    texts = [one.text for one in shift_report(run.entries, "casting").sentences()]
    assert "inspector (泵壳) decided 3: 3 OK, 0 not OK, 0 not decidable." in texts
    assert "inspector (vỏ bơm) decided 2: 0 OK, 2 not OK, 0 not decidable." in texts
    assert "Questions asked: 2; still open: 1." in texts
    assert any("inspector was put into control by anna" in text for text in texts)


def test_parts_whose_lot_the_inspector_did_not_know_are_those_of_the_hold() -> None:
    made = MadeRun(cell="casting")
    for number, measured in enumerate((40734.0, 0.000012345), start=1):
        body = Nonconformance(part_id=f"P{number}", characteristic="surface", measured=measured,
                              limit=301.4, evidence=("cd" * 32,))  # fmt: skip
        event = Event(id=f"e{number}", producer="inspector", mode=Mode.CONTROL, at_utc_ns=number,
                      body=body)  # fmt: skip
        made.add(Published(event=event), id=event.id)
    hold = Event(id="h1", producer="desk", mode=Mode.CONTROL, at_utc_ns=3,
                 body=Hold(subject="H53396", reason="bad", part_ids=("P1", "P2")))  # fmt: skip
    made.add(Published(event=hold), id="h1")
    for draft in (ncr, eight_d):
        texts = [one.text for one in draft(made.entries, "casting", "H53396").sentences()]
        assert "P1: 40730 measured, 301.4 allowed. P1: evidence cdcdcdcdcdcdcdcd." in texts
        assert any("0.00001234 measured" in text or "0.00001235" in text for text in texts)


def test_an_ncr_tells_what_was_found_and_contained(run: MadeRun) -> None:
    report = ncr(run.entries, "casting", "L-4711")
    text = " ".join(one.text for one in report.sentences())
    assert "Parts (vỏ bơm) that do not meet bề mặt / 表面: 2, from" in text
    assert "P000004: 7.25 measured, 5 allowed." in text
    assert "Disposition reject was decided 2 times." in text
    assert "put on hold: 2 rejects in a row" in text
    assert any(section.blanks for section in report.sections)


def test_an_8d_leaves_causes_to_people(run: MadeRun) -> None:
    report = eight_d(run.entries, "casting", "L-4711")
    assert [section.title[:2] for section in report.sections] == [f"D{n}" for n in range(1, 9)]
    causes = report.sections[3]
    assert causes.sentences == ()
    assert causes.blanks


def test_what_nobody_reported_is_not_reported(run: MadeRun) -> None:
    with pytest.raises(ConfigError, match="L-1"):
        ncr(run.entries, "casting", "L-1")


def test_an_empty_shift_is_a_report_too() -> None:
    report = shift_report([], "casting")
    assert list(report.sentences()) == []
    assert "Nothing to tell." in as_html(report)


def test_the_page_needs_nothing_and_carries_no_foreign_markup(run: MadeRun) -> None:
    page = as_html(shift_report(run.entries, "casting"))
    assert "&lt;b&gt;away&lt;/b&gt;" in page
    assert not re.search(r"<script|http://|https://|<link|<img", page)


# --- PDF ---


def words_of(data: bytes) -> str:
    from millhand_admin.reading.read import read

    return "\n".join(page.text for page in read(data).pages)


def test_a_pdf_holds_vietnamese_and_chinese(run: MadeRun) -> None:
    pytest.importorskip("pypdfium2", reason="the test reads PDF")
    pytest.importorskip("reportlab", reason="PDF needs millhand-admin[reports]")
    from millhand_admin.reports.fonts import register
    from millhand_admin.reports.pdf import as_pdf

    try:
        _, chinese = register()
    except ConfigError as error:
        pytest.skip(str(error))
    report = ncr(run.entries, "casting", "L-4711")
    data = as_pdf(report)
    assert data == as_pdf(report)
    text = words_of(data)
    assert "vỏ bơm" in text
    assert "bề mặt" in text
    if not chinese:
        pytest.skip("no TrueType font with Chinese (Debian: fonts-droid-fallback)")
    assert "表面" in text
    assert "□" not in text


def test_a_long_report_has_many_pages() -> None:
    pytest.importorskip("reportlab", reason="PDF needs millhand-admin[reports]")
    pytest.importorskip("pypdfium2", reason="the test reads PDF")
    from millhand_admin.reading.read import read
    from millhand_admin.reports.pdf import as_pdf

    made = MadeRun()
    for number in range(120):
        made.add(Alarm(name="x", source=f"device{number}", state=AlarmState.ACTIVE, text="away"))
    try:
        data = as_pdf(shift_report(made.entries, "c"))
    except ConfigError as error:
        pytest.skip(str(error))
    assert len(read(data).pages) >= 3


def test_the_command_refuses_what_it_cannot_write() -> None:
    from millhand_admin.commands.papers_report import papers_report

    result = CliRunner().invoke(papers_report, ["shift", "--at", "x", "--out", "x.docx"])
    assert isinstance(result.exception, ConfigError)


def test_reports_are_plain_data(run: MadeRun) -> None:
    import msgspec

    report = shift_report(run.entries, "casting")
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
