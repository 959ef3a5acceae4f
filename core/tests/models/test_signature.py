import json
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from millhand.cli.models import models
from millhand.errors import ConfigError, PackageError
from millhand.models.package import open_package
from millhand.models.signature import SIGNATURE, check_signature, new_key, sign_folder


@pytest.fixture(scope="module")
def keys():
    return new_key()


@pytest.fixture
def signed(folder, keys):
    (folder / SIGNATURE).write_bytes(sign_folder(folder, keys[0]))
    return folder


def fault(folder, key):
    with pytest.raises(PackageError) as caught:
        open_package(folder, trusted_keys=[key])
    return caught.value.fault


def test_a_signature_does_not_change_the_package(folder, keys):
    before = open_package(folder).id
    (folder / SIGNATURE).write_bytes(sign_folder(folder, keys[0]))
    assert open_package(folder, trusted_keys=[keys[1]]).id == before


def test_an_unsigned_package_is_refused_where_a_key_is_trusted(folder, keys):
    assert open_package(folder)
    assert fault(folder, keys[1]) == "unsigned"


def test_another_key(signed):
    assert fault(signed, new_key()[1]) == "signature"


def test_a_hint_proves_nothing(signed, keys):
    """Somebody else's signature that claims to be by the trusted key."""
    forged = json.loads(sign_folder(signed, new_key()[0]))
    mine = json.loads((signed / SIGNATURE).read_bytes())
    forged["verificationMaterial"] = mine["verificationMaterial"]
    (signed / SIGNATURE).write_text(json.dumps(forged))
    assert fault(signed, keys[1]) == "signature"


def test_a_signed_list_is_held_to_every_file(signed, keys, subtests):
    for path in sorted(p for p in signed.rglob("*") if p.is_file() and p.name != SIGNATURE):
        whole = path.read_bytes()
        for damaged in (whole[:-1], whole + b" ", bytes([whole[0] ^ 1]) + whole[1:]):
            with subtests.test(file=path.name, length=len(damaged)):
                path.write_bytes(damaged)
                assert fault(signed, keys[1]) == "signature"
        path.unlink()
        assert fault(signed, keys[1]) == "signature"
        path.write_bytes(whole)
    (signed / "more.txt").write_text("more")
    assert fault(signed, keys[1]) == "signature"


def test_the_signature_of_another_package(signed, keys, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(signed, other)
    data = json.loads((other / "manifest.json").read_bytes())
    data["name"] = "other"
    (other / "manifest.json").write_text(json.dumps(data))
    (other / SIGNATURE).write_bytes(sign_folder(other, keys[0]))
    shutil.copy(other / SIGNATURE, signed / SIGNATURE)
    assert fault(signed, keys[1]) == "signature"


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"dsseEnvelope": 3}', "[" * 100_000])
def test_a_signature_that_is_none(signed, keys, text):
    (signed / SIGNATURE).write_text(text)
    assert fault(signed, keys[1]) == "signature"


def test_keys_of_another_kind(folder):
    with pytest.raises(ConfigError, match="P-256"):
        sign_folder(folder, b"no key")
    with pytest.raises(ConfigError, match="P-256"):
        check_signature(folder, [b"no key"])


def library(code, *arguments):
    """Run the standard's own library, in a process of its own: it warns and sets up telemetry."""
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


VERIFY = """
import sys
from model_signing.verifying import Config
Config().use_elliptic_key_verifier(public_key=sys.argv[3]).verify(sys.argv[1], sys.argv[2])
"""
SIGN = """
import sys
from pathlib import Path
from model_signing import hashing, signing
hashes = hashing.Config().set_ignored_paths(paths=[Path(sys.argv[2])])
signer = signing.Config().use_elliptic_key_signer(private_key=sys.argv[3])
signer.set_hashing_config(hashes).sign(sys.argv[1], sys.argv[2])
"""


def test_the_standards_own_library_agrees(signed, keys, tmp_path):
    pytest.importorskip("model_signing")
    private, public = tmp_path / "k.key", tmp_path / "k.pub"
    private.write_bytes(keys[0])
    public.write_bytes(keys[1])
    told = library(VERIFY, signed, signed / SIGNATURE, public)
    assert told.returncode == 0, told.stderr
    # And the other way: what it signs is accepted here, and only while it is whole.
    (signed / SIGNATURE).unlink()
    told = library(SIGN, signed, signed / SIGNATURE, private)
    assert told.returncode == 0, told.stderr
    assert open_package(signed, trusted_keys=[new_key()[1], keys[1]])
    with (signed / "card.md").open("a") as card:
        card.write("more")
    told = library(VERIFY, signed, signed / SIGNATURE, public)
    assert "Signature mismatch" in told.stderr
    assert fault(signed, keys[1]) == "signature"


def test_the_commands(folder, tmp_path):
    run = CliRunner().invoke

    def exits(*arguments):
        return run(models, [str(a) for a in arguments], standalone_mode=False)

    keys = tmp_path / "keys"
    assert exits("keygen", keys / "models.key").exception is None
    assert (keys / "models.key").stat().st_mode & 0o077 == 0
    assert isinstance(exits("keygen", keys / "models.key").exception, ConfigError)
    assert exits("verify", folder, "--key", keys / "models.pub").exception.fault == "unsigned"
    assert exits("sign", folder, "--key", keys / "models.key").exception is None
    assert open_package(folder, trusted_keys=[(keys / "models.pub").read_bytes()])
