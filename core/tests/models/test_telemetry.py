import os
import subprocess
import sys

SILENT = """
import os, sys
from millhand.models.telemetry import silence
silence()
assert "onnxruntime" not in sys.modules and "openvino" not in sys.modules
try:
    import openvino_telemetry
except ImportError:
    print(os.environ["ORT_DISABLE_TELEMETRY"])
"""


def test_silence_turns_both_off_and_imports_neither():
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-c", SILENT],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert done.stdout.strip() == "1", done.stderr[-300:]
