"""What may be opened beside the live model: only what lies in the scenario and is trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from millhand.engine.rollout.placed import verified
from millhand.errors import ConfigError, PackageError

CELL = Path(__file__).parents[3] / "scenarios" / "casting_cell"
KEY = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
"""


def test_a_package_of_the_scenario_is_opened():
    assert verified(CELL, "models/students/impeller", ()).manifest.product == "impeller"


@pytest.mark.parametrize("folder", ["../office/models", "/etc", "models/../../office"])
def test_what_lies_elsewhere_is_not(folder):
    with pytest.raises(ConfigError, match="scenario"):
        verified(CELL, folder, ())


def test_where_keys_are_trusted_an_unsigned_package_is_not_opened():
    with pytest.raises(PackageError) as refused:
        verified(CELL, "models/students/impeller", (KEY,))
    assert refused.value.fault == "unsigned"
