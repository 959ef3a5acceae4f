"""Agents: what sets them to work, what they see, what they may do, and when they cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from millhand.contracts import Disposition, MachineAction, Mode
from millhand.contracts.agent import TriggerKind
from millhand.messages import tr
from millhand.scenario.learning import Ask, Drift, Rollout
from millhand.scenario.parts import (
    Flag,
    InnerPath,
    Name,
    Part,
    Reference,
    ShortPart,
    Whole,
    as_mapping,
    refusal,
)
from millhand.scenario.units import Duration, UnitError, parse_duration
from millhand.scenario.words import shown


@dataclass(frozen=True, slots=True)
class When:
    """What sets an agent to work.

    ``source`` is ``plc.trigger`` (part), ``plc.state`` (edge), the text itself (timer),
    a device (document), or the wire tag of an event (``hold/1``).
    """

    text: str
    kind: TriggerKind
    source: str
    every_s: float | None = None

    def __str__(self) -> str:
        return self.text


def _when_forms() -> str:
    return tr(
        "plc.trigger (a part), plc.state changes, every 5 min, document inbox, or event hold/1"
    )


def parse_when(value: Any) -> When:
    """Read one ``when``.

    Grammar: ``<device>.<trigger>`` | ``<device>.<tag> changes`` | ``every <time>`` |
    ``document <device>`` | ``event <name>/<version>``.
    """
    if isinstance(value, When):
        return value
    words = value.split() if isinstance(value, str) else []
    match words:
        case ["every", *time] if time:
            try:
                return When(value, TriggerKind.TIMER, value, parse_duration(" ".join(time)))
            except UnitError as error:
                raise refusal(str(error), expected=error.expected, mend=error.mend) from error
        case ["document", device]:
            return When(value, TriggerKind.DOCUMENT, device)
        case ["event", name]:
            return _event(value, name)
        case [tag, "changes"] if _dotted(tag):
            return When(value, TriggerKind.EDGE, tag)
        case [trigger] if _dotted(trigger):
            return When(value, TriggerKind.PART, trigger)
    raise refusal(
        tr("{value} says nothing that can set an agent to work.", value=shown(value)),
        expected=_when_forms(),
        mend=tr("Name the trigger, the tag, the time, the device or the event."),
    )


def _event(text: str, name: str) -> When:
    body, slash, version = name.rpartition("/")
    if slash and body and version.isdecimal():
        return When(text, TriggerKind.EVENT, name)
    raise refusal(
        tr("The event “{name}” has no version.", name=name),
        expected=tr("a name and a version, such as hold/1"),
        mend=tr("Write event {name}/1.", name=name),
    )


def _dotted(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 2 and all(part.isidentifier() for part in parts)


def _whens(value: Any) -> Any:
    items = value if isinstance(value, list | tuple) else [value]
    if not items:
        raise refusal(tr("This list is empty."), expected=_when_forms(), mend=tr("Name one."))
    return tuple(parse_when(item) for item in items)


_ONE_WHEN = {
    "type": "string",
    "examples": [
        "plc.trigger",
        "plc.state changes",
        "every 5 min",
        "document inbox",
        "event hold/1",
    ],
}

Whens = Annotated[
    tuple[When, ...],
    BeforeValidator(_whens),
    PlainSerializer(lambda whens: [when.text for when in whens], when_used="json"),
    WithJsonSchema({"anyOf": [_ONE_WHEN, {"type": "array", "minItems": 1, "items": _ONE_WHEN}]}),
]
"""One ``when`` or a list of them."""

ONLY_ROLE = ""
"""Stands for the one model role of an agent that has only one."""


class ModelChoice(Part):
    """Which package serves a role: one for all, or one for each product."""

    by: Reference | None = Field(default=None, description="The tag that names the product.")
    packages: dict[str, InnerPath] = Field(
        description="Product to the package's folder; the empty product stands for all."
    )

    def package_for(self, product: str | None) -> str | None:
        """Return the folder of the package for a product; None where the product is unknown."""
        return self.packages.get("" if self.by is None else product or "")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        expected = tr("a path, or {by: plc.product, name: path, …}")
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return {"packages": {"": value}}
        data = as_mapping(value, expected)
        if "packages" in data:
            return data
        if "by" not in data:
            raise refusal(
                tr("It is not said by what the package is chosen."),
                expected=expected,
                mend=tr("Add by: and the tag that holds the product's name."),
            )
        by = data.pop("by")
        if not data:
            raise refusal(
                tr("No product is named."),
                expected=expected,
                mend=tr("Name each product with the folder of its package."),
            )
        return {"by": by, "packages": data}


def _models(value: Any) -> Any:
    if isinstance(value, dict) and "by" not in value:
        return value
    return {ONLY_ROLE: value}


_MODEL_SCHEMA = {
    "anyOf": [
        {"type": "string", "description": "Folder of a package below the scenario's."},
        {
            "type": "object",
            "properties": {"by": {"type": "string", "description": "Tag that names the product."}},
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "object"}]},
        },
    ],
    "examples": ["models/impeller", {"by": "plc.product", "impeller": "models/impeller"}],
}

ModelsByRole = Annotated[
    dict[str, ModelChoice], BeforeValidator(_models), WithJsonSchema(_MODEL_SCHEMA)
]


def _accelerators(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Accelerators = Annotated[
    tuple[Name, ...],
    BeforeValidator(_accelerators),
    PlainSerializer(lambda names: names[0] if len(names) == 1 else list(names), when_used="json"),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "minItems": 1, "items": {"type": "string"}},
            ],
            "examples": ["auto", "cpu", ["npu", "cpu"]],
        }
    ),
]
"""One accelerator, or a ladder of them."""


class Queue(ShortPart):
    """What becomes of triggers that find the agent busy; ``queue: 4`` and ``queue: latest`` too."""

    short_schemas = (
        {"const": "latest"},
        {"type": "integer", "minimum": 1, "maximum": 1000},
    )

    bound: Whole = Field(
        default=8,
        ge=1,
        le=1000,
        description="Triggers that may wait; with latest, of each tag and each period.",
    )
    latest: Flag = Field(
        default=False,
        description="A tag's newer value takes the place of its older one, a later tick that of "
        "the one before; not for agents bound to parts.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if value == "latest":
            return {"bound": 1, "latest": True}
        if isinstance(value, int) and not isinstance(value, bool):
            return {"bound": value}
        return value


PartFate = Literal[Disposition.REJECT, Disposition.DIVERT, Disposition.PASS_FLAGGED]


class Fallback(Part):
    """What happens to part and machine when the agent cannot do its work (jidoka)."""

    part: PartFate = Field(
        default=Disposition.REJECT,
        description="What becomes of the part: reject, divert or pass_flagged.",
    )
    machine: MachineAction = Field(
        default=MachineAction.NONE, description="What the machine is asked: none, hold or stop."
    )
    review: Flag = Field(default=False, description="Whether a person is asked what it really was.")
    call: str = Field(
        default="",
        description="Who is called (andon). Where left out, nobody, unless the machine is asked to "
        "hold or stop: then the cell's owner.",
    )
    within: Duration | None = Field(
        default=None, description="How soon they are to respond; later, there is an alarm."
    )


class Contradicted(Fallback):
    """What happens when other evidence says otherwise, and whose word is awaited."""

    part: PartFate = Field(
        default=Disposition.DIVERT,
        description="What becomes of the part: reject, divert or pass_flagged.",
    )
    review: Flag = Field(default=True, description="Whether a person is asked what it really was.")
    by: tuple[Name, ...] = Field(
        default=(),
        description="Agents in control whose verdict on a part is awaited before it may pass; "
        "where one has not spoken in time, the agent is blind. Others are heard if they were "
        "quicker.",
    )


def _ask_a_person() -> Fallback:
    return Fallback(part=Disposition.DIVERT, review=True)


class Agent(Part):
    """An agent at work in this cell."""

    use: str = Field(description="The agent, as `millhand plugins` lists it: quality.inspect.")
    config: dict[str, Any] = Field(default_factory=dict, description="The agent's own settings.")
    max_mode: Mode = Field(
        default=Mode.SHADOW,
        description="The highest mode that it may ever be put into: off, shadow (decides, writes "
        "nothing), advise (a person approves), control. Workers in which none may control give way "
        "where there is not enough processor for all.",
    )
    when: Whens = Field(
        description="What sets it to work: plc.trigger, 'plc.state changes', 'every 5 min', "
        "'document inbox', 'event hold/1', or a list of these."
    )
    see: dict[Name, Reference] = Field(
        default_factory=dict, description="Role to device (a camera) or device.tag."
    )
    model: ModelsByRole = Field(
        default_factory=dict,
        description="Package folder; or {by: plc.product, name: folder}; or one of these by role.",
    )
    accelerator: Accelerators = Field(
        default=("auto",),
        description="The device that runs the models; auto measures and chooses. A list is a "
        "ladder, best first: where one fails, the next takes over, until it is well again.",
    )
    may: dict[Name, Reference] = Field(
        default_factory=dict,
        description="Role of an action to the channel, tag or device that it may act on. Nothing "
        "else can be written.",
    )
    deadline: Duration = Field(
        description="Time from the trigger to the command, such as 80 ms; what comes later is "
        "never sent."
    )
    queue: Queue = Field(default_factory=Queue, description="A bound, or latest.")
    worker: Name | None = Field(
        default=None, description="Name of a shared worker process; its own where left out."
    )
    light: Flag = Field(
        default=False,
        description="Run inside the engine; only for agents without models that allow it.",
    )
    unsure: Fallback = Field(
        default_factory=_ask_a_person,
        description="The model abstains: its error bound would not hold.",
    )
    late: Fallback = Field(
        default_factory=Fallback,
        description="The deadline has passed; the part takes the channel's default.",
    )
    blind: Fallback = Field(
        default_factory=Fallback, description="A picture or value is missing or bad."
    )
    contradicted: Contradicted = Field(
        default_factory=Contradicted,
        description="Another agent in control says that the part is not OK.",
    )

    drift: Drift = Field(
        default_factory=Drift,
        description="When the model's certificate is void: what it sees is not as it was.",
    )
    ask: Ask | None = Field(
        default=None,
        description="How often people are asked what a part really was; where left out, only if "
        "two models differ, and as the reactions say.",
    )
    rollout: Rollout = Field(
        default_factory=Rollout,
        description="When another model may take the live one's place, and when that is undone.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Agent:
        if self.queue.latest and any(when.kind is TriggerKind.PART for when in self.when):
            raise refusal(
                tr("queue: latest would drop parts."),
                expected=tr("a bound, because every part gets its disposition"),
                mend=tr("Write queue: 8."),
                at=("queue",),
            )
        if self.light and self.model:
            raise refusal(
                tr("A light agent has no model."),
                expected=tr("light: true only without model"),
                mend=tr("Remove light, so that it runs in a worker."),
                at=("light",),
            )
        return self

    @property
    def bound_to_parts(self) -> bool:
        """Whether a part's trigger sets it to work."""
        return any(when.kind is TriggerKind.PART for when in self.when)
