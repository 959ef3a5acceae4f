"""The console over real sockets: health, metrics, who may ask."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.client
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client.parser import text_string_to_metric_families

from millhand.console.probe import main as probe
from millhand.console.server import serve
from millhand.engine import Engine
from millhand.errors import ConfigError, Unavailable
from millhand.plugins import Plugins
from millhand.scenario.load import load_text

QUIET = "millhand: 1\nname: quiet\n"


@pytest.fixture
def run_console(tmp_path: Path) -> Callable[..., object]:
    """Return an async context manager: an engine with its console; yields engine and URL."""

    @asynccontextmanager
    async def run(
        console: str = "{listen: '127.0.0.1:0'}", *, safe: bool = False
    ) -> AsyncIterator[tuple[Engine, str]]:
        scenario = load_text(f"{QUIET}console: {console}\n", tmp_path / "scenario.yaml")
        async with (
            Engine(scenario, plugins=Plugins(), safe=safe) as engine,
            serve(scenario, engine.snapshot) as url,
        ):
            assert url is not None
            yield engine, url

    return run


async def ask(url: str, path: str, **headers: str) -> tuple[int, str]:
    """Ask from a thread, as another program would."""

    def get() -> tuple[int, str]:
        parts = urlsplit(url)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = http.client.HTTPSConnection(parts.netloc, timeout=10, context=context)
        else:
            connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    return await asyncio.to_thread(get)


async def test_a_running_cell_is_live_and_ready(run_console) -> None:
    async with run_console() as (_engine, url):
        assert await ask(url, "/livez") == (200, "ok\n")
        status, body = await ask(url, "/readyz")
        assert (status, '"ready":true' in body) == (200, True)


async def test_safe_mode_is_live_but_not_ready_and_says_why(run_console) -> None:
    async with run_console(safe=True) as (_engine, url):
        assert (await ask(url, "/livez"))[0] == 200
        status, body = await ask(url, "/readyz")
        assert status == 503
        assert "Safe mode" in body


async def test_metrics_are_what_prometheus_parses(run_console) -> None:
    async with run_console() as (engine, url):
        async for _entry in engine.journal.cursor():
            break  # the engine's start is on disk
        status, body = await ask(url, "/metrics")
        assert status == 200
        found = {family.name: family for family in text_string_to_metric_families(body)}
        assert found["millhand_ready"].samples[0].value == 1
        assert found["millhand_info"].samples[0].labels["cell"] == "quiet"
        head = found["millhand_journal_entries"].samples[0].value
        assert head == engine.journal.head > 0
        assert {"millhand_dispositions", "millhand_parts_done"} <= found.keys()
        assert "process_resident_memory_bytes" in found


async def test_a_name_that_is_not_ours_is_refused(run_console) -> None:
    async with run_console() as (_engine, url):
        assert (await ask(url, "/metrics", Host="plant.example"))[0] == 421
        assert (await ask(url, "/metrics", Host="localhost:1"))[0] == 200


async def test_a_token_opens_all_but_liveness_needs_none(run_console, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    async with run_console("{listen: '127.0.0.1:0', token: 'file:token'}") as (_engine, url):
        assert (await ask(url, "/livez"))[0] == 200
        assert (await ask(url, "/metrics"))[0] == 401
        assert (await ask(url, "/metrics", Authorization="Bearer wrong"))[0] == 401
        assert (await ask(url, "/metrics", Authorization="Bearer s3cret"))[0] == 200


async def test_with_a_certificate_it_speaks_tls(run_console, tmp_path: Path) -> None:
    make_certificate(tmp_path)
    text = "{listen: '127.0.0.1:0', tls: {certificate: c.pem, private_key: k.pem}}"
    async with run_console(text) as (_engine, url):
        assert url.startswith("https://")
        assert await ask(url, "/livez") == (200, "ok\n")


async def test_a_taken_port_and_a_bad_certificate_say_so(run_console, tmp_path: Path) -> None:
    async with run_console() as (_engine, url):
        taken = f"{{listen: '127.0.0.1:{urlsplit(url).port}'}}"
        scenario = load_text(f"{QUIET}console: {taken}\n", tmp_path / "scenario.yaml")
        with pytest.raises(Unavailable, match="cannot listen"):
            async with serve(scenario, _engine.snapshot):
                pass
    (tmp_path / "c.pem").write_text("no certificate")
    (tmp_path / "k.pem").write_text("no key")
    with pytest.raises(ConfigError, match="certificate cannot be used"):
        async with run_console(
            "{listen: '127.0.0.1:0', tls: {certificate: c.pem, private_key: k.pem}}"
        ):
            pass


@pytest.mark.parametrize(
    "more", ["", ", token: 'file:t'", ", tls: {certificate: c, private_key: k}"]
)
@pytest.mark.parametrize("address", ["0.0.0.0:8080", "[::]:8080", "192.0.2.7:8080"])
def test_wider_than_loopback_without_token_and_tls_is_refused(address: str, more: str) -> None:
    with pytest.raises(ConfigError, match="Others on the network could reach"):
        load_text(f"{QUIET}console: {{listen: '{address}'{more}}}\n")


def test_wider_with_token_and_tls_is_allowed() -> None:
    tls = "{certificate: c, private_key: k}"
    loaded = load_text(f"{QUIET}console: {{listen: '[::]:8443', token: 'env:T', tls: {tls}}}\n")
    assert loaded.file.console is not None
    assert str(loaded.file.console.listen) == "[::]:8443"


@pytest.mark.parametrize("listen", ["plant.example:80", "8080", "127.0.0.1:70000", "127.0.0.1:-1"])
def test_an_address_that_is_none_is_refused(listen: str) -> None:
    with pytest.raises(ConfigError, match="no address to listen on"):
        load_text(f"{QUIET}console: {{listen: '{listen}'}}\n")


def test_a_token_in_the_file_is_refused() -> None:
    with pytest.raises(ConfigError, match="A secret stands in the file itself"):
        load_text(f"{QUIET}console: {{token: hunter2}}\n")


async def test_the_probe_of_containers(run_console) -> None:
    async with run_console(safe=True) as (_engine, url):
        assert await asyncio.to_thread(probe, [f"{url}/livez"]) == 0
        assert await asyncio.to_thread(probe, [f"{url}/readyz"]) == 1
    assert await asyncio.to_thread(probe, [f"{url}/livez"]) == 1, "nobody listens any more"
    assert probe(["http://192.0.2.1/livez"]) == 2, "it asks this computer only"


def make_certificate(folder: Path) -> None:
    """Write a self-signed certificate for localhost as c.pem and its key as k.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
