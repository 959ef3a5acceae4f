from __future__ import annotations

import pytest
from pydantic import ValidationError

from millhand.errors import ConfigError
from millhand_opcua.adapter import OpcUa


def test_a_tag_is_a_bare_node_id_or_a_mapping() -> None:
    assert OpcUa.Tag.model_validate("s=Cell.State") == OpcUa.Tag(node="s=Cell.State")
    tag = OpcUa.Tag.model_validate({"node": "i=7", "type": "Int32[]", "maximum": 3})
    assert tag.type == "int32[]"


@pytest.mark.parametrize(
    "wrong",
    [
        "Cell.State",
        {"node": "s=a", "type": "dword"},
        {"node": "s=a", "minimum": 2, "maximum": 1},
        {"node": "s=a", "scale": 0},
        {"node": "s=a", "colour": "red"},
        {},
    ],
)
def test_a_wrong_tag_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        OpcUa.Tag.model_validate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://127.0.0.1"},
        {"url": "opc.tcp://a", "security": {"certificate": "own.der"}},
        {"url": "opc.tcp://a", "security": {"password": "x"}},
        {"url": "opc.tcp://a", "security": {"policy": "Basic128Rsa15"}},
        {"url": "opc.tcp://a", "request_timeout_s": 0},
    ],
)
def test_a_wrong_device_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OpcUa.Config.model_validate(wrong)


def test_a_password_is_never_shown() -> None:
    config = OpcUa.Config.model_validate(
        {"url": "opc.tcp://a", "security": {"user": "u", "password": "s3cret"}}
    )
    assert "s3cret" not in repr(config)
    assert "s3cret" not in config.model_dump_json()


def test_a_short_node_id_needs_the_devices_namespace() -> None:
    with pytest.raises(ConfigError, match=r"namespace"):
        OpcUa("plc", OpcUa.Config(url="opc.tcp://a"), {"state": OpcUa.Tag(node="s=State")})
    OpcUa("plc", OpcUa.Config(url="opc.tcp://a"), {"state": OpcUa.Tag(node="nsu=urn:x;s=State")})


def test_every_field_is_described() -> None:
    for model in (OpcUa.Config, OpcUa.Tag, type(OpcUa.Config(url="opc.tcp://a").security)):
        for name, field in model.model_fields.items():
            assert field.description, name
