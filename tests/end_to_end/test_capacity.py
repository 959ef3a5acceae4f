"""``millhand check --takt``: what this computer carries, with the scenario's own models."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from millhand.cli.exits import ExitCode
from millhand.cli.program import program

CELL = Path(__file__).parents[2] / "scenarios" / "casting_cell"


def check(takt: str):
    done = CliRunner().invoke(program, ["check", str(CELL), "--takt", takt, "--json"])
    return done.exit_code, json.loads(done.stdout)["capacity"]


def test_a_slow_line_is_carried_and_a_quick_one_is_not_and_it_says_why() -> None:
    code, slow = check("60 s")
    assert (code, slow["misfits"]) == (ExitCode.FINE, [])
    loads = {load["agent"]: load for load in slow["agents"]}
    assert loads.keys() == {"inspector", "kinds"}
    for load in loads.values():
        assert 0 < load["p50_ms"] <= load["p99_ms"] < 60_000
    assert slow["commit_p99_ms"] > 0
    code, quick = check("1 ms")
    assert code == ExitCode.PROBLEMS
    assert any("inspector needs" in line for line in quick["misfits"])
    assert quick["shortest_takt_ms"] >= max(load["p99_ms"] for load in quick["agents"])


def test_a_takt_that_is_no_time_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(program, ["check", str(CELL), "--takt", "fast"])
    assert done.exit_code == ExitCode.USAGE
    assert "80 ms" in done.output
