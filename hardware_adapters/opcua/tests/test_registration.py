from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import millhand_opcua
from millhand.plugins.registrations import Face


def test_the_entry_point_names_the_plugin() -> None:
    (entry,) = entry_points(group="millhand", name="opcua")
    assert entry.load() is millhand_opcua


def test_the_adapter_is_registered_and_loads() -> None:
    (adapter,) = millhand_opcua.millhand_adapters()
    assert adapter.name == "opcua"
    assert adapter.faces == {Face.TAGS}
    assert adapter.load().__name__ == "OpcUa"
    assert millhand_opcua.millhand_capabilities().writes_hardware


def test_registering_does_not_import_asyncua() -> None:
    code = (
        "import sys, millhand_opcua as m; m.millhand_adapters(); m.millhand_capabilities();"
        "sys.exit('asyncua' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
