"""A package's signature, in the format of OpenSSF Model Signing 1.0, with a local key.

``model.sig`` is a Sigstore bundle: a DSSE envelope around an in-toto statement that lists the
SHA-256 of every other file of the folder. `model-signing verify key` checks it as well; here it is
checked without that library. Keys are ECDSA on P-256 in PEM, as ``openssl`` writes them. The
library is imported where a key is used: ``pip install 'millhand[signing]'``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from millhand.errors import ConfigError
from millhand.keys import require_cryptography, write_key_pair
from millhand.messages import tr
from millhand.models.files import FILE_LIMIT, read_regular, refuse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )

SIGNATURE = "model.sig"
SIGNATURE_LIMIT = 2**20
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"


def new_key() -> tuple[bytes, bytes]:
    """Return a new private key and its public key, both in PEM."""
    require_cryptography()
    from cryptography.hazmat.primitives import serialization as pem
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    return private, _public_pem(key.public_key())


def make_key(private: Path) -> Path:
    """Make a key pair in files and return that of the public key, beside the private one.

    Raises:
        ConfigError: a file is there already, or cannot be written.
    """
    return write_key_pair(private, *new_key())


def sign_folder(folder: Path, private_pem: bytes) -> bytes:
    """Return the bundle that signs every file of ``folder`` but the signature itself.

    Raises:
        ConfigError: the key is not ECDSA on P-256 in PEM, or the library is not installed.
        PackageError: a file cannot be read.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = _private(private_pem)
    digests = _digests(folder)
    payload = json.dumps(_statement(folder.resolve().name, digests), separators=(",", ":")).encode()
    signature = key.sign(_envelope_bytes(payload), ec.ECDSA(hashes.SHA256()))
    bundle = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {
            "publicKey": {"hint": _hint(key.public_key())},
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }
    return json.dumps(bundle, separators=(",", ":")).encode()


def check_signature(folder: Path, trusted_keys: Sequence[bytes]) -> None:
    """Check that the owner of one of the keys signed exactly the files that lie in ``folder``.

    Args:
        folder: the package's folder.
        trusted_keys: public keys in PEM.

    Raises:
        PackageError: ``unsigned``, there is no signature; ``signature``, it is damaged, by no
            trusted key, or for other files.
        ConfigError: a key is not ECDSA on P-256 in PEM, or the library is not installed.
    """
    keys = [_public(pem) for pem in trusted_keys]
    if not (folder / SIGNATURE).exists():
        refuse(
            "unsigned",
            tr("{folder} holds no signature.", folder=folder),
            tr("Sign it where it was made: millhand models sign {folder} --key …", folder=folder),
        )
    payload, signature = _read_bundle(read_regular(folder / SIGNATURE, SIGNATURE_LIMIT))
    if not any(_verifies(key, signature, _envelope_bytes(payload)) for key in keys):
        refuse(
            "signature",
            tr("{folder} was not signed with a trusted key.", folder=folder),
            tr("Take the package from who signs yours, or trust that key too."),
        )
    signed = _resources(payload)
    present = _digests(folder)
    for name in sorted(signed.keys() | present.keys()):
        if signed.get(name) != present.get(name):
            _not_signed(tr("{name} is not the file that was signed.", name=name))


def check_keys(public_keys: Sequence[bytes]) -> None:
    """Check that all can verify a signature.

    Raises:
        ConfigError: one is not ECDSA on P-256 in PEM, or the library is not installed.
    """
    for pem in public_keys:
        _public(pem)


def _hint(key: EllipticCurvePublicKey) -> str:
    """Return the SHA-256 of a public key's PEM, by which a bundle names it."""
    return hashlib.sha256(_public_pem(key)).hexdigest()


def _digests(folder: Path) -> dict[str, str]:
    """Return the hash of every file but the signature, in the order in which they are signed."""
    paths = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return {
        name: hashlib.sha256(read_regular(folder / name, FILE_LIMIT)).hexdigest()
        for name in names
        if name != SIGNATURE
    }


def _statement(name: str, digests: Mapping[str, str]) -> dict[str, Any]:
    root = hashlib.sha256(b"".join(bytes.fromhex(digest) for digest in digests.values()))
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": root.hexdigest()}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [SIGNATURE],
            },
            "resources": [
                {"name": name, "algorithm": "sha256", "digest": digest}
                for name, digest in digests.items()
            ],
        },
    }


def _envelope_bytes(payload: bytes) -> bytes:
    """Return what a DSSE signature covers: its pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _read_bundle(data: bytes) -> tuple[bytes, bytes]:
    """Return payload and signature; the hint at a key proves nothing and is not looked at."""
    try:
        envelope = json.loads(data)["dsseEnvelope"]
        (only,) = envelope["signatures"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        signature = base64.b64decode(only["sig"], validate=True)
        if envelope["payloadType"] != PAYLOAD_TYPE:
            _not_signed(tr("{name} signs something else than a model.", name=SIGNATURE))
    except (ValueError, KeyError, TypeError, RecursionError) as why:
        _not_signed(tr("{name} is no Sigstore bundle: {why}.", name=SIGNATURE, why=repr(why)[:200]))
    return payload, signature


def _resources(payload: bytes) -> dict[str, str]:
    """Return the signed hashes by name; the payload's signature has been checked."""
    try:
        statement = json.loads(payload)
        if (statement["_type"], statement["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
            _not_signed(tr("{name} signs something else than a model.", name=SIGNATURE))
        resources = statement["predicate"]["resources"]
        found = {str(one["name"]): str(one["digest"]) for one in resources}
        if len(found) != len(resources) or {one["algorithm"] for one in resources} - {"sha256"}:
            _not_signed(tr("{name} does not list each file once, by SHA-256.", name=SIGNATURE))
    except (ValueError, KeyError, TypeError, RecursionError) as why:
        _not_signed(tr("What {name} signs cannot be read: {why}.", name=SIGNATURE, why=repr(why)))
    return found


def _not_signed(message: str) -> NoReturn:
    refuse("signature", message, tr("Copy the package again from where it was signed."))


def _verifies(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _private(pem: bytes) -> EllipticCurvePrivateKey:
    require_cryptography()
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise _no_key(str(error)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _no_key(type(key).__name__)
    return key


def _public(pem: bytes) -> EllipticCurvePublicKey:
    require_cryptography()
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise _no_key(str(error)) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _no_key(type(key).__name__)
    return key


def _public_pem(key: EllipticCurvePublicKey) -> bytes:
    from cryptography.hazmat.primitives import serialization as pem

    return key.public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)


def _no_key(why: str) -> ConfigError:
    return ConfigError(
        tr("This is no key for models: {why}.", why=why),
        mend=tr("Give an ECDSA key on the curve P-256 in PEM: millhand models keygen FOLDER"),
    )
