"""``millhand demo`` as a person runs it: a process of its own, its output in a pipe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def command(casting_cell: Path, tmp_path: Path) -> list[str]:
    """A short demo, recorded in ``tmp_path/run``."""
    words = ["demo", str(casting_cell), "--folder", str(tmp_path / "run"), "--seed", "5"]
    return [sys.executable, "-u", "-m", "millhand.cli", *words]


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(tmp_path), "LANGUAGE": "en", "OMP_NUM_THREADS": "1"}


def test_ends_by_itself_with_balanced_books_and_a_report(command, tmp_path) -> None:
    done = subprocess.run(
        [*command, "--parts", "12", "--json"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        cwd=tmp_path,
        env=environment(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["parts"] == summary["plc_triggers"] == 12
    assert sum(summary["dispositions"].values()) == 12
    assert summary["score"]["escapes"]["count"] == 0
    assert summary["open"] == 0, "every intent has an outcome"
    assert summary["score"]["parts"] == 12
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "12 parts inspected" in report
    assert "Traceback" not in done.stderr
    verified = subprocess.run(
        [sys.executable, "-m", "millhand.cli", "journal", "verify", "--at", str(tmp_path / "run")],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert verified.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_ends_it_in_good_order_with_what_was_done_so_far(command, tmp_path) -> None:
    with subprocess.Popen(
        [*command, "--parts", "500"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if " parts, " in line:  # some parts are through
                break
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "inspected" in rest
    assert "Traceback" not in rest
    assert (tmp_path / "run" / "report.html").exists()
