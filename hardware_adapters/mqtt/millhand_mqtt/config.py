"""What a scenario says about tags in the messages of a broker."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from millhand.messages import tr
from millhand_mqtt.broker import BrokerConfig
from millhand_mqtt.kinds import check_type_name
from millhand_mqtt.paths import JsonPath

LONGEST_TOPIC = 65_535
"""Bytes of a topic (MQTT 5, section 1.5.4)."""
_BETWEEN = " $"


def check_topic(topic: str) -> str:
    """Return a topic that can be published to.

    Raises:
        ValueError: it is empty, too long, or holds a wildcard or a null character.
    """
    if not topic or len(topic.encode("utf-8")) > LONGEST_TOPIC:
        raise ValueError(tr("a topic has 1 to {limit} bytes", limit=LONGEST_TOPIC))
    if any(sign in topic for sign in "+#\0"):
        raise ValueError(tr("{topic}: a tag's topic has no wildcard", topic=topic))
    return topic


Topic = Annotated[str, AfterValidator(check_topic)]
Path = Annotated[str, AfterValidator(lambda text: str(JsonPath.parse(text)))]


class MqttConfig(BrokerConfig):
    """A broker whose messages hold tags."""

    retained_wait_s: float = Field(
        0.3,
        ge=0,
        le=60,
        description="After connecting, longest wait for the messages that the broker has kept, in "
        "seconds; it ends as soon as every topic has sent one.",
    )
    queue_limit: int = Field(
        256, ge=2, le=100_000, description="Most batches a subscription holds for a slow reader."
    )
    browse_s: float = Field(
        2.0, gt=0, le=60, description="How long `browse` listens for topics, in seconds."
    )
    browse_filter: str = Field("#", description="Topic filter that `browse` listens to.")


class MqttWrite(BaseModel):
    """How a value is sent. A bare string is its topic, with the path behind it if there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: Topic = Field(description="Topic to publish to.")
    path: Path = Field("$", description="Where in the JSON message the value stands.")
    retain: bool = Field(False, description="Let the broker keep it for later subscribers.")

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, data: Any) -> Any:
        return _split(data)


class MqttTag(BaseModel):
    """One value in the messages of one topic.

    A bare string is its topic, with the path behind it if there is one:
    ``line2/oven $.zones[0].temperature``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: Topic = Field(description="Topic of the messages, without wildcard.")
    path: Path = Field(
        "",
        description="Where in the JSON message the value stands: $.oven.zones[0], or $ for the "
        "message as a whole. Empty: the message is the value itself, JSON or plain text.",
    )
    type: Annotated[str, AfterValidator(check_type_name)] = Field(
        "",
        description="bool, int8 to int64, uint8 to uint64, float, double or string, with [] for a "
        "list. Another value is bad. Empty takes what comes.",
    )
    time: Path = Field(
        "",
        description="Where the source's time stands: ISO 8601 with zone, or Unix time in s, ms, µs "
        "or ns.",
    )
    stale_after_s: float | None = Field(
        None, gt=0, description="A value older than this is stale, in seconds."
    )
    write: MqttWrite | None = Field(
        None, description="Where the value is sent to; without it the tag is read-only."
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
        return _split(data)

    @field_validator("scale")
    @classmethod
    def _scale_divides(cls, scale: float) -> float:
        if scale == 0:
            raise ValueError(tr("scale must not be 0"))
        return scale

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(tr("minimum is greater than maximum"))
        if self.time and not self.path:
            raise ValueError(tr("time needs a path: the message must be JSON"))
        return self

    @property
    def scaled(self) -> bool:
        """Whether values are converted at all."""
        return self.scale != 1.0 or self.offset != 0.0


def _split(data: Any) -> Any:
    """Read ``topic $.path``; the path begins at the last `` $``."""
    if not isinstance(data, str):
        return data
    topic, between, path = data.rpartition(_BETWEEN)
    return {"topic": topic.rstrip(), "path": f"${path}"} if between else {"topic": data}
