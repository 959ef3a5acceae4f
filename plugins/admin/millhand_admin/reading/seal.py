"""Electronic signatures on e-invoices (W3C XML Signature), with what they really cover.

A signature proves nothing about values that lie outside what was signed (signature wrapping), so
the signed content is compared with the content that is read, byte for byte in canonical form.
Who signed is proven only against certificates that the scenario trusts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from millhand.messages import tr
from millhand_admin.paper.paper import Seal, SealStatus

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_SIGNATURE = f"{{{_DSIG}}}Signature"
_MOST = 8
"""Signatures looked at: seller, buyer, tax office and some more."""


def seals(data: bytes, content: str, trusted: Path | None) -> tuple[Seal, ...]:
    """Check every signature of a document that :func:`parse_xml` has found harmless.

    Args:
        data: the document, already refused where it has a document type or entities.
        content: XPath of what is read, such as ``DLHDon``; ``.`` for the whole document.
        trusted: PEM file with the certificates of authorities that may vouch for signers.
    """
    if b"Signature" not in data or _DSIG.encode() not in data:
        return ()
    try:
        import signxml  # noqa: F401  asked here whether it is installed
        from lxml import etree
    except ImportError:
        text = tr("Install millhand-admin[signatures] to check it.")
        return (Seal(status=SealStatus.NOT_CHECKED, detail=text),)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=False
    )
    root = etree.fromstring(data, parser)
    found = root.findall(f".//{_SIGNATURE}")[:_MOST]
    return tuple(_seal(root, signature, content, trusted) for signature in found)


def _seal(root: Any, signature: Any, content: str, trusted: Path | None) -> Seal:
    from signxml.exceptions import InvalidCertificate, SignXMLException

    certificate = _certificate(signature)
    if certificate is None:
        return Seal(status=SealStatus.INVALID, detail=tr("It brings no certificate."))
    signer = certificate.subject.rfc4514_string()
    try:
        signed, weak = _verified(root, signature, certificate)
    except (SignXMLException, ValueError, TypeError, KeyError, IndexError) as error:
        return Seal(status=SealStatus.INVALID, signer=signer, detail=str(error)[:200])
    if not _covers(root, signed, content):
        text = tr("It does not cover what is read.")
        return Seal(status=SealStatus.INVALID, signer=signer, detail=text)
    if weak:
        return Seal(status=SealStatus.WEAK, signer=signer, detail=tr("It uses SHA-1."))
    if trusted is None:
        text = tr("No trusted certificates are given.")
        return Seal(status=SealStatus.UNTRUSTED, signer=signer, detail=text)
    try:
        _check_chain(root, signature, trusted)
    except (SignXMLException, InvalidCertificate, ValueError, OSError) as error:
        return Seal(status=SealStatus.UNTRUSTED, signer=signer, detail=str(error)[:200])
    return Seal(status=SealStatus.VALID, signer=signer)


def _certificate(signature: Any) -> Certificate | None:
    """Return the certificate that the signature brings along."""
    import base64
    import binascii

    from cryptography.x509 import load_der_x509_certificate

    text = signature.findtext(f".//{{{_DSIG}}}X509Certificate")
    try:
        return None if not text else load_der_x509_certificate(base64.b64decode(text))
    except (ValueError, binascii.Error):
        return None


def _verified(root: Any, signature: Any, certificate: Certificate) -> tuple[list[Any], bool]:
    """Return what is signed, and whether only a weak algorithm says so. Raises where it is not."""
    from signxml.algorithms import DigestAlgorithm, SignatureMethod
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    algorithms = " ".join(
        element.get("Algorithm", "")
        for tag in ("SignatureMethod", "DigestMethod")
        for element in signature.iterfind(f".//{{{_DSIG}}}{tag}")
    )
    weak = "sha1" in algorithms
    strong = SignatureConfiguration(location=_location(signature), expect_references=False)
    config = strong
    if weak:
        config = SignatureConfiguration(
            location=strong.location,
            expect_references=False,
            signature_methods=frozenset(SignatureMethod),
            digest_algorithms=frozenset(DigestAlgorithm),
        )
    results = XMLVerifier().verify(root, x509_cert=certificate, expect_config=config)
    found = results if isinstance(results, list) else [results]
    return [one.signed_xml for one in found if one.signed_xml is not None], weak


def _location(signature: Any) -> str:
    """Return the path of the signature's parent, so that no other signature is looked at."""
    steps = [element.tag for element in signature.iterancestors()][:-1]
    return "./" + "".join(f"{step}/" for step in reversed(steps))


def _check_chain(root: Any, signature: Any, trusted: Path) -> None:
    from cryptography.x509 import BasicConstraints
    from cryptography.x509.verification import Criticality, ExtensionPolicy
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    # Certificates for signing documents are not those of web servers: no name, other key usages.
    anything = ExtensionPolicy.permit_all()
    authority = anything.require_present(BasicConstraints, Criticality.AGNOSTIC, None)

    config = SignatureConfiguration(location=_location(signature), expect_references=False)
    XMLVerifier().verify(
        root,
        ca_pem_file=str(trusted),
        expect_config=config,
        ee_policy=anything,
        ca_policy=authority,
    )


def _covers(root: Any, signed: list[Any], content: str) -> bool:
    """Tell whether what is read is what was signed: the same canonical bytes, signatures aside."""
    read = root.findall(content) if content != "." else [root]
    if len(read) != 1:
        return False
    wanted = _canonical(read[0])
    whole = _canonical(root)
    return any(_canonical(one) in (wanted, whole) for one in signed)


def _canonical(element: Any) -> bytes:
    import copy

    from lxml import etree

    bare = copy.deepcopy(element)
    bare.tail = None
    for signature in bare.findall(f".//{_SIGNATURE}"):
        parent = signature.getparent()
        before = signature.getprevious()
        if signature.tail:
            if before is not None:
                before.tail = (before.tail or "") + signature.tail
            else:
                parent.text = (parent.text or "") + signature.tail
        parent.remove(signature)
    form: bytes = etree.tostring(bare, method="c14n")
    return form
