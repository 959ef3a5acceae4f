"""Devices: an adapter with its options, its tags, and the records of the PLC handshake.

A record's addresses may be written out, one by one, or as the prefix that they share::

    channels:
      result: {record: s=Cell.Command, answers: s=Cell.Answers}
      result:
        record: {part_id: DB5.DBS0, result: DB5.DBD22, valid_until: DB5.DBD26, id: DB5.DBD30}

A prefix is completed by ``.PartId``, ``.Result`` and so on, as ``docs/reference/plc-handshake.md``
names the fields. One address may be put right beside a prefix: ``{record: s=Cell.Trigger,
tick: s=Cell.Tick}``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from millhand.contracts import Disposition
from millhand.messages import tr
from millhand.scenario.parts import Name, Part, as_mapping, refusal
from millhand.scenario.units import Duration
from millhand.scenario.words import kind_of


def _address(value: Any) -> Any:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, dict) and value:
        return value
    raise refusal(
        tr("This is {kind}, not an address.", kind=kind_of(value)),
        expected=tr("an address as the adapter knows it, such as s=Cell.Tick, or its long form"),
        mend=tr("Put it in quotes if it looks like a number."),
    )


Address = Annotated[
    Any,
    BeforeValidator(_address),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"type": "object"}]}),
]
"""A tag's address: a text, or the adapter's own long form (``{node: …, type: int32}``)."""


class HandshakeTag(NamedTuple):
    """One tag of the handshake: where it is, what it holds, who writes it."""

    address: str | dict[str, Any]
    type: Literal["int32", "string", "bool"]
    array: bool = False
    written: bool = False
    """Whether Millhand writes it."""
    path: tuple[str, ...] = ()
    """Where its address stands below the device: ``("channels", "result", "record", "id")``."""


class _Field(NamedTuple):
    """How a field of a record is called in a PLC, and what it holds."""

    plc: str
    type: Literal["int32", "string", "bool"]
    written: bool = False


def _spread(value: Any, fields: dict[str, _Field]) -> Any:
    """Turn the short forms of a record (a prefix) into one address for each field."""
    data = as_mapping(
        {"record": value} if isinstance(value, str) else value,
        tr("the prefix that the addresses share, such as s=Cell.Command, or a mapping"),
    )
    if "record" not in data:
        if not fields.keys() & data.keys():
            raise refusal(
                tr("None of the addresses is given."),
                expected=tr("record: the prefix they share; or {fields}", fields=", ".join(fields)),
                mend=tr("Write record: and the prefix, or the addresses one by one."),
            )
        return data
    prefix = data.pop("record")
    if not isinstance(prefix, str) or not prefix.strip():
        raise refusal(
            tr("“record” is {kind}.", kind=kind_of(prefix)),
            expected=tr("the prefix that the addresses share, such as s=Cell.Command"),
        )
    for name, field in fields.items():
        if name not in data:
            data[name] = f"{prefix.strip()}.{field.plc}"
    return data


class _Record(Part):
    """A record in the PLC: one address for each field, or ``record``, the prefix they share."""

    fields_in_plc: ClassVar[dict[str, _Field]] = {}
    array: ClassVar[bool] = False
    """Whether its fields are arrays, all but a field named ``count``."""
    short_keys = ("record",)

    @model_validator(mode="before")
    @classmethod
    def _from_prefix(cls, value: Any) -> Any:
        return value if isinstance(value, cls) else _spread(value, cls.fields_in_plc)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        long = dict(handler.resolve_ref_schema(handler(core_schema)))
        description = long.pop("description", "")
        prefix = {"type": "string", "minLength": 1, "description": "Prefix of all addresses."}
        short = {
            "type": "object",
            "properties": {"record": prefix, **long["properties"]},
            "required": ["record"],
            "additionalProperties": False,
        }
        return {"description": description, "anyOf": [prefix, short, long]}

    def tags(self, name: str, *path: str) -> Iterator[tuple[str, HandshakeTag]]:
        """Yield the record's tags as ``<name>.<field>``; ``path`` is where the record stands."""
        for field, facts in self.fields_in_plc.items():
            address = getattr(self, field)
            if address is not None:
                array = self.array and field != "count"
                yield (
                    f"{name}.{field}",
                    HandshakeTag(address, facts.type, array, facts.written, (*path, field)),
                )


class TriggerRecord(_Record):
    """The PLC's part trigger: one consistent snapshot of the part before the camera."""

    fields_in_plc: ClassVar[dict[str, _Field]] = {
        "seq": _Field("Seq", "int32"),
        "part_id": _Field("PartId", "string"),
        "product": _Field("Product", "string"),
        "tick": _Field("Tick", "int32"),
    }
    seq: Address = Field(description="Parts triggered since start; raised last.")
    part_id: Address = Field(description="The part before the camera.")
    product: Address | None = Field(default=None, description="Its product, where the PLC says.")
    tick: Address = Field(description="PLC tick of the trigger.")
    every: Duration = Field(
        default=0.005, description="How stale a trigger may be seen; slower servers are polled."
    )


class CommandRecord(_Record):
    """The command that Millhand writes; ``id`` goes last."""

    fields_in_plc: ClassVar[dict[str, _Field]] = {
        "part_id": _Field("PartId", "string", written=True),
        "result": _Field("Result", "int32", written=True),
        "valid_until": _Field("ValidUntil", "int32", written=True),
        "id": _Field("Id", "int32", written=True),
    }
    part_id: Address = Field(description="The part that the result is for.")
    result: Address = Field(description="1 pass, 2 reject, 3 divert, 4 pass flagged.")
    valid_until: Address = Field(description="PLC tick after which the PLC must refuse.")
    id: Address = Field(description="The command's number, written last.")


class AnswersRecord(_Record):
    """The PLC's ring of its last 16 answers; five arrays but for the count."""

    fields_in_plc: ClassVar[dict[str, _Field]] = {
        "command_id": _Field("CommandId", "int32"),
        "part_id": _Field("PartId", "string"),
        "code": _Field("Code", "int32"),
        "tick": _Field("Tick", "int32"),
        "count": _Field("Count", "int32"),
    }
    array = True
    command_id: Address = Field(description="Array: the commands answered.")
    part_id: Address = Field(description="Array: their parts.")
    code: Address = Field(description="Array: answer codes.")
    tick: Address = Field(description="Array: when.")
    count: Address = Field(description="Answers written since start; raised last.")


Confirm = Literal["echo", "readback", "sensor", "none"]


class Channel(Part):
    """A way to tell the PLC what becomes of a part."""

    record: CommandRecord = Field(description="The command record: a prefix, or its addresses.")
    answers: AnswersRecord | None = Field(
        default=None, description="The ring of answers: a prefix, or its addresses."
    )
    confirm: Confirm = Field(
        default="none",
        description="How it is known that a command was taken: echo (the PLC's answer), readback "
        "(the record is read again), sensor (the gate's sensor, as the answer 'executed'), none. "
        "Left out, it is echo where answers are given, else none.",
    )
    default: Literal[Disposition.REJECT, Disposition.DIVERT] = Field(
        default=Disposition.REJECT,
        description="What the PLC itself does with a part that got no valid result in time.",
    )
    form: Literal["level"] = Field(
        default="level", description="The record stands until the next command."
    )
    tick_period: Duration = Field(
        default=0.010, description="Length of one PLC tick, in which valid_until counts."
    )

    @model_validator(mode="before")
    @classmethod
    def _confirm_by_answers(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        data = as_mapping(value, tr("a mapping with record and, for an echo, answers"))
        if "confirm" not in data and data.get("answers") is not None:
            data["confirm"] = "echo"
        return data

    @model_validator(mode="after")
    def _answers_for_echo(self) -> Channel:
        if self.confirm in {"echo", "sensor"} and self.answers is None:
            raise refusal(
                tr("“confirm: {confirm}” needs the PLC's answers.", confirm=self.confirm),
                expected=tr("answers: the ring of answers, such as s=Cell.Answers"),
                mend=tr("Add answers, or state what really happens: confirm: readback or none."),
                at=("confirm",),
            )
        return self

    def tags(self, name: str, *path: str) -> Iterator[tuple[str, HandshakeTag]]:
        """Yield ``<name>.<field>`` of the command and ``<name>.answers.<field>``."""
        yield from self.record.tags(name, *path, "record")
        if self.answers is not None:
            yield from self.answers.tags(f"{name}.answers", *path, "answers")


class Lease(_Record):
    """The sign of life that Millhand raises, and what it says of itself."""

    fields_in_plc: ClassVar[dict[str, _Field]] = {
        "counter": _Field("Counter", "int32", written=True),
        "ready": _Field("Ready", "bool", written=True),
        "in_control": _Field("InControl", "bool", written=True),
    }
    counter: Address = Field(description="Raised every period.")
    ready: Address = Field(description="An agent runs and its devices are up.")
    in_control: Address = Field(description="The agent's mode is control.")
    every: Duration = Field(
        default=0.1, description="Period; the PLC's time-out should be three of it."
    )


class Machine(_Record):
    """Where Millhand asks the machine to hold or stop; the PLC decides."""

    fields_in_plc: ClassVar[dict[str, _Field]] = {
        "request": _Field("Request", "int32", written=True)
    }
    request: Address = Field(description="0 nothing, 1 hold, 2 stop.")


def _names_apart(device: Device) -> Device:
    owners: dict[str, str] = {"lease": "lease", "machine": "machine"}
    for kind, names in (
        ("tags", device.tags),
        ("triggers", device.triggers),
        ("channels", device.channels),
    ):
        for name in names:
            if name in owners:
                raise refusal(
                    tr(
                        "“{name}” is used twice in this device: under {one} and {two}.",
                        name=name,
                        one=owners[name],
                        two=kind,
                    ),
                    expected=tr("names that differ, so that device.name says which"),
                    mend=tr("Rename one of them."),
                    at=(kind, name),
                )
            owners[name] = kind
    return device


class Device(Part):
    """A device: the adapter that speaks with it, its options, and what it holds.

    Keys that are not listed here are the adapter's own options.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    adapter: str = Field(description="The adapter, as `millhand plugins` lists it: opcua.")
    isolate: Literal["process"] | None = Field(
        default=None,
        description="process: a camera's adapter runs in a process of its own, so that a crash in "
        "its library is not one of the engine.",
    )
    tags: dict[Name, Address] = Field(
        default_factory=dict,
        description="Named values: an address, or the adapter's long form with type and range.",
    )
    triggers: dict[Name, TriggerRecord] = Field(
        default_factory=dict, description="Part triggers, named."
    )
    channels: dict[Name, Channel] = Field(
        default_factory=dict, description="Channels for dispositions, named."
    )
    lease: Lease | None = Field(default=None, description="The lease that tells of our health.")
    machine: Machine | None = Field(
        default=None, description="Where the machine can be asked to hold or stop."
    )

    @model_validator(mode="after")
    def _check_names(self) -> Device:
        return _names_apart(self)

    @property
    def options(self) -> dict[str, Any]:
        """The adapter's own options, as written (secrets still as references)."""
        return dict(self.model_extra or {})

    def handshake(self) -> dict[str, HandshakeTag]:
        """All tags of triggers, channels, lease and machine by their synthetic names.

        ``trigger.seq``, ``result.id``, ``result.answers.code``, ``lease.counter``,
        ``machine.request``; triggers and channels begin with the name the scenario gave them.
        """
        found: dict[str, HandshakeTag] = {}
        for name, trigger in self.triggers.items():
            found.update(trigger.tags(name, "triggers", name))
        for name, channel in self.channels.items():
            found.update(channel.tags(name, "channels", name))
        if self.lease is not None:
            found.update(self.lease.tags("lease", "lease"))
        if self.machine is not None:
            found.update(self.machine.tags("machine", "machine"))
        return found

    def handshake_tags(self) -> dict[str, str | dict[str, Any]]:
        """The same as plain addresses, to be given to the adapter together with ``tags``."""
        return {name: tag.address for name, tag in self.handshake().items()}

    def all_tags(self) -> dict[str, str | dict[str, Any]]:
        """``tags`` and the handshake's, as the adapter's ``Tag`` model validates them."""
        return {**self.tags, **self.handshake_tags()}
