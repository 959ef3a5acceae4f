"""The service under a real systemd, booted in namespaces over a view of this computer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CELL = HERE.parents[1] / "scenarios" / "casting_cell"
SYSTEMD = Path("/lib/systemd/systemd")
PYTHON = Path("/usr/bin/python3")
COMMANDS = ("unshare", "script", "useradd", "systemctl")


def _missing() -> str:
    """Say what this computer lacks for it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs Linux, and root for namespaces"
    if not SYSTEMD.exists() or not PYTHON.exists():
        return "needs systemd and Debian's Python"
    lacking = [name for name in COMMANDS if shutil.which(name) is None]
    if lacking:
        return f"needs {', '.join(lacking)}"
    words = [PYTHON, "-c", "import sys, venv; print(sys.version_info[:2])"]
    theirs = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    if theirs != str(sys.version_info[:2]):
        return f"needs the same Python there: {theirs}"
    if str(HERE).startswith("/tmp"):
        return "a service does not see /tmp"
    allowed = subprocess.run(
        [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--cgroup",
            "mount",
            "-t",
            "cgroup2",
            "c",
            "/mnt",
        ],
        capture_output=True,
        check=False,
    )
    return "" if allowed.returncode == 0 else "may not make namespaces here"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_cell_is_installed_watched_restarted_and_removed(tmp_path: Path) -> None:
    if missing := _missing():
        pytest.skip(missing)
    driver = tmp_path / "driver.sh"
    text = (HERE / "prove_service.sh").read_text(encoding="utf-8")
    site = sysconfig.get_path("purelib")
    driver.write_text(text.replace("@SITE@", site).replace("@CELL@", str(CELL)), encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    inside = f"bash {HERE / 'nested_systemd.sh'} {driver} {out}"
    nested = f"unshare --mount --pid --fork --uts --ipc --cgroup {inside}"
    subprocess.run(
        ["script", "-qefc", nested, str(out / "console.log")],
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        timeout=380,
        check=False,
    )
    log = (out / "driver.log").read_text(encoding="utf-8", errors="replace")
    lines = (out / "facts").read_text(encoding="utf-8").splitlines()
    facts = dict(line.split(" ", 1) for line in lines)
    assert facts.get("done") == "yes", log[-4000:]
    assert facts["active"] == facts["after_hang"] == facts["after_kill"] == "active"
    assert facts["user"] == "millhand"
    assert int(facts["capabilities"], 16) == 0
    assert facts["new_privileges"] == "1"
    assert json.loads(facts["status"])["active"] is True
    assert facts["stopped"] == "success"
    assert facts["verified"] == "yes", (out / "verify.log").read_text()
    assert facts["left"] == "0"
    print(facts["exposure"])
