"""What the distribution registers can be found and loaded, and needs OpenCV only for video."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import millhand_cameras
from millhand.plugins.registrations import Face


def test_the_entry_point_is_there() -> None:
    (found,) = entry_points(group="millhand", name="cameras")
    assert found.value == "millhand_cameras"


def test_adapters_load_and_say_what_they_are() -> None:
    adapters = {a.name: a for a in millhand_cameras.millhand_adapters()}
    assert set(adapters) == {"folder", "video", "rtsp", "v4l2"}
    for adapter in adapters.values():
        assert adapter.faces == {Face.CAMERA}
        properties = adapter.load().Config.model_json_schema()["properties"].values()
        assert all(one.get("description") or "$ref" in one for one in properties)
    assert millhand_cameras.millhand_capabilities().network


def test_neither_hooks_nor_cameras_import_opencv() -> None:
    program = (
        "import sys, millhand_cameras;"
        "[a.load() for a in millhand_cameras.millhand_adapters()];"
        "sys.exit('cv2' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
