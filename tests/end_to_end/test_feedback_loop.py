"""The scripted loop: drift, a void certificate, answers, a new student, and the way back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from millhand.statistics.intervals import share

SCRIPT = Path(__file__).with_name("feedback_loop")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_loop_comes_round(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--folder", tmp_path / "loop", "--json"],
        capture_output=True,
        text=True,
        timeout=1100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    story = json.loads(done.stdout)

    def rate(name: str) -> float:
        return story[name]["count"] / story[name]["of"]

    assert story["alarm_at"] > 181, "no alarm before anything had changed"
    usual = max(story["nominal"], rate("before"), 0.01)
    until = share(story["until_alarm"]["count"], story["until_alarm"]["of"])
    assert until.low <= 2 * usual, "some fifty parts; they cannot show that it had doubled"
    assert story["passed_while_void"] == 0
    assert rate("void_would_reject") > 0.1, "it really had drifted"
    assert story["answers_to_prove"] == story["differing"]
    assert rate("afterwards") < rate("void_would_reject") / 2, "the refresh brings them back"
    assert story["student"]["image AUROC"] > 0.9
    assert story["rollback_ms"] < 10_000, "some hundredths of a second, were the machine its own"
    assert story["dispositions"] == story["triggers"]
    page = Path(story["report"]).read_text(encoding="utf-8")
    assert "refreshed-impeller" in page
    assert "certificate is void" in page
