"""From a pydantic error to problems with place, what was met, what was expected and the mend."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from millhand.errors import Place, Problem
from millhand.messages import did_you_mean, tr
from millhand.scenario.document import Document, KeyPath
from millhand.scenario.words import kind_of, shown

_CHOICE = re.compile(r"'([^']*)'")


def problems_of(
    error: ValidationError,
    model: type[BaseModel],
    document: Document,
    prefix: KeyPath = (),
    also_known: Sequence[str] = (),
) -> tuple[Problem, ...]:
    """Turn each error into a problem.

    Args:
        error: what pydantic raised for ``model``.
        model: the model, to know its keys and their descriptions.
        document: the file that the data came from.
        prefix: where in the document the model's data begins.
        also_known: keys that are allowed beside the model's at its top level.
    """
    found: dict[tuple[str, str], Problem] = {}
    for details in error.errors(include_url=False):
        problem = _problem(details, model, document, prefix, also_known)
        found.setdefault((str(problem.place), problem.message), problem)
    return tuple(found.values())


def _problem(
    details: ErrorDetails,
    model: type[BaseModel],
    document: Document,
    prefix: KeyPath,
    also_known: Sequence[str],
) -> Problem:
    location = details["loc"]
    path = (
        *prefix,
        *_in_document(location, document, prefix, missing=details["type"] == "missing"),
    )
    kind = details["type"]
    if kind == "extra_forbidden":
        known = [*_known_keys(model, location[:-1]), *(also_known if len(location) == 1 else ())]
        key = str(location[-1])
        return Problem(
            document.place(path, of_key=True),
            tr("The key “{key}” is not known here.", key=key),
            tr("one of: {keys}", keys=", ".join(known)) if known else tr("nothing here"),
            _near(key, known) or tr("Remove it, or use one of the keys named."),
        )
    described = _description(model, location)
    at = tuple((details.get("ctx") or {}).get("at", ()))
    path += _in_document(at, document, path, missing=False)
    if kind == "missing":
        return Problem(
            document.place(path),
            tr("The key “{key}” is missing.", key=location[-1]),
            described or str(location[-1]),
            tr("Add “{key}: …”.", key=location[-1]),
        )
    message, expected, mend = _words(details)
    place = document.place(path, of_key="[key]" in location)
    if not mend:
        mend = (
            tr("Correct it. What it is: {what}", what=described) if described else tr("Correct it.")
        )
    return Problem(place, message, expected or described, mend)


def _near(key: str, known: Sequence[str]) -> str:
    hint = did_you_mean(key, known)
    return hint if hint.endswith("?") else ""


def _words(details: ErrorDetails) -> tuple[str, str, str]:
    """Message, expected and mend of one error that is neither a missing nor an unknown key."""
    context: Mapping[str, Any] = details.get("ctx") or {}
    met = details["input"]
    kind = details["type"]
    if "message" in context:
        return str(context["message"]), str(context["expected"]), str(context["mend"])
    if kind in {"literal_error", "enum"}:
        choices = _CHOICE.findall(str(context["expected"]))
        return (
            tr("{met} is none of the words allowed.", met=shown(met)),
            tr("one of: {words}", words=", ".join(choices)),
            _near(met, choices) if isinstance(met, str) else "",
        )
    wanted = _wanted(kind, context)
    if wanted:
        return _met(met), wanted, _mend(kind, met)
    if kind == "value_error":
        return str(context.get("error", details["msg"])), "", ""
    return tr("{met} does not fit: {why}.", met=shown(met), why=details["msg"]), "", ""


def _met(met: object) -> str:
    if met is None:
        return tr("There is nothing here.")
    if isinstance(met, dict | list | tuple):
        return tr("This is {kind}.", kind=kind_of(met))
    return tr("{met} does not fit here.", met=shown(met))


def _wanted(kind: str, context: Mapping[str, Any]) -> str:
    limits = {
        "greater_than": tr("a number above {limit}", limit=context.get("gt")),
        "greater_than_equal": tr("at least {limit}", limit=context.get("ge")),
        "less_than": tr("a number below {limit}", limit=context.get("lt")),
        "less_than_equal": tr("at most {limit}", limit=context.get("le")),
        "string_pattern_mismatch": tr("a text that fits {p}", p=context.get("pattern")),
        "too_short": tr("at least {n} entries", n=context.get("min_length")),
        "too_long": tr("at most {n} entries", n=context.get("max_length")),
        "string_too_short": tr("at least {n} characters", n=context.get("min_length")),
        "string_too_long": tr("at most {n} characters", n=context.get("max_length")),
    }
    kinds = {
        "string": tr("a text"),
        "int": tr("a whole number"),
        "float": tr("a number"),
        "bool": tr("true or false"),
        "dict": tr("a mapping (key: value)"),
        "mapping": tr("a mapping (key: value)"),
        "model": tr("a mapping (key: value)"),
        "list": tr("a list"),
        "tuple": tr("a list"),
    }
    by_kind = kinds.get(kind.partition("_")[0], "") if kind.endswith(("_type", "_parsing")) else ""
    return limits.get(kind) or by_kind


def _mend(kind: str, met: object) -> str:
    if met is None:
        return tr("Remove the key, or write what belongs here.")
    if kind == "string_type" and isinstance(met, bool | int | float):
        return tr(
            'Put it in quotes: "{met}".', met=str(met).lower() if met in (True, False) else met
        )
    if kind.startswith("bool") and isinstance(met, str):
        return tr("Write true or false; in YAML 1.2 yes, no, on and off are words.")
    return ""


def _in_document(
    location: tuple[int | str, ...], document: Document, prefix: KeyPath, *, missing: bool
) -> KeyPath:
    """Keep those steps of pydantic's location that are in the file.

    Tags of unions and steps that a short form was spread into are none of the file's.
    """
    path: list[str | int] = []
    here = document.at(prefix)
    for step in location[:-1] if missing else location:
        if isinstance(here, dict) and str(step) in here:
            path.append(str(step))
            here = here[str(step)]
        elif isinstance(here, list) and isinstance(step, int) and 0 <= step < len(here):
            path.append(step)
            here = here[step]
    return tuple(path)


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    for found in _models_at(model, location):
        keys = [field.alias or name for name, field in found.model_fields.items()]
        return [*getattr(found, "short_keys", ()), *keys]
    return []


def _description(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    for end in range(len(location), 0, -1):
        for parent in _models_at(model, location[: end - 1]):
            field = parent.model_fields.get(str(location[end - 1]))
            if field is not None and field.description:
                return field.description
    return ""


def _models_at(annotation: Any, location: tuple[int | str, ...]) -> Iterator[type[BaseModel]]:
    """Yield the models that stand at ``location`` below ``annotation``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _models_at(get_args(annotation)[0], location)
    elif origin in {Union, types.UnionType}:
        for choice in get_args(annotation):
            yield from _models_at(choice, location)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _models_below(annotation, location)
    elif origin is dict and location:
        yield from _models_at(get_args(annotation)[1], location[1:])
    elif origin in {list, tuple} and location:
        yield from _models_at(get_args(annotation)[0], location[1:])


def _models_below(
    model: type[BaseModel], location: tuple[int | str, ...]
) -> Iterator[type[BaseModel]]:
    if not location:
        yield model
        return
    field = model.model_fields.get(str(location[0]))
    if field is not None:
        yield from _models_at(field.annotation, location[1:])
    elif len(location) > 1 and location[0] == model.__name__:
        yield from _models_below(model, location[1:])


def not_there(file: str, message: str, expected: str, mend: str) -> Problem:
    """Return a problem with the file as a whole."""
    return Problem(Place(file), message, expected, mend)
