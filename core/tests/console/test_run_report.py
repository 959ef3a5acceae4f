"""The report stands alone, says what the summary says, and shows what it was given safely."""

import base64
import io
import re
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest
from PIL import Image

from millhand.console.pages import percent
from millhand.console.pictures import frame_uri, heat_map_uri
from millhand.console.run_report import render_run_report, write_run_report
from millhand.contracts.decision import ControlPoint, HeatMap, Verdict
from millhand.contracts.frames import Frame, FrameRef
from millhand.contracts.plant import PlantSummary
from millhand.journal.records import Alarm, AlarmState, Cause, OutcomeStatus
from millhand.ledger.run import read_run
from millhand.ledger.summary import summarise
from millhand.scenario.economy import Economy
from millhand.testing.runs import MadeRun

HEAT = HeatMap(frame="frame", rows=4, columns=4, values=bytes(range(0, 256, 16)), at_threshold=100)
ECONOMY = Economy.model_validate({"currency": "EUR", "scrapped_part": 1.2, "escaped_defect": 40})


def frame(seed: int = 0) -> Frame:
    pixels = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), np.uint8)
    ref = FrameRef(camera="camera", sha256=f"{seed:064x}", height=60, width=80, frame_seq=seed)
    return Frame(ref, pixels)


@pytest.fixture
def run() -> MadeRun:
    made = MadeRun(cell="casting-cell")
    for index in range(8):
        made.part(Verdict.OK, score=0.1 * index, frame=frame(index), explanations=(HEAT,))
    made.part(Verdict.OK, score=0.9, defect="scratch", frame=frame(20), explanations=(HEAT,))
    made.part(Verdict.NOT_OK, score=1.3, product="housing", frame=frame(21), explanations=(HEAT,))
    made.part(Verdict.NOT_DECIDABLE, cause=Cause.UNSURE, reason="<b>no</b> & 'maybe'")
    made.part(None, cause=Cause.LATE, status=OutcomeStatus.EXPIRED, gate=None)
    made.add(Alarm(name="device_down", source="plc", state=AlarmState.ACTIVE, text="away"))
    return made


def render(made: MadeRun, triggers: int = 12, **options) -> str:
    run = read_run(made.entries)
    plant = PlantSummary(triggers=triggers, answers={}, gate={})
    summary = summarise(run, truth=made.truths, plant=plant, economy=ECONOMY)
    options.setdefault("pictures", lambda ref: frame(int(ref.sha256, 16)).pixels)
    return render_run_report(summary, run, truth=made.truths, **options)


def text_of(html: str) -> str:
    body = html.split("</style>")[1]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


class Strict(HTMLParser):
    """Counts tags and collects everything that would be fetched."""

    void = frozenset({"meta", "img", "input", "br", "rect", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.void:
            self.open.append(tag)
        assert tag not in {"script", "link", "iframe", "object"}
        for name, value in attrs:
            assert not name.startswith("on")
            if name in {"src", "href", "srcset", "action"}:
                self.fetched.append(value)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_stands_alone_and_is_well_formed(run):
    html = render(run)
    parser = Strict()
    parser.feed(html)
    assert parser.open == []
    assert parser.fetched
    assert all(address.startswith("data:image/") for address in parser.fetched)
    assert "url(" not in html
    assert "@import" not in html


def test_says_what_the_summary_says(run):
    text = text_of(render(run, command="millhand demo --parts 12"))
    assert "12 parts inspected; 1 of the 1 defective ones got through. 1 part got no answer" in text
    assert "The PLC counted 12 triggers, and the dispositions add up to 12." in text
    assert "Escapes: 1 of 1" in text
    assert "False rejects: 1 of 10" in text
    assert "−40.00" in text
    assert "device down" in text
    assert "millhand demo --parts 12" in text


def test_parts_that_went_missing_are_told_in_red(run):
    html = render(run, triggers=13)
    assert "The PLC counted 13 triggers, but the dispositions add up to 12" in text_of(html)
    assert 'class="tile bad"' in html


def test_text_from_outside_is_escaped(run):
    html = render(run)
    assert "<b>no</b>" not in html
    assert "&lt;b&gt;no&lt;/b&gt; &amp; &#39;maybe&#39;" in html


def test_what_others_said_of_a_part_stands_with_it(run):
    run.remark("kinds", "a scratch, <91 % sure>")
    html = render(run)
    assert "kinds: a scratch, &lt;91 % sure&gt;" in html
    assert "12 parts inspected" in text_of(html), "a remark books no part"


def test_pictures_that_are_gone_leave_a_note(run):
    html = render(run, pictures=lambda ref: None)
    assert "no picture kept" in html
    assert "data:image/webp" not in html


def test_mistakes_come_first(run):
    text = text_of(render(run))
    places = [text.index(title) for title in ("Escapes", "False rejects", "Not decidable")]
    assert places == sorted(places)


def test_an_empty_run_makes_a_report_too():
    html = render_run_report(summarise(read_run([])), read_run([]))
    assert "0 parts inspected." in text_of(html)


def test_is_written_whole_or_not_at_all(run, tmp_path):
    file = tmp_path / "deep" / "report.html"
    found = read_run(run.entries)
    write_run_report(file, summarise(found), found)
    assert file.read_text(encoding="utf-8").endswith("</html>")
    with pytest.raises(RuntimeError):
        write_run_report(file, summarise(found), found, pictures=_broken)
    assert file.read_text(encoding="utf-8").endswith("</html>")
    assert [path.name for path in file.parent.iterdir()] == ["report.html"]


def _broken(ref):
    raise RuntimeError


def decode(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))))


def test_a_heat_map_is_clear_below_half_and_red_above():
    values = bytes([0, 30, 100, 255])
    heat = HeatMap(frame="frame", rows=2, columns=2, values=values, at_threshold=100)
    pixels = decode(heat_map_uri(heat))
    assert pixels.shape == (2, 2, 4)
    assert pixels[0, 0, 3] == pixels[0, 1, 3] == 0
    assert pixels[1, 0, 3] < pixels[1, 1, 3]
    red, green, blue, _ = pixels[1, 1].astype(int)
    assert red > 2 * max(green, blue)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_frame_is_scaled_down_and_keeps_its_shape(channels):
    pixels = np.full((300, 1200, channels), 200, np.uint8)
    assert decode(frame_uri(pixels, largest_px=400)).shape[:2] == (100, 400)


@pytest.mark.parametrize(
    ("rate", "said"),
    [(0, "0"), (1, "100"), (0.5, "50"), (0.123, "12.3"), (0.0042, "0.42"), (0.95, "95")],
)
def test_percent_has_the_digits_it_deserves(rate, said):
    assert percent(rate) == f"{said}\u202f%"


def test_control_charts_show_each_point_and_what_was_not_by_chance(run: MadeRun) -> None:
    for index in range(12):
        point = ControlPoint(
            chart="bore <1>: single values",
            unit="mm",
            value=40.0 + 0.001 * index,
            centre=40.0,
            lower=39.99,
            upper=40.01,
            broken=("one point beyond three sigma",) if index == 11 else (),
        )
        ranged = msgspec.structs.replace(point, chart="bore <1>: moving ranges", broken=())
        run.part(Verdict.OK, score=1.25, explanations=(point, ranged))
    page = render(run, triggers=24)
    assert page.count("<circle") == 24
    assert page.count('class="broken"') == 1
    assert "bore &lt;1&gt;" in page
    text = text_of(page)
    assert "limits 39.9900 and 40.0100 mm" in text
    assert "12 40.0110 one point beyond three sigma" in text
    checker = Strict()
    checker.feed(page)
