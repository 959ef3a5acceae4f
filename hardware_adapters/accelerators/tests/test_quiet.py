"""Nothing leaves the plant, and what is not installed is said plainly."""

import subprocess
import sys

import pytest

AUDITED = """
import sys
calls = []
sys.addaudithook(lambda event, args: calls.append(event) if event.startswith("socket.") else None)
import threading
from millhand_accelerators.open_vino import OpenVino, OpenVinoConfig
from millhand_accelerators.onnx_runtime import OnnxRuntime, OnnxRuntimeConfig
OpenVino("a", OpenVinoConfig()).close()
OnnxRuntime("a", OnnxRuntimeConfig()).close()
import openvino.tools.ovc
import time
time.sleep(1)
assert calls == [], calls
assert threading.active_count() == 1
assert sys.modules["openvino_telemetry"] is None
print("quiet")
"""

MISSING = """
import sys
sys.modules["openvino"] = None
from millhand.errors import ConfigError
from millhand_accelerators.open_vino import OpenVino, OpenVinoConfig
assert OpenVino.present() == ()
try:
    OpenVino("a", OpenVinoConfig())
except ConfigError as error:
    print(error)
"""

LIGHT = """
import sys, millhand_accelerators
millhand_accelerators.millhand_adapters()
print([name for name in ("onnxruntime", "openvino", "numpy") if name in sys.modules])
"""


def run(code, **env):
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, **env},
    )
    assert done.returncode == 0, done.stderr[-800:]
    return done.stdout.strip()


def test_no_socket_is_touched_and_no_telemetry_is_left(tmp_path):
    pytest.importorskip("openvino")
    assert run(AUDITED, HOME=str(tmp_path)) == "quiet"
    assert list(tmp_path.iterdir()) == []


def test_without_openvino_the_error_says_how_to_get_it():
    assert "pip install 'millhand-accelerators[openvino]'" in run(MISSING)


def test_registering_imports_nothing_heavy():
    assert run(LIGHT) == "[]"
