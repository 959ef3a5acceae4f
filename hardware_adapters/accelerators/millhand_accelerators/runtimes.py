"""The only place that imports the run times, with their telemetry off."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import Any

import structlog

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.telemetry import ORT_SWITCH, silence

log = structlog.get_logger(__name__)

_OPENVINO_CONVERTER = "openvino.tools.ovc"


def import_onnxruntime() -> ModuleType:
    """Import ONNX Runtime with ``ORT_DISABLE_TELEMETRY=1`` set for the life of the process.

    Raises:
        ConfigError: ONNX Runtime is not installed or cannot be loaded here.
    """
    if "onnxruntime" in sys.modules and os.environ.get(ORT_SWITCH) != "1":
        log.warning("onnxruntime was imported elsewhere with its telemetry on", mend=ORT_SWITCH)
    silence()
    onnxruntime = _import(
        "onnxruntime", tr("Install it: {command}", command="pip install onnxruntime")
    )
    onnxruntime.disable_telemetry_events()
    return onnxruntime


def import_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry, and without its converter, which no model needs.

    Raises:
        ConfigError: OpenVINO is not installed or cannot be loaded here.
    """
    missing: Any = None
    silence()
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
