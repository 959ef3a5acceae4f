"""The systemd unit: accepted by systemd's own checker, without rights, and it runs what it says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from millhand.cli.program import program
from millhand.errors import ConfigError
from millhand.upkeep.systemd import Systemd
from millhand.upkeep.unit import Unit

analyze = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(analyze is None, reason="systemd is not installed")

HERE = Path(__file__).resolve()
seen_by_services = pytest.mark.skipif(
    any(HERE.is_relative_to(folder) for folder in ("/tmp", "/var/tmp")),
    reason="this checkout lies below /tmp, which a service does not see",
)

SCENARIO = Path("/srv/my cell 100%")


def directives(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, flags=re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def unit_file(tmp_path: Path) -> Path:
    unit = Unit(cell="my-cell", scenario=SCENARIO, user="daemon")
    file = tmp_path / unit.name
    file.write_text(unit.text())
    return file


@seen_by_services
def test_it_is_watched_and_has_no_right_that_it_does_not_need(unit_file: Path) -> None:
    found = directives(unit_file.read_text())
    assert found["Type"] == ["notify"]
    assert int(found["WatchdogSec"][0]) > 0
    assert found["NoNewPrivileges"] == ["yes"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["PrivateTmp"] == ["yes"]
    assert found["CapabilityBoundingSet"] == [""]
    assert found["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]
    assert found["StateDirectory"] == ["millhand/my-cell"]
    assert found["User"] == ["daemon"]


@needs_systemd
@seen_by_services
def test_systemd_itself_finds_nothing_wrong(unit_file: Path) -> None:
    done = subprocess.run(
        [str(analyze), "verify", "--man=no", str(unit_file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "millhand" in line]
    assert (ours, done.returncode) == ([], 0)


@needs_systemd
@seen_by_services
def test_systemd_rates_it_as_well_protected(unit_file: Path) -> None:
    done = subprocess.run(
        [str(analyze), "security", "--offline=true", "--threshold=25", "--no-pager", unit_file],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]


@seen_by_services
def test_what_it_runs_is_what_was_meant_and_becomes_ready(tmp_path: Path) -> None:
    folder = tmp_path / "my cell 100%"
    folder.mkdir()
    (folder / "scenario.yaml").write_text("millhand: 1\nname: quiet\n")
    state = tmp_path / "state"
    line = directives(Unit(cell="my-cell", scenario=SCENARIO).text())["ExecStart"][0]
    command = shlex.split(line.replace("%%", "%").replace("$$", "$"))
    assert command[command.index("run") + 1] == str(SCENARIO)
    command = [word.replace(str(SCENARIO), str(folder)) for word in command]
    command[command.index("--state") + 1] = str(state)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as service:
            assert b"READY=1" in manager.recv(4096)
            service.send_signal(signal.SIGTERM)
            assert service.wait(30) == 0
    assert (state / "journal.sqlite").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"user": "root"}, "never runs as root"),
        ({"user": "0"}, "never runs as root"),
        ({"scenario": Path("/tmp/cell")}, "cannot see /tmp/cell"),
        ({"scenario": Path("/srv/a\nExecStart=/bin/sh")}, "line break"),
    ],
)
def test_what_would_not_be_safe_is_refused(change: dict[str, object], said: str) -> None:
    options: dict[str, object] = {"cell": "x", "scenario": SCENARIO, **change}
    with pytest.raises(ConfigError, match=said):
        Unit(**options).text()  # type: ignore[arg-type]


@seen_by_services
def test_devices_are_opened_one_by_one_and_homes_are_read_only() -> None:
    text = Unit(cell="x", scenario=Path("/home/ann/cell"), devices=("/dev/video0",)).text()
    found = directives(text)
    assert found["DeviceAllow"] == ["/dev/video0 rw"]
    assert found["DevicePolicy"] == ["closed"]
    assert found["ProtectHome"] == ["read-only"]
    assert "PrivateDevices" not in found


def test_a_journal_in_a_database_needs_no_state(tmp_path: Path) -> None:
    assert "--state" not in Unit(cell="x", scenario=SCENARIO, database=True).command


@pytest.mark.skipif(shutil.which("systemctl") is None, reason="systemd is not installed")
def test_install_and_uninstall_in_an_image(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("millhand.upkeep.unit._PRIVATE", ())
    cell = tmp_path / "cell"
    cell.mkdir()
    (cell / "scenario.yaml").write_text("millhand: 1\nname: quiet\n")
    root = tmp_path / "image"
    root.mkdir()
    done = CliRunner().invoke(program, ["service", "install", str(cell), "--root", str(root)])
    assert done.exit_code == 0, done.output
    file = Systemd(root).file("millhand-quiet.service")
    wanted = root / "etc/systemd/system/multi-user.target.wants/millhand-quiet.service"
    assert file.stat().st_mode & 0o777 == 0o644
    assert wanted.is_symlink()
    done = CliRunner().invoke(program, ["service", "uninstall", "quiet", "--root", str(root)])
    assert done.exit_code == 0, done.output
    assert not file.exists()
    assert not wanted.is_symlink()


def test_a_unit_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    there = Systemd(tmp_path)
    file = there.file("millhand-x.service")
    file.parent.mkdir(parents=True)
    file.write_text("[Service]\nExecStart=/bin/true\n")
    for change in (
        lambda: there.install(Unit(cell="x", scenario=SCENARIO), start=False),
        lambda: there.uninstall("millhand-x.service"),
    ):
        with pytest.raises(ConfigError, match="was not written by Millhand"):
            change()
    assert file.read_text().startswith("[Service]")


def test_print_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("millhand.upkeep.unit._PRIVATE", ())
    (tmp_path / "scenario.yaml").write_text("millhand: 1\nname: quiet\n")
    done = CliRunner().invoke(program, ["service", "install", str(tmp_path), "--print"])
    assert done.exit_code == 0
    assert "ExecStart=" in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scenario.yaml"]


def test_a_user_that_is_not_there_and_a_wrong_scenario_need_a_person(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text("millhand: 1\nname: quiet\n")
    arguments = ["service", "install", str(tmp_path), "--user", "nobody-like-that"]
    done = CliRunner().invoke(program, arguments)
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 3
    (tmp_path / "scenario.yaml").write_text("millhand: 1\n")
    assert CliRunner().invoke(program, ["service", "install", str(tmp_path)]).exit_code == 3
