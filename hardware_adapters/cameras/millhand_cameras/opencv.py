"""OpenCV, imported where it is needed and silent unless asked."""

from __future__ import annotations

import os
from types import ModuleType

from millhand.errors import ConfigError
from millhand.messages import tr


def opencv() -> ModuleType:
    """Import OpenCV.

    Raises:
        ConfigError: it is not installed.
    """
    # What it would print of a stream that is away, we say in our own words.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError as error:
        raise ConfigError(
            tr("This camera needs OpenCV, which is not installed."),
            mend=tr("Install it: pip install 'millhand-cameras[video]'"),
        ) from error
    module: ModuleType = cv2
    if "OPENCV_LOG_LEVEL" not in os.environ:
        module.utils.logging.setLogLevel(module.utils.logging.LOG_LEVEL_SILENT)
    return module
