"""The scripted loop comes round: drift, a void certificate, answers, a new model, the way back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("feedback_loop.py")


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_loop_comes_round(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--folder", tmp_path / "loop", "--json"],
        capture_output=True,
        text=True,
        timeout=1400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    story = json.loads(done.stdout)

    def rate(name: str) -> float:
        return story[name]["count"] / story[name]["of"]

    assert story["alarm_at"] > 181, "no alarm before anything had changed"
    assert rate("until_alarm") <= 2 * max(story["nominal"], rate("before"), 0.01)
    assert story["passed_while_void"] == 0
    assert rate("void_would_reject") > 0.1, "it really had drifted"
    assert story["answers_to_prove"] == story["differing"]
    assert rate("afterwards") < rate("void_would_reject") / 3, "the refresh brings them back"
    assert story["dispositions"] == story["triggers"]
