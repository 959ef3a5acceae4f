"""Conditions over tags: ``plc.state == 6 and plc.door_closed``, parsed and never run as code.

A condition is compiled once into closures; evaluating costs microseconds. It fails safe: a value
that is absent (``None``), not finite or of the wrong kind makes the *whole* condition False,
whatever ``not`` and ``or`` stand around it, and :meth:`Expression.why_not` says which.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from millhand.contracts.samples import Value
from millhand.messages import did_you_mean, tr
from millhand.scenario.words import kind_of

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

LONGEST_EXPRESSION = 2000
"""Characters."""
DEEPEST_NESTING = 20
"""Parentheses and ``not`` together."""

_GRAMMAR = r"""
?start: either
?either: both ("or" both)*
?both: negated ("and" negated)*
?negated: "not" negated -> negate | test
?test: operand
     | operand COMPARE operand -> compare
     | operand "in" "[" literal ("," literal)* "]" -> within
     | operand "not" "in" "[" literal ("," literal)* "]" -> outside
?operand: NAME -> name | literal | "(" either ")"
?literal: NUMBER -> number | TEXT -> text | "true" -> true | "false" -> false
COMPARE: "==" | "!=" | "<=" | ">=" | "<" | ">"
NAME: /(?!(and|or|not|in|true|false)\b)[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*/
NUMBER: /[-+]?[0-9]{1,15}(\.[0-9]{1,15})?/
TEXT: /"[^"\n]*"|'[^'\n]*'/
%ignore /[ \t\r\n]+/
"""


class Kind(StrEnum):
    """What a tag or a part of a condition may hold."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth"
    LIST = "list"
    ANY = "any"
    """Not known before the device is asked."""


class ExpressionError(ValueError):
    """A condition that cannot be read, or does not fit its tags.

    ``position`` counts characters from 0; ``expected`` and ``mend`` help the writer.
    """

    def __init__(
        self, message: str, *, position: int = 0, expected: str = "", mend: str = ""
    ) -> None:
        super().__init__(message)
        self.position = position
        self.expected = expected
        self.mend = mend


_Test = Callable[[Mapping[str, Value]], Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition that was parsed. Equal texts give equal expressions."""

    text: str
    names: frozenset[str] = field(compare=False)
    """The tags that it asks for, as written: ``plc.state``."""
    _test: _Test = field(compare=False, repr=False)
    _check: Callable[[Mapping[str, Kind]], Kind] = field(compare=False, repr=False)

    def evaluate(self, values: Mapping[str, Value]) -> bool:
        """Say whether the condition holds; never raises."""
        for name in self.names:
            if not _usable(values.get(name)):
                return False
        try:
            return self._test(values) is True
        except _WrongKind:
            return False

    def why_not(self, values: Mapping[str, Value]) -> str:
        """Say in one line why :meth:`evaluate` is False, or nothing where it is True."""
        for name in sorted(self.names):
            if not _usable(values.get(name)):
                return tr("{name} has no usable value", name=name)
        met = ", ".join(f"{name} = {_written(values[name])}" for name in sorted(self.names))
        try:
            if self._test(values) is True:
                return ""
        except _WrongKind as error:
            return tr("{error} ({met})", error=error, met=met)
        return tr("{text} does not hold ({met})", text=self.text, met=met)

    def check(self, kinds: Mapping[str, Kind]) -> None:
        """Check names and kinds before anything runs.

        Args:
            kinds: each name that exists, with what it holds (``ANY`` where that is not known).

        Raises:
            ExpressionError: an unknown name, or kinds that cannot be compared.
        """
        for name in sorted(self.names):
            if name not in kinds:
                raise ExpressionError(
                    tr("“{name}” is not known here.", name=name),
                    position=max(self.text.find(name), 0),
                    expected=tr("a tag as device.tag"),
                    mend=did_you_mean(name, kinds),
                )
        if self._check(kinds) not in {Kind.TRUTH, Kind.ANY}:
            raise ExpressionError(
                tr("“{text}” is no condition.", text=self.text),
                expected=tr("a comparison, such as plc.state == 6"),
                mend=tr("Compare it with a value."),
            )

    def __str__(self) -> str:
        return self.text


class _WrongKind(Exception):
    pass


@lru_cache(maxsize=256)
def parse(text: str) -> Expression:
    """Parse a condition.

    Grammar: names with dots, numbers, texts in quotes, ``true``, ``false``, the comparisons
    ``== != < <= > >=``, ``in [1, 2]``, ``not in [..]``, ``and``, ``or``, ``not``, parentheses.

    Raises:
        ExpressionError: it is no condition; with the position.
    """
    import lark

    nesting = text.count("(") + text.count("not")
    if len(text) > LONGEST_EXPRESSION or nesting > DEEPEST_NESTING:
        raise ExpressionError(tr("The condition is too long."), expected=tr("a short condition"))
    if not text.strip():
        raise ExpressionError(tr("The condition is empty."), expected=_example())
    try:
        tree: Any = _parser().parse(text)
    except lark.UnexpectedInput as error:
        raise _unexpected(text, error) from error
    part = _compile(tree)
    if part.kind(dict.fromkeys(part.names, Kind.ANY)) not in {Kind.TRUTH, Kind.ANY}:
        raise ExpressionError(
            tr("“{text}” is no condition.", text=text),
            expected=_example(),
            mend=tr("Compare it with a tag."),
        )
    return Expression(text, part.names, part.value, part.kind)


def _example() -> str:
    return tr("a condition, such as plc.state == 6 and plc.door_closed")


@lru_cache(maxsize=1)
def _parser() -> Lark:
    import lark

    return lark.Lark(_GRAMMAR, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _unexpected(text: str, error: Any) -> ExpressionError:
    position = error.pos_in_stream if isinstance(error.pos_in_stream, int) else len(text)
    position = min(position, len(text))
    if text[position - 1 : position + 1] == "<>":
        position -= 1
    rest = text[position:].lstrip()
    met = rest.split()[0] if rest else ""
    mends = {
        "=": tr("Compare with ==."),
        "&&": tr("Write “and”."),
        "&": tr("Write “and”."),
        "||": tr("Write “or”."),
        "|": tr("Write “or”."),
        "!": tr("Write “not”."),
        "<>": tr("Write !=."),
        "<": tr("Join two comparisons by “and”."),
        ">": tr("Join two comparisons by “and”."),
    }
    mend = mends.get(met) or next((mends[sign] for sign in mends if met.startswith(sign)), "")
    if not met:
        message = tr("The condition ends too early.")
    else:
        message = tr(
            "“{met}” is not expected at character {place}.", met=met[:40], place=position + 1
        )
    return ExpressionError(message, position=position, expected=_example(), mend=mend)


# --- compiling: each part of the tree becomes a value to compute and a kind to check ---

_Kinds = Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class _Part:
    names: frozenset[str]
    value: _Test
    kind: Callable[[_Kinds], Kind]


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compile(tree: Tree[Token]) -> _Part:
    rule, children = str(tree.data), tree.children
    match rule:
        case "name":
            return _name(str(children[0]))
        case "number":
            text = str(children[0])
            return _constant(float(text) if "." in text else int(text), Kind.NUMBER)
        case "text":
            return _constant(str(children[0])[1:-1], Kind.TEXT)
        case "true" | "false":
            return _constant(rule == "true", Kind.TRUTH)
        case "compare":
            left, sign, right = children
            return _compare(_part(left), str(sign), _part(right))
        case "within" | "outside":
            operand, *items = [_part(child) for child in children]
            return _within(operand, items, wanted=rule == "within")
        case "negate":
            return _negate(_part(children[0]))
        case _:
            return _join([_part(child) for child in children], every=rule == "both")


def _part(child: Any) -> _Part:
    return _compile(child)


def _name(name: str) -> _Part:
    def kind(kinds: _Kinds) -> Kind:
        return kinds.get(name, Kind.ANY)

    return _Part(frozenset({name}), operator.itemgetter(name), kind)


def _constant(value: Any, kind: Kind) -> _Part:
    return _Part(frozenset(), lambda _values: value, lambda _kinds: kind)


def _compare(left: _Part, sign: str, right: _Part) -> _Part:
    compare = _COMPARISONS[sign]
    ordered = sign not in {"==", "!="}
    first, second = left.value, right.value

    def test(values: Mapping[str, Value]) -> bool:
        a, b = first(values), second(values)
        kind = _kind(a)
        if kind is not _kind(b) or kind is Kind.LIST or (ordered and kind is Kind.TRUTH):
            raise _WrongKind(
                tr(
                    "{a} and {b} cannot be compared by {sign}",
                    a=kind_of(a),
                    b=kind_of(b),
                    sign=sign,
                )
            )
        return compare(a, b)

    def check(kinds: _Kinds) -> Kind:
        a, b = left.kind(kinds), right.kind(kinds)
        known = {a, b} - {Kind.ANY}
        if len(known) > 1 or Kind.LIST in known or (ordered and Kind.TRUTH in known):
            raise ExpressionError(
                tr("A {a} and a {b} cannot be compared by {sign}.", a=a, b=b, sign=sign),
                expected=tr("two values of one kind"),
                mend=tr("Compare a text with a value in quotes, a number with a bare number."),
            )
        return Kind.TRUTH

    return _Part(left.names | right.names, test, check)


def _within(operand: _Part, items: list[_Part], *, wanted: bool) -> _Part:
    known = [item.value({}) for item in items]
    kinds_of_items = {_kind(value) for value in known}
    if len(kinds_of_items) > 1:
        raise ExpressionError(
            tr("The values in brackets are of different kinds."),
            expected=tr("only numbers, or only texts"),
            mend=tr("Put texts in quotes, write numbers without."),
        )
    (kind_of_items,) = kinds_of_items
    found, allowed = operand.value, frozenset(known)

    def test(values: Mapping[str, Value]) -> bool:
        value = found(values)
        if _kind(value) is not kind_of_items:
            raise _WrongKind(tr("{kind} cannot be among these values", kind=kind_of(value)))
        return (value in allowed) is wanted

    def check(kinds: _Kinds) -> Kind:
        kind = operand.kind(kinds)
        if kind not in {Kind.ANY, kind_of_items}:
            raise ExpressionError(
                tr("A {a} cannot be among values that are each a {b}.", a=kind, b=kind_of_items),
                expected=tr("values of one kind"),
                mend=tr("Compare a text with values in quotes, a number with bare numbers."),
            )
        return Kind.TRUTH

    return _Part(operand.names, test, check)


def _negate(part: _Part) -> _Part:
    value = part.value
    return _Part(
        part.names,
        lambda values: not _truth(value(values)),
        lambda kinds: _check_truth([part], kinds),
    )


def _join(parts: list[_Part], *, every: bool) -> _Part:
    values_of = tuple(part.value for part in parts)
    names = frozenset().union(*(part.names for part in parts))

    def test(values: Mapping[str, Value]) -> bool:
        # Every part is looked at, so that a value of the wrong kind is never hidden by "or".
        truths = [_truth(value(values)) for value in values_of]
        return all(truths) if every else any(truths)

    return _Part(names, test, lambda kinds: _check_truth(parts, kinds))


def _check_truth(parts: list[_Part], kinds: _Kinds) -> Kind:
    for part in parts:
        kind = part.kind(kinds)
        if kind not in {Kind.TRUTH, Kind.ANY}:
            raise ExpressionError(
                tr("A {kind} stands where true or false is needed.", kind=kind),
                expected=tr("a comparison, or a tag that is true or false"),
                mend=tr("Compare it: {names} == …", names=", ".join(sorted(part.names)) or "…"),
            )
    return Kind.TRUTH


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise _WrongKind(tr("{kind} stands where true or false is needed", kind=kind_of(value)))
    return value


def _kind(value: Any) -> Kind:
    kind = type(value)
    if kind is int or kind is float:
        return Kind.NUMBER
    if kind is str:
        return Kind.TEXT
    return Kind.TRUTH if kind is bool else Kind.LIST


def _usable(value: Value) -> bool:
    return value is not None and not (type(value) is float and not math.isfinite(value))


def _written(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
