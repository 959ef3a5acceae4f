"""What the distribution registers, found the way a stranger's plugin is found."""

from __future__ import annotations

from pydantic import BaseModel

from millhand.contracts.adapters import Camera
from millhand.plugins import Plugins
from millhand.plugins.registrations import Face
from millhand_simulated.plant import ConveyorCell


def test_the_plant_is_found_by_its_name() -> None:
    plant = Plugins.discover().plant("simulated.conveyor_cell")
    assert plant.load() is ConveyorCell
    assert issubclass(ConveyorCell.Config, BaseModel)


def test_the_camera_is_found_by_its_name() -> None:
    camera = Plugins.discover().adapter("simulated.camera")
    assert camera.faces == {Face.CAMERA}
    adapter = camera.load()
    assert isinstance(adapter("camera", adapter.Config()), Camera)


def test_every_setting_is_described() -> None:
    """The scenario's schema shows these to whoever writes the file."""
    for name, field in ConveyorCell.Config.model_fields.items():
        assert field.description, name
