"""From signature to time on this machine: what may be run here, and what names the fault."""

from __future__ import annotations

import pytest
from onnx_reference import Reference

from millhand.errors import PackageError, Unavailable
from millhand.models.admission import admit
from millhand.models.bench import Candidate
from millhand.models.older import emulation
from millhand.models.signature import SIGNATURE, new_key, sign_folder

TARGET = f"onnx_reference:{Reference.__name__}"
RIGHT = Candidate(accelerator="reference", target=TARGET)
FLAWED = Candidate(accelerator="reference", target=TARGET, settings={"flaw": 0.5})


def test_a_whole_package_that_does_what_it_says_is_eligible(package):
    found = admit(package.folder, [RIGHT], seconds=0.02)
    assert (found.id, found.files, found.signed, found.eligible) == (package.id, 3, False, True)
    (target,) = found.targets
    assert (target.accelerator, target.precision, target.fault) == ("reference", "fp32", "")
    assert target.difference < 1e-6
    assert target.p50_ms > 0


def test_parity_comes_before_time_and_is_judged_for_each_accelerator(package):
    found = admit(package.folder, [FLAWED, RIGHT], within_ms=1e-9, seconds=0.02)
    assert [target.fault for target in found.targets] == ["golden", "latency"]
    assert not found.eligible
    found = admit(package.folder, [FLAWED, RIGHT], seconds=0.02)
    assert [target.fault for target in found.targets] == ["golden", ""]
    assert found.eligible


def test_the_packages_own_budget_holds_where_nobody_gives_another(tmp_path, kit):
    package = kit.full_builder(budget_p50_ms=1e-6).write(tmp_path / "hurried")
    found = admit(package.folder, [RIGHT], seconds=0.02)
    assert (found.budget_ms, found.eligible) == (1e-6, False)
    assert "are allowed" in found.targets[0].text
    assert admit(package.folder, [RIGHT], within_ms=1e6, seconds=0.02).eligible


def test_without_an_accelerator_nothing_is_eligible(package):
    assert not admit(package.folder, []).eligible


def test_signature_and_id_are_asked_first(package):
    private, public = new_key()
    with pytest.raises(PackageError) as caught:
        admit(package.folder, [RIGHT], trusted_keys=[public])
    assert caught.value.fault == "unsigned"
    (package.folder / SIGNATURE).write_bytes(sign_folder(package.folder, private))
    assert admit(package.folder, [RIGHT], trusted_keys=[public], seconds=0.02).signed
    with pytest.raises(PackageError) as caught:
        admit(package.folder, [RIGHT], expected_id="tiny@0000000000000000")
    assert caught.value.fault == "id"


def test_an_older_processor_must_reproduce_the_golden_outputs_too(package):
    try:
        emulation("nehalem")
    except Unavailable as error:
        pytest.skip(str(error))
    found = admit(package.folder, [FLAWED, RIGHT], processors=["nehalem"], seconds=0.02)
    asked = {target.accelerator: target.fault for target in found.targets[2:]}
    assert asked == {"reference 0.5 on nehalem": "golden", "reference on nehalem": ""}


def test_a_processor_that_nobody_knows(package):
    with pytest.raises(Unavailable, match="haswell, nehalem"):
        admit(package.folder, [], processors=["386"])
