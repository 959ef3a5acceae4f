"""Keep run times from reporting to their makers: nothing leaves the plant.

ONNX Runtime 1.32 sends events to Microsoft over HTTPS and writes a device identifier below
``~/.cache/Microsoft`` (its ``Privacy.md``). OpenVINO 2026.4 reports its own import to Google
Analytics without asking and writes an identifier to ``~/intel``
(``openvino/tools/ovc/__init__.py``). Both do so by default.
"""

from __future__ import annotations

import os
import sys
from typing import Any

ORT_SWITCH = "ORT_DISABLE_TELEMETRY"
OPENVINO_TELEMETRY = "openvino_telemetry"


def silence() -> None:
    """Turn the telemetry of ONNX Runtime and OpenVINO off for the life of this process.

    Call it before either is imported; children inherit the first half through the environment.
    OpenVINO's telemetry is made unimportable, so that its own stub takes its place.
    """
    missing: Any = None
    os.environ[ORT_SWITCH] = "1"
    sys.modules.setdefault(OPENVINO_TELEMETRY, missing)
