from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto import cert_gen
from asyncua.crypto.permission_rules import User, UserRole
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from millhand.contracts import Link, Quality, WriteStatus
from millhand.errors import ConfigError, NotAllowed

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAGS = {"counter": {"node": "s=Counter", "type": "int32"}}
URI = "urn:millhand:test:server"


class Operators:
    """Lets in one operator by password, and anybody without a name."""

    def get_user(
        self,
        _iserver: Any,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        if username is None or (username, password) == ("operator", "s3cret"):
            return User(role=UserRole.User)
        return None


class Secure:
    def __init__(self, url: str, certificate: Path, trusted: set[bytes]) -> None:
        self.url = url
        self.certificate = certificate
        self.trusted = trusted
        """Client certificates (DER) that the server accepts; empty: all."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secure(tmp_path_factory, plant_server):
    folder = tmp_path_factory.mktemp("server")
    key = cert_gen.generate_private_key()
    certificate = cert_gen.generate_self_signed_app_certificate(
        key,
        "plant",
        {},
        [x509.UniformResourceIdentifier(URI), x509.DNSName("localhost")],
        extended=[ExtendedKeyUsageOID.SERVER_AUTH],
    )
    path = folder / "server.der"
    path.write_bytes(certificate.public_bytes(Encoding.DER))
    (folder / "key.pem").write_bytes(cert_gen.dump_private_key_as_pem(key))
    server = Server(user_manager=Operators())
    trusted: set[bytes] = set()

    async def only_trusted(client: x509.Certificate, _description: Any) -> None:
        if trusted and client.public_bytes(Encoding.DER) not in trusted:
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)

    server.set_certificate_validator(only_trusted)
    server.set_security_policy(
        [
            ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
            ua.SecurityPolicyType.Aes256Sha256RsaPss_Sign,
        ]
    )
    await plant_server.build(server=server)
    await server.set_application_uri(URI)
    await server.load_certificate(path)
    await server.load_private_key(folder / "key.pem")
    async with server:
        yield Secure(f"opc.tcp://127.0.0.1:{plant_server.port_of(server)}/plant", path, trusted)


def pki(tmp_path: Path, secure: Secure) -> Path:
    trusted = tmp_path / "pki" / "trusted"
    trusted.mkdir(parents=True)
    shutil.copy(secure.certificate, trusted / "plant.der")
    return tmp_path / "pki"


OPERATOR = {"policy": "Basic256Sha256", "user": "operator", "password": "s3cret"}


async def test_user_and_certificate_let_in(secure, adapt, permit, tmp_path) -> None:
    security = {**OPERATOR, "pki": pki(tmp_path, secure)}
    async with adapt(secure.url, TAGS, security=security) as plc:
        assert (await plc.read(["counter"]))[0].good
        assert (await plc.write(permit(("counter", 4)))).status is WriteStatus.SENT
        assert (await plc.read(["counter"]))[0].value == 4


async def test_signing_with_another_policy_and_a_pinned_certificate(
    secure, adapt, tmp_path
) -> None:
    security = {
        **OPERATOR,
        "policy": "Aes256Sha256RsaPss",
        "mode": "Sign",
        "server_certificate": secure.certificate,
        "pki": tmp_path,
    }
    async with adapt(secure.url, TAGS, security=security) as plc:
        assert (await plc.read(["counter"]))[0].good


async def test_the_own_certificate_is_made_once_and_kept_to_its_owner(
    secure, adapt, tmp_path
) -> None:
    folder = pki(tmp_path, secure)
    own = folder / "own" / "certificate.der"
    security = {**OPERATOR, "pki": folder}
    async with adapt(secure.url, TAGS, security=security):
        first = own.read_bytes()
    async with adapt(secure.url, TAGS, security=security):
        assert own.read_bytes() == first
    assert (folder / "own" / "key.pem").stat().st_mode & 0o077 == 0
    certificate = x509.load_der_x509_certificate(first)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier)[0].startswith("urn:")


async def refusal(adapt, url: str, security: dict[str, Any]) -> str:
    """Connect, expect to be refused, and return the words for it."""
    async with adapt(url, TAGS, connect=False, security=security) as plc:
        with pytest.raises(NotAllowed):
            await plc.wait_connected(15)
        health = plc.health()
        assert health.link is Link.REFUSED
        (sample,) = await plc.read(["counter"])
        assert sample.quality is Quality.DISCONNECTED
        assert sample.note == health.detail
        return health.words


async def test_a_wrong_password_is_refused(secure, adapt, tmp_path) -> None:
    security = {**OPERATOR, "password": "guess", "pki": pki(tmp_path, secure)}
    detail = await refusal(adapt, secure.url, security)
    assert "refuses the user" in detail
    assert "security.password" in detail
    assert "guess" not in detail


async def test_an_untrusted_server_is_refused_until_a_person_moves_its_certificate(
    secure, adapt, tmp_path
) -> None:
    folder = tmp_path / "pki"
    security = {**OPERATOR, "pki": folder}
    async with adapt(
        secure.url, TAGS, connect=False, security=security, refused_retry_s=0.2
    ) as plc:
        with pytest.raises(NotAllowed, match="not trusted"):
            await plc.wait_connected(15)
        (rejected,) = (folder / "rejected").iterdir()
        assert str(rejected) in plc.health().mend
        assert rejected.read_bytes() == secure.certificate.read_bytes()
        (folder / "trusted").mkdir()
        rejected.rename(folder / "trusted" / rejected.name)
        feed = plc.subscribe(["counter"], 0.02)
        while not (await anext(feed))[0].good:
            pass
        await feed.aclose()


async def test_another_certificate_than_the_pinned_one_is_refused(secure, adapt, tmp_path) -> None:
    other = tmp_path / "other.der"
    key = cert_gen.generate_private_key()
    other.write_bytes(
        cert_gen.generate_self_signed_app_certificate(
            key, "other", {}, [x509.DNSName("other")], extended=[ExtendedKeyUsageOID.SERVER_AUTH]
        ).public_bytes(Encoding.DER)
    )
    security = {**OPERATOR, "server_certificate": other, "pki": tmp_path}
    assert "another certificate" in await refusal(adapt, secure.url, security)


async def test_a_server_that_does_not_trust_us_is_said(secure, adapt, tmp_path) -> None:
    secure.trusted.add(b"somebody else")
    try:
        detail = await refusal(adapt, secure.url, {**OPERATOR, "pki": pki(tmp_path, secure)})
    finally:
        secure.trusted.clear()
    assert "does not accept our certificate" in detail


@pytest.mark.parametrize(
    "unoffered",
    [
        {"policy": "Aes128Sha256RsaOaep"},
        {"policy": "Basic256Sha256", "mode": "Sign"},
        {"policy": "None"},
    ],
)
async def test_an_unoffered_policy_is_refused_with_what_is_offered(
    secure, adapt, tmp_path, unoffered
) -> None:
    detail = await refusal(adapt, secure.url, {**unoffered, "pki": pki(tmp_path, secure)})
    assert "Basic256Sha256/SignAndEncrypt" in detail
    assert "Aes256Sha256RsaPss/Sign" in detail


async def test_a_password_is_not_sent_readable_unless_allowed(plant, adapt) -> None:
    security = {"user": "anybody", "password": "s3cret"}
    assert "readable" in await refusal(adapt, plant.url, security)
    allowed = {**security, "allow_plain_password": True}
    async with adapt(plant.url, TAGS, security=allowed) as plc:
        assert (await plc.read(["counter"]))[0].good


async def test_a_namespace_that_is_not_there_is_refused_with_those_that_are(plant, adapt) -> None:
    async with adapt(plant.url, TAGS, connect=False, namespace="urn:absent") as plc:
        with pytest.raises(NotAllowed, match="urn:absent") as refused:
            await plc.wait_connected(15)
    assert "urn:millhand:test" in str(refused.value)


async def test_certificates_that_cannot_be_read_are_configuration_errors(
    secure, adapt, tmp_path
) -> None:
    broken = tmp_path / "broken.der"
    broken.write_bytes(b"no certificate")
    for security in (
        {**OPERATOR, "certificate": broken, "private_key": broken},
        {**OPERATOR, "certificate": tmp_path / "absent.der", "private_key": broken},
        {**OPERATOR, "pki": broken},
    ):
        with pytest.raises(ConfigError, match=str(tmp_path)):
            async with adapt(secure.url, TAGS, connect=False, security=security):
                pass


@pytest.mark.parametrize("policy", ["Basic256Sha256", "None"])
async def test_the_secure_channel_is_renewed_in_time(
    secure, plant, adapt, tmp_path, policy, eventually
) -> None:
    encrypted = policy != "None"
    security = {**OPERATOR, "pki": pki(tmp_path, secure)} if encrypted else {}
    async with adapt(
        secure.url if encrypted else plant.url, TAGS, security=security, keepalive_s=0.05
    ) as plc:
        session = plc._connection.online.session
        tokens = {session._protocol._connection.security_token.TokenId}
        for _ in range(3):
            session._renew_at = 0.0
            await eventually(lambda: session._renew_at > 0)
            assert (await plc.read(["counter"]))[0].good
            tokens.add(session._protocol._connection.security_token.TokenId)
        assert len(tokens) == 4
        assert plc.health().epoch == 1
