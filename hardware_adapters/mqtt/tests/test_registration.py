from __future__ import annotations

from millhand.contracts import Tags
from millhand.plugins.registrations import Face
from millhand_mqtt import millhand_adapters, millhand_capabilities


def test_the_adapter_is_registered_with_its_face() -> None:
    (registered,) = millhand_adapters()
    assert (registered.name, registered.faces) == ("mqtt", frozenset({Face.TAGS}))
    adapter = registered.load()
    config = adapter.Config.model_validate({"url": "mqtt://127.0.0.1"})
    assert isinstance(adapter("oven", config, {}), Tags)


def test_it_says_what_it_does_to_the_world() -> None:
    capabilities = millhand_capabilities()
    assert capabilities.network
    assert capabilities.writes_hardware
