from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from millhand_mqtt.config import MqttConfig, MqttTag


def test_a_bare_string_is_topic_and_path() -> None:
    assert MqttTag.model_validate("line2/oven").path == ""
    tag = MqttTag.model_validate("line2/oven $.zones[0].temperature")
    assert (tag.topic, tag.path) == ("line2/oven", "$.zones[0].temperature")
    assert MqttTag.model_validate("money/$ $.a").topic == "money/$"


@pytest.mark.parametrize(
    "keys",
    [
        "a/+/b",
        "a/#",
        "",
        "a $.*",
        {"topic": "a", "type": "int24"},
        {"topic": "a", "scale": 0},
        {"topic": "a", "minimum": 2, "maximum": 1},
        {"topic": "a", "time": "$.t"},
        {"topic": "a", "unknown": 1},
        {"topic": "a", "stale_after_s": 0},
    ],
)
def test_a_wrong_tag_is_refused(keys: Any) -> None:
    with pytest.raises(ValidationError):
        MqttTag.model_validate(keys)


@pytest.mark.parametrize(
    "keys",
    [
        {"url": "tcp://127.0.0.1"},
        {"url": "mqtt://"},
        {"url": "mqtt://host:99999"},
        {"url": "mqtt://user:word@host"},
        {"url": "mqtt://host/path"},
        {"url": "mqtt://host", "password": "x"},
        {"url": "mqtt://host", "user": "u", "password": "x"},
        {"url": "mqtts://host", "tls": {"certificate": "a.pem"}},
        {"url": "mqtt://host", "protocol": "4"},
    ],
)
def test_a_wrong_broker_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MqttConfig.model_validate(keys)


def test_ports_and_protection_follow_the_scheme() -> None:
    plain, secure = MqttConfig(url="mqtt://a"), MqttConfig(url="mqtts://[::1]:8884")
    assert (plain.port, plain.secure) == (1883, False)
    assert (secure.host, secure.port, secure.secure) == ("::1", 8884, True)


def test_a_password_needs_tls_or_loopback_or_a_word() -> None:
    login = {"user": "u", "password": "x"}
    MqttConfig.model_validate({"url": "mqtts://host", **login})
    MqttConfig.model_validate({"url": "mqtt://127.0.0.1", **login})
    MqttConfig.model_validate({"url": "mqtt://host", "allow_plain_password": True, **login})
