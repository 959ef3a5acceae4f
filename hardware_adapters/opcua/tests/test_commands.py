"""``millhand connect`` and ``millhand discover`` on a real server."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from millhand.cli.program import program
from millhand.plugins import Plugins
from millhand.scenario.check import check
from millhand.scenario.load import load_text
from millhand.testing import PeerProcess

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """The commands set up logging for their process, which here is ours."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerProcess]:
    folder = str(tmp_path_factory.mktemp("peer"))
    peer = PeerProcess(sys.executable, str(HERE / "asyncua_peer.py"), folder)
    peer.start()
    yield peer
    peer.kill()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, arguments)


def url(peer: PeerProcess) -> str:
    return f"opc.tcp://127.0.0.1:{peer.port}"


def test_an_address_alone_connects(peer: PeerProcess) -> None:
    done = run("connect", url(peer))
    assert (done.exit_code, done.stderr) == (0, "")
    assert "connected in" in done.stdout


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"namespace": "urn:absent"}, "configuration"),
        ({"security.policy": "Basic256Sha256"}, "security"),
        ({"security.policy": "Aes256Sha256RsaPss"}, "security"),
        (
            {
                "security.user": "operator",
                "security.password": "env:PLC_PASSWORD",
                "security.allow_plain_password": "true",
            },
            "credentials",
        ),
    ],
)
def test_a_refusal_is_classed_and_has_a_mend(
    peer: PeerProcess,
    settings: dict[str, str],
    fault: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLC_PASSWORD", "guess")
    settings = {**settings, "security.pki": str(tmp_path)}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    done = run("connect", url(peer), *options, "--json")
    (device,) = json.loads(done.stdout)["devices"]
    assert (done.exit_code, device["link"], device["fault"]) == (3, "refused", fault)
    assert device["detail"]
    assert device["mend"]
    assert "guess" not in done.output


def test_nobody_there_is_the_network(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = run("connect", f"opc.tcp://127.0.0.1:{port}")
    assert done.exit_code == 4
    assert "fault: network" in done.stdout
    assert "refuses the connection" in done.stdout
    unknown = run("connect", "opc.tcp://nowhere.invalid:4840")
    assert "nowhere.invalid is not known" in unknown.stdout


def test_another_protocol_on_the_port_is_the_configuration() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_babble, args=(server,), daemon=True).start()
        done = run("connect", f"opc.tcp://127.0.0.1:{server.getsockname()[1]}")
    assert done.exit_code == 3
    assert "fault: configuration" in done.stdout
    assert "does not speak" in done.stdout


def _babble(server: socket.socket) -> None:
    try:
        while True:
            line, _ = server.accept()
            with line:
                line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    except OSError:
        return


def test_an_unknown_scheme_names_those_that_are_known() -> None:
    done = run("connect", "opc.tpc://127.0.0.1:4840")
    assert done.exit_code == 3
    assert "opc.tcp" in done.stderr


def test_a_scenario_is_tried_device_by_device(peer: PeerProcess, tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(
        "millhand: 1\nname: cell\ndevices:\n"
        f"  plc: {{adapter: opcua, url: '{url(peer)}', namespace: 'urn:millhand:test',\n"
        "    tags: {counter: s=Counter, ghost: s=Ghost}}\n"
    )
    done = run("connect", str(tmp_path), "plc")
    assert done.exit_code == 0
    assert "1 of 2 tags are good" in done.stdout
    assert "ghost: bad" in done.stdout
    wrong = run("connect", str(tmp_path), "plx")
    assert "Did you mean plc?" in wrong.stderr


def test_what_is_discovered_is_a_scenario_as_it_stands(peer: PeerProcess) -> None:
    done = run("discover", url(peer))
    assert done.exit_code == 0
    assert "read_only: {node: s=ReadOnly, type: int32}  # read only" in done.stdout
    assert "scalar_int16: {node: s=Scalar.int16, type: int16}\n" in done.stdout
    scenario = load_text(f"millhand: 1\nname: cell\n{done.stdout}")
    assert check(scenario, Plugins.discover()) == []
    device = scenario.file.devices["device"]
    assert device.options["namespace"] == "urn:millhand:test"
    assert len(device.tags) == 19


def test_only_what_is_asked_for(peer: PeerProcess) -> None:
    done = run("discover", url(peer), "--only", "*R*", "--writable", "--json")
    assert [tag["address"] for tag in json.loads(done.stdout)["tags"]] == ["s=Ring"]


def test_a_device_that_is_away_is_no_discovery() -> None:
    done = run("discover", "opc.tcp://127.0.0.1:9")
    assert done.exit_code == 4
    assert done.stdout == ""
    assert done.stderr
