"""The passport in other forms: an ML-BOM that its own library accepts, and a page that is inert."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from millhand.cli.models import models
from millhand.models.manifest import Abstention, Energy, Metric, Source
from millhand.models.ml_bom import ml_bom
from millhand.models.package import open_package


@pytest.fixture
def stated(tmp_path, kit):
    """A package that says all that one can say."""
    builder = kit.full_builder(licence="mit or apache-2.0").promise(
        Abstention(
            threshold=0.9,
            alpha=0.05,
            delta=0.05,
            tried=8,
            items=500,
            answered=400,
            wrong=3,
            upper=0.03,
            needed=99,
            data="calibration",
        )
    )
    builder.add_metric(Metric(name="accuracy", value=0.9, low=0.8, high=0.95, items=9, data="d"))
    builder.add_source(
        Source(name="ours", licence="LicenseRef-ours", sha256="0" * 64, items=3),
        Source(name="theirs", licence="ask the customer", sha256="1" * 64, items=4),
    )
    builder.add_energy(
        Energy(
            target="cpu",
            runtime="r 1",
            precision="fp32",
            threads=1,
            millijoules=36.0,
            low=10.0,
            high=90.0,
            source="estimated",
            method="CPU time at 3 to 25 W",
            measured="2026-11-25",
        )
    )
    return builder.write(tmp_path / "stated")


def exported(folder, form, *more):
    told = CliRunner().invoke(models, ["export", str(folder), "--as", form, *map(str, more)])
    assert told.exit_code == 0, told.output
    return told.output


def test_the_bill_of_materials_says_what_the_manifest_says(stated, tmp_path):
    pytest.importorskip("cyclonedx")
    out = tmp_path / "tiny.cdx.json"
    exported(stated.folder, "cyclonedx", "-o", out)
    bill = json.loads(out.read_text())
    model = bill["metadata"]["component"]
    assert (bill["specVersion"], model["type"]) == ("1.6", "machine-learning-model")
    assert model["bom-ref"] == stated.id
    assert model["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    listed = {c["name"]: c["hashes"][0]["content"] for c in model["components"]}
    assert listed["model.onnx"] == stated.manifest.graphs[0].sha256
    teacher, ours, theirs = bill["components"]
    assert teacher["name"] == stated.manifest.teacher.id
    assert ours["licenses"] == [{"license": {"name": "LicenseRef-ours"}}] or (
        ours["licenses"] == [{"expression": "LicenseRef-ours"}]
    )
    assert theirs["licenses"] == [{"license": {"name": "ask the customer"}}]
    considered = model["modelCard"]["considerations"]
    assert "at most 0.05 of its answers are wrong" in considered["technicalLimitations"][0]
    (energy,) = considered["environmentalConsiderations"]["energyConsumptions"]
    assert energy["activityEnergyCost"] == {"value": pytest.approx(1e-8), "unit": "kWh"}
    assert {"name": "millhand:energy:source", "value": "estimated"} in energy["properties"]


def test_one_package_has_one_bill(stated):
    pytest.importorskip("cyclonedx")
    assert ml_bom(stated) == ml_bom(open_package(stated.folder))


def test_a_package_of_few_words_has_a_valid_bill_too(package):
    pytest.importorskip("cyclonedx")
    assert json.loads(ml_bom(package))["metadata"]["component"]["name"] == "tiny"


class Seen(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = set(), ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not {name for name, _ in attrs if name.startswith("on")}

    def handle_data(self, data):
        self.text += data


def test_the_card_as_a_page_is_inert_whatever_a_package_says(tmp_path, kit):
    nasty = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    builder = kit.full_builder(product=nasty, task=nasty).add_note(nasty)
    page = exported(builder.write(tmp_path / "nasty").folder, "html")
    seen = Seen()
    seen.feed(page)
    assert not seen.tags & {"script", "img", "iframe", "a", "link", "object"}
    assert "<script>alert(1)</script>" in seen.text
    assert "default-src 'none'" in page


def test_the_card_tells_promise_and_energy_with_their_source(stated):
    card = exported(stated.folder, "markdown")
    assert card == (stated.folder / "card.md").read_text()
    assert "Below a confidence of 0.9 it does not answer." in card
    assert "estimated: CPU time at 3 to 25 W" in card
    assert "| 10 to 90 |" in card
    assert "<table>" in exported(stated.folder, "html")


def test_the_manifest_is_canonical(stated):
    assert exported(stated.folder, "json").rstrip("\n") == stated.manifest.to_bytes().decode()
    assert (stated.folder / "manifest.json").read_bytes() == stated.manifest.to_bytes()
