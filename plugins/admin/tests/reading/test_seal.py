"""Signatures, made and broken for real: keys, certificates and XML signatures of this test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from millhand_admin.made.companies import made_invoice
from millhand_admin.made.xml_forms import as_ubl, as_vietnamese
from millhand_admin.paper.paper import Seal, SealStatus
from millhand_admin.reading.limits import Limits
from millhand_admin.reading.read import read

pytest.importorskip("signxml", reason="signatures need millhand-admin[signatures]")
x509 = pytest.importorskip("cryptography.x509")

from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402
from lxml import etree  # noqa: E402
from signxml import XMLSigner, methods  # noqa: E402

DS = "http://www.w3.org/2000/09/xmldsig#"


class Authority:
    """A certificate authority with one signer below it."""

    def __init__(self, folder: Path, name: str = "Test CA") -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = self._issue(name, name, self.key.public_key(), self.key, authority=True)
        self.signer_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signer = self._issue(
            "Northfield Castings", name, self.signer_key.public_key(), self.key, authority=False
        )
        self.pem = folder / f"{name}.pem"
        self.pem.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _issue(self, subject: str, issuer: str, public: Any, key: Any, *, authority: bool) -> Any:
        now = datetime.now(UTC)
        names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)])
                 for one in (subject, issuer)]  # fmt: skip
        return (
            x509.CertificateBuilder()
            .subject_name(names[0])
            .issuer_name(names[1])
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )

    def sign(self, data: bytes, reference: str | None = None, where: str = ".") -> bytes:
        """Sign; with ``reference`` the element of that id, its signature put at ``where``."""
        root = etree.fromstring(data)
        signer = XMLSigner(
            method=methods.enveloped if reference is None else methods.detached,
            c14n_algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        )
        chain = [self.signer]
        if reference is None:
            return bytes(etree.tostring(signer.sign(root, key=self.signer_key, cert=chain)))
        signature = signer.sign(
            root, key=self.signer_key, cert=chain, reference_uri=[f"#{reference}"]
        )
        root.find(where).append(signature)
        return bytes(etree.tostring(root))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def seal(data: bytes, trusted: Path | None = None) -> Seal:
    (found,) = read(data, Limits(), trusted).papers[0].seals
    return found


@pytest.fixture(scope="module")
def signed_ubl(authority: Authority) -> bytes:
    return authority.sign(as_ubl(made_invoice("en", 1)))


@pytest.fixture(scope="module")
def signed_vietnamese(authority: Authority) -> bytes:
    data = as_vietnamese(made_invoice("vi", 1)).replace(
        b"</DLHDon>", b"</DLHDon><DSCKS><NBan/></DSCKS>"
    )
    return authority.sign(data, "data", "DSCKS/NBan")


@pytest.mark.parametrize("which", ["signed_ubl", "signed_vietnamese"])
def test_a_trusted_signer_is_valid(
    which: str, authority: Authority, request: pytest.FixtureRequest
) -> None:
    found = seal(request.getfixturevalue(which), authority.pem)
    assert found.status is SealStatus.VALID, found.detail
    assert "Northfield Castings" in found.signer


@pytest.mark.parametrize("which", ["signed_ubl", "signed_vietnamese"])
def test_without_trusted_authorities_only_the_content_is_proven(
    which: str, request: pytest.FixtureRequest
) -> None:
    assert seal(request.getfixturevalue(which)).status is SealStatus.UNTRUSTED


def test_another_authority_is_not_trusted(signed_ubl: bytes, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "Stranger")
    assert seal(signed_ubl, stranger.pem).status is SealStatus.UNTRUSTED


@pytest.mark.parametrize("which", ["signed_ubl", "signed_vietnamese"])
def test_a_changed_amount_breaks_it(
    which: str, authority: Authority, request: pytest.FixtureRequest
) -> None:
    data: bytes = request.getfixturevalue(which)
    language = "vi" if "viet" in which else "en"
    gross = f"{made_invoice(language, 1).gross:f}".encode()
    assert gross in data
    found = seal(data.replace(gross, b"1" + gross), authority.pem)
    assert found.status is SealStatus.INVALID


def test_a_signature_over_something_else_is_invalid(authority: Authority) -> None:
    """Signature wrapping: the signed invoice is kept aside, another one is put in its place."""
    good = as_vietnamese(made_invoice("vi", 1)).decode().split("\n", 1)[1]
    signed = authority.sign(
        good.replace("</DLHDon>", "</DLHDon><DSCKS><NBan/></DSCKS>").encode(), "data", "DSCKS/NBan"
    ).decode()
    start, end = signed.index("<DLHDon"), signed.index("</DLHDon>") + len("</DLHDon>")
    original = signed[start:end]
    forged = original.replace('Id="data"', "").replace(made_invoice("vi", 1).number, "99999999")
    wrapped = signed[:start] + forged + f"<TTKhac>{original}</TTKhac>" + signed[end:]
    paper = read(wrapped.encode(), Limits(), authority.pem).papers[0]
    assert paper.number is not None
    assert paper.number.value == "99999999"
    assert [one.status for one in paper.seals] == [SealStatus.INVALID]


def test_a_signature_without_certificate_is_invalid(signed_ubl: bytes) -> None:
    root = etree.fromstring(signed_ubl)
    for info in root.findall(f".//{{{DS}}}KeyInfo"):
        info.getparent().remove(info)
    assert seal(etree.tostring(root)).status is SealStatus.INVALID


def test_no_signature_no_seal() -> None:
    assert read(as_ubl(made_invoice("en", 1))).papers[0].seals == ()
