"""What a scenario says about an OPC UA server and its tags."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from millhand.messages import tr
from millhand_opcua.addresses import Address
from millhand_opcua.kinds import check_type_name

RETRY_LIMIT_S = 5.0
"""Longest pause between two attempts to reach a server that is away."""


class Policy(StrEnum):
    """Security policies of OPC UA that are not withdrawn, and none."""

    NONE = "None"
    BASIC256SHA256 = "Basic256Sha256"
    AES128_SHA256_RSAOAEP = "Aes128Sha256RsaOaep"
    AES256_SHA256_RSAPSS = "Aes256Sha256RsaPss"


class Mode(StrEnum):
    """What is done to each message under a policy."""

    SIGN = "Sign"
    SIGN_AND_ENCRYPT = "SignAndEncrypt"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Security(_Model):
    """How the connection is protected and who logs in."""

    policy: Policy = Field(Policy.NONE, description="Security policy of the endpoint.")
    mode: Mode = Field(
        Mode.SIGN_AND_ENCRYPT,
        description="Whether messages are also encrypted; unused without policy.",
    )
    user: str = Field("", description="User name; empty logs in anonymously.")
    password: SecretStr = Field(SecretStr(""), description="Password of the user.")
    allow_plain_password: bool = Field(
        False,
        description="Send the password readable where the server offers no encryption for it.",
    )
    certificate: Path | None = Field(
        None, description="Own application certificate (DER or PEM); else one is made in `pki`."
    )
    private_key: Path | None = Field(
        None, description="Key of `certificate` (PEM or DER, without password)."
    )
    server_certificate: Path | None = Field(
        None, description="The one server certificate to accept (DER or PEM)."
    )
    pki: Path | None = Field(
        None,
        description=(
            "Folder with own/ (certificate made on first use), trusted/ (server certificates to "
            "accept) and rejected/ (those refused, to be moved by a person). Default: in the "
            "user's data folder."
        ),
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError(tr("certificate and private_key must be given together"))
        if self.password.get_secret_value() and not self.user:
            raise ValueError(tr("a password needs a user"))
        return self


class OpcUaConfig(_Model):
    """An OPC UA server."""

    url: str = Field(
        description="Address of the server: opc.tcp://host:port/path.", pattern=r"^opc\.tcp://\S+$"
    )
    namespace: str = Field(
        "",
        description="URI of the namespace of the tags' short node ids (s=…, i=…).",
    )
    security: Security = Field(Security(), description="Protection and log-in.")
    connect_timeout_s: float = Field(
        5.0, gt=0, le=60, description="Longest time for one attempt to connect, in seconds."
    )
    request_timeout_s: float = Field(
        1.0,
        gt=0,
        le=60,
        description=(
            "Longest wait for an answer, in seconds; a server that is later counts as gone, and a "
            "write as unknown."
        ),
    )
    keepalive_s: float = Field(
        1.0, gt=0, le=60, description="After this many seconds of silence the server is probed."
    )
    session_timeout_s: float = Field(
        30.0, ge=2, le=3600, description="When the server may forget a session that went silent."
    )
    refused_retry_s: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="Pause after a refusal by the server, or of its certificate, in seconds.",
    )
    max_batch: int = Field(
        500,
        ge=1,
        le=10_000,
        description="Most tags in one request; the server's own limit is respected too.",
    )
    queue_limit: int = Field(
        256, ge=2, le=100_000, description="Most batches a subscription holds for a slow reader."
    )
    application_uri: str = Field(
        "", description="Own application URI; default: from the certificate, or made of the host."
    )


class OpcUaTag(_Model):
    """One variable of the server. A bare string is its node id."""

    node: Annotated[str, AfterValidator(lambda text: str(Address.parse(text)))] = Field(
        description="Node id: s=… or i=… in the device's namespace, or nsu=<URI>;s=…."
    )
    type: Annotated[str, AfterValidator(check_type_name)] = Field(
        "",
        description=(
            "Built-in OPC UA type (int32, float, string, …; int32[] for an array). If the server "
            "has another, the tag's samples are bad."
        ),
    )
    minimum: float | None = Field(None, description="Least value that may be written, in `unit`.")
    maximum: float | None = Field(
        None, description="Greatest value that may be written, in `unit`."
    )
    scale: float = Field(1.0, description="Value in `unit` = raw value × scale + offset.")
    offset: float = Field(0.0, description="See scale.")
    unit: str = Field("", description="Unit of the value after scaling.")

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, data: Any) -> Any:
        return {"node": data} if isinstance(data, str) else data

    @field_validator("scale")
    @classmethod
    def _scale_divides(cls, scale: float) -> float:
        if scale == 0:
            raise ValueError(tr("scale must not be 0"))
        return scale

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(tr("minimum is greater than maximum"))
        return self

    @property
    def scaled(self) -> bool:
        """Whether values are converted at all."""
        return self.scale != 1.0 or self.offset != 0.0
