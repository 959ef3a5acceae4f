"""Import the run times with their telemetry off: nothing leaves the plant.

Both report to their makers by default. ONNX Runtime 1.32 sends events to Microsoft over HTTPS
and writes a device identifier below ``~/.cache/Microsoft`` (its ``Privacy.md``). OpenVINO
2026.4 imports its model converter, and that reports the import to Google Analytics without
asking and writes an identifier to ``~/intel`` (``openvino/tools/ovc/__init__.py``). Neither is
imported anywhere else.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import Any

import structlog

from millhand.errors import ConfigError
from millhand.messages import tr

log = structlog.get_logger(__name__)

_ORT_SWITCH = "ORT_DISABLE_TELEMETRY"
_OPENVINO_TELEMETRY = "openvino_telemetry"
_OPENVINO_CONVERTER = "openvino.tools.ovc"


def import_onnxruntime() -> ModuleType:
    """Import ONNX Runtime with ``ORT_DISABLE_TELEMETRY=1`` set for the life of the process.

    Raises:
        ConfigError: ONNX Runtime is not installed or cannot be loaded here.
    """
    if "onnxruntime" in sys.modules and os.environ.get(_ORT_SWITCH) != "1":
        log.warning("onnxruntime was imported elsewhere with its telemetry on", mend=_ORT_SWITCH)
    os.environ[_ORT_SWITCH] = "1"
    onnxruntime = _import(
        "onnxruntime", tr("Install it: {command}", command="pip install onnxruntime")
    )
    onnxruntime.disable_telemetry_events()
    return onnxruntime


def import_openvino() -> ModuleType:
    """Import OpenVINO without its converter, which no model needs to run, and its telemetry.

    The telemetry stays unimportable, so that OpenVINO's own stub takes its place for whoever
    imports the converter later.

    Raises:
        ConfigError: OpenVINO is not installed or cannot be loaded here.
    """
    missing: Any = None
    sys.modules.setdefault(_OPENVINO_TELEMETRY, missing)
    without_converter = _OPENVINO_CONVERTER not in sys.modules
    if without_converter:
        sys.modules[_OPENVINO_CONVERTER] = missing
    try:
        return _import(
            "openvino",
            tr("Install it: {command}", command="pip install 'millhand-accelerators[openvino]'"),
        )
    finally:
        if without_converter:
            sys.modules.pop(_OPENVINO_CONVERTER, None)


def _import(name: str, mend: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(
            tr("{name} cannot be loaded: {why}.", name=name, why=error), mend=mend
        ) from error
