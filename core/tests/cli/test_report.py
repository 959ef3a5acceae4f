"""``report``: the page of a run from its journal alone."""

from __future__ import annotations

import json


def test_a_page_is_written_from_the_journal(run, recorded, tmp_path):
    run("review", "disagree", "cell.1.2.q1", "scratch", "--at", recorded)
    page = tmp_path / "page.html"
    said = run("report", "--at", recorded, "--out", page)
    assert said.exit_code == 0, said.output
    assert "2 parts inspected" in said.stdout
    assert "By what people answered (1 of 1 questions): 0.00%" in said.stdout
    assert "<h1>" in page.read_text(encoding="utf-8")


def test_the_figures_for_machines(run, recorded, tmp_path):
    said = run("report", "--at", recorded, "--out", tmp_path / "page.html", "--json")
    found = json.loads(said.stdout)
    assert found["summary"]["parts"] == 2
    assert found["answers"] is None


def test_prices_are_the_scenarios(run, recorded, tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(
        "millhand: 1\nname: cell\neconomy:\n  currency: EUR\n  kwh: 0.2\n  computer: {price: 900}\n"
    )
    page = tmp_path / "page.html"
    said = run("report", "--at", recorded, "--scenario", scenario, "--out", page)
    assert said.exit_code == 0, said.output
    assert "What the decisions cost" in page.read_text(encoding="utf-8")
    assert "estimated: small PC" in page.read_text(encoding="utf-8")
