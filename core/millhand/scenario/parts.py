"""What all parts of a scenario share: strict frozen models, names, references, paths, refusals."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from millhand.messages import tr
from millhand.scenario.words import kind_of, shown


class Part(BaseModel):
    """A part of a scenario: frozen, unknown keys refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True
    )

    short_keys: ClassVar[tuple[str, ...]] = ()
    """Keys of a short form, beside the fields, for errors that list the keys."""


Flag = Annotated[bool, Field(strict=True)]
"""``true`` or ``false`` and nothing else."""
Whole = Annotated[int, Field(strict=True)]
"""A whole number; no text and no fraction."""
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number; no text."""


class ShortPart(Part):
    """A part that may also be written in a short form, as ``short_schemas`` tells editors."""

    short_schemas: ClassVar[tuple[dict[str, Any], ...]] = ()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        long = dict(handler.resolve_ref_schema(handler(core_schema)))
        description = long.pop("description", "")
        return {"description": description, "anyOf": [*cls.short_schemas, long]}


def refusal(
    message: str, *, expected: str = "", mend: str = "", at: tuple[str, ...] = ()
) -> PydanticCustomError:
    """Return an error for a validator to raise; the loader adds file, line and key.

    Args:
        message: what was met.
        expected: what was expected.
        mend: what the writer can do.
        at: keys below the part that the validator looks at, where the trouble stands.
    """
    facts = {"message": message, "expected": expected, "mend": mend, "at": at}
    return PydanticCustomError("scenario", "{message}", facts)


_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
_REFERENCE = r"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$"


def _is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier() and len(text) <= 63


def _name(value: Any) -> Any:
    if isinstance(value, str) and _is_name(value):
        return value
    raise refusal(
        tr("{value} is no name.", value=shown(value)),
        expected=tr(
            "letters, digits and _, beginning with a letter, so that conditions can use it"
        ),
        mend=tr("Write _ where a space, a hyphen or a dot stands."),
    )


def _reference(value: Any) -> Any:
    if isinstance(value, str):
        parts = value.split(".")
        if len(parts) <= 2 and all(_is_name(part) for part in parts):
            return value
    raise refusal(
        tr("{value} names no device or tag.", value=shown(value)),
        expected=tr("a device (camera), or a tag, trigger or channel of one (plc.state)"),
    )


def _inside(value: str) -> str:
    path = value.replace("\\", "/")
    if path.startswith("/") or ".." in path.split("/") or ":" in path or "\0" in path:
        raise refusal(
            tr("The path {value} leads out of the scenario's folder.", value=shown(value)),
            expected=tr("a path below the folder of the scenario"),
            mend=tr("Copy what it names into the folder, so that the scenario can be moved whole."),
        )
    return path.rstrip("/") or "."


Name = Annotated[str, BeforeValidator(_name), WithJsonSchema({"type": "string", "pattern": _NAME})]
"""Name of a device, tag, trigger, channel, agent or role."""

Reference = Annotated[
    str, BeforeValidator(_reference), WithJsonSchema({"type": "string", "pattern": _REFERENCE})
]
"""``device`` or ``device.tag`` (also ``device.trigger``, ``device.channel``)."""

InnerPath = Annotated[str, AfterValidator(_inside)]
"""A path below the scenario's folder, with forward slashes."""


def as_mapping(value: Any, expected: str) -> dict[str, Any]:
    """Return a copy of the mapping met, or refuse what is none."""
    if isinstance(value, dict):
        return dict(value)
    raise refusal(tr("This is {kind}.", kind=kind_of(value)), expected=expected)
