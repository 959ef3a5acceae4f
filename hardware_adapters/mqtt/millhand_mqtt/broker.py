"""What a scenario says about a broker; shared by every adapter that speaks over MQTT."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from millhand.messages import tr

RETRY_LIMIT_S = 5.0
"""Longest pause between two attempts to reach a broker that is away."""
_PORTS = {"mqtt": 1883, "mqtts": 8883}


class Protocol(StrEnum):
    """Versions of MQTT. With 5 the broker says why it refuses; 3.1.1 has no word for it."""

    V311 = "3.1.1"
    V5 = "5"


class Tls(BaseModel):
    """How a ``mqtts`` connection is protected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ca: Path | None = Field(
        None,
        description="Certificates to trust (PEM); left out, those of the operating system.",
    )
    certificate: Path | None = Field(None, description="Own client certificate (PEM).")
    private_key: Path | None = Field(None, description="Key of `certificate` (PEM).")
    server_name: str = Field(
        "", description="Name in the broker's certificate, where it is not the host of the URL."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError(tr("certificate and private_key must be given together"))
        return self


class BrokerConfig(BaseModel):
    """A broker: where it is, who logs in, how long things may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="Address of the broker: mqtt://host:port, or mqtts:// with TLS.")
    protocol: Protocol = Field(
        Protocol.V5, description="Version of MQTT; 3.1.1 for brokers that know no other."
    )
    user: str = Field("", description="User name; empty logs in anonymously.")
    password: SecretStr = Field(SecretStr(""), description="Password of the user.")
    allow_plain_password: bool = Field(
        False, description="Send the password over a connection without TLS to another machine."
    )
    tls: Tls = Field(Tls(), description="Protection of a mqtts connection.")
    client_id: str = Field(
        "",
        description="Own client id, unique at the broker. Default: the device's name and a random "
        "part.",
        max_length=200,
    )
    keepalive_s: int = Field(
        2,
        ge=1,
        le=3600,
        description="After this many seconds of silence the broker is probed; after as many more "
        "it counts as gone.",
    )
    connect_timeout_s: float = Field(
        5.0, gt=0, le=60, description="Longest time for one attempt to connect, in seconds."
    )
    request_timeout_s: float = Field(
        1.0,
        gt=0,
        le=60,
        description="Longest wait for the broker's acknowledgement, in seconds; later it counts as "
        "gone, and what was published as unknown.",
    )
    retry_limit_s: float = Field(
        RETRY_LIMIT_S,
        gt=0,
        le=RETRY_LIMIT_S,
        description="Longest pause between two attempts to reach a broker, in seconds.",
    )
    refused_retry_s: float = Field(
        30.0, gt=0, le=3600, description="Pause after a refusal by the broker, in seconds."
    )
    max_message: int = Field(
        1_000_000, ge=256, le=200_000_000, description="Largest message taken, in bytes."
    )

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in _PORTS or not parts.hostname or port == 0:
            raise ValueError(tr("expected mqtt://host:port or mqtts://host:port"))
        if parts.username or parts.password or parts.path.strip("/") or parts.query:
            raise ValueError(tr("the address takes no user, path or query; use the keys for them"))
        return url

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.password.get_secret_value() and not self.user:
            raise ValueError(tr("a password needs a user"))
        plain = self.password.get_secret_value() and not self.secure
        if plain and not self.allow_plain_password and not _is_loopback(self.host):
            raise ValueError(
                tr("a password needs mqtts://, or allow_plain_password: true on a closed network")
            )
        return self

    @property
    def host(self) -> str:
        """The broker's name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its TCP port."""
        parts = urlsplit(self.url)
        return parts.port or _PORTS[parts.scheme]

    @property
    def secure(self) -> bool:
        """Whether the connection is protected by TLS."""
        return urlsplit(self.url).scheme == "mqtts"


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")
