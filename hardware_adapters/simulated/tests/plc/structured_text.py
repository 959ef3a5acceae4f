"""Runs structured text: parses the shipped file with lark and executes what it says.

The subset: TYPE with STRUCT, FUNCTION, FUNCTION_BLOCK, VAR sections with initial values, DINT,
BOOL, STRING, ARRAY, assignment, IF, CASE, WHILE, calls with named arguments, expressions.
Stricter than a PLC: a DINT that overflows, an index out of bounds and a value of the wrong type
each raise, so that nothing in the file relies on one maker's behaviour.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from lark import Lark, Token, Tree

Node: TypeAlias = Any
"""A lark tree, token or None; its shape is the grammar's business."""

KEYWORDS = (
    "IF THEN ELSIF ELSE END_IF WHILE DO END_WHILE CASE OF END_CASE AND OR NOT MOD TRUE FALSE "
    "STRUCT END_STRUCT TYPE END_TYPE VAR VAR_INPUT VAR_OUTPUT VAR_IN_OUT END_VAR FUNCTION "
    "END_FUNCTION FUNCTION_BLOCK END_FUNCTION_BLOCK"
)
GRAMMAR = r"""
start: (types | function | function_block)*

types: "TYPE"i (NAME ":" "STRUCT"i declaration* "END_STRUCT"i ";")* "END_TYPE"i
function: "FUNCTION"i NAME ":" type section* body "END_FUNCTION"i
function_block: "FUNCTION_BLOCK"i NAME section* body "END_FUNCTION_BLOCK"i
section: SECTION declaration* "END_VAR"i
SECTION.2: /VAR_IN_OUT|VAR_INPUT|VAR_OUTPUT|VAR(?![A-Z_])/i
declaration: NAME ":" type [":=" expression] ";"
type: "STRING"i                                  -> string
    | "ARRAY"i "[" INT ".." INT "]" "OF"i type  -> array
    | NAME                                       -> named

body: statement*
?statement: ";"                                                  -> nothing
    | place ":=" expression ";"                                  -> assign
    | "IF"i expression "THEN"i body elsif* ["ELSE"i body] "END_IF"i ";"         -> if_
    | "WHILE"i expression "DO"i body "END_WHILE"i ";"                          -> while_
    | "CASE"i expression "OF"i branch* ["ELSE"i body] "END_CASE"i ";"           -> case
elsif: "ELSIF"i expression "THEN"i body
branch: INT ("," INT)* ":" body
place: NAME (member | index)*
member: "." NAME
index: "[" expression "]"

?expression: conjunction | expression "OR"i conjunction          -> or_
?conjunction: equality | conjunction "AND"i equality             -> and_
?equality: relation | equality "=" relation -> eq | equality "<>" relation -> ne
?relation: sum | relation "<" sum -> lt | relation "<=" sum -> le
    | relation ">" sum -> gt | relation ">=" sum -> ge
?sum: term | sum "+" term -> add | sum "-" term -> sub
?term: unary | term "MOD"i unary -> mod
?unary: atom | "NOT"i unary -> not_ | "-" unary -> neg
?atom: INT -> integer | "TRUE"i -> true | "FALSE"i -> false | call | place | "(" expression ")"
call: NAME "(" argument ("," argument)* ")"
argument: NAME ":=" expression

NAME: /(?!(?:KEYWORDS)\b)[A-Za-z_]\w*/i
INT: /\d+/
COMMENT: /\(\*(.|\n)*?\*\)/
%ignore COMMENT
%ignore /\s+/
""".replace("KEYWORDS", KEYWORDS.replace(" ", "|"))

DINT = range(-(2**31), 2**31)
LOOPS = 1000


class StructuredTextError(Exception):
    """The program did what no PLC defines."""


Make = Callable[[], Any]


@dataclass(frozen=True)
class Kind:
    """A data type: how to make one, and how to check what is put into it."""

    name: str
    make: Make
    check: Callable[[Any], Any]


@dataclass
class Record:
    """A STRUCT's or an ARRAY's value; assignment copies it, as the standard says."""

    cells: dict[Any, Any]
    kinds: dict[Any, Kind]

    def key(self, key: Any) -> Any:
        if key not in self.cells:
            raise StructuredTextError(f"no element {key}")
        return key

    def put(self, key: Any, value: Any) -> None:
        self.cells[key] = self.kinds[self.key(key)].check(value)


@dataclass
class Unit:
    """A FUNCTION or FUNCTION_BLOCK."""

    name: str
    body: Node
    variables: list[tuple[str, str, Kind, Any]] = field(default_factory=list)
    """Section, name, kind, initial value."""
    result: Kind | None = None


def _dint(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in DINT:
        raise StructuredTextError(f"{value!r} is no DINT")
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise StructuredTextError(f"{value!r} is no BOOL")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise StructuredTextError(f"{value!r} is no STRING")
    return value[:80]


def _record(kind: str) -> Callable[[Any], Record]:
    def check(value: Any) -> Record:
        if not isinstance(value, Record):
            raise StructuredTextError(f"{value!r} is no {kind}")
        return copy.deepcopy(value)

    return check


class Program:
    """A parsed file. Names are case-insensitive, as in the standard."""

    def __init__(self, text: str) -> None:
        tree = Lark(GRAMMAR, parser="lalr").parse(text)
        self.kinds: dict[str, Kind] = {
            "DINT": Kind("DINT", int, _dint),
            "BOOL": Kind("BOOL", bool, _bool),
        }
        self.units: dict[str, Unit] = {}
        for part in tree.children:
            assert isinstance(part, Tree)
            if part.data == "types":
                self._types(part.children)
            else:
                self._unit(part)

    @classmethod
    def load(cls, file: Path) -> Program:
        return cls(file.read_text(encoding="utf-8"))

    def instance(self, name: str) -> Instance:
        return Instance(self, self.units[name.upper()])

    def _types(self, children: list[Node]) -> None:
        name = ""
        members: dict[str, list[Node]] = {}
        for child in children:
            if isinstance(child, Token):
                name = child.upper()
                members[name] = []
            else:
                members[name].append(child)
        for name, declarations in members.items():
            self.kinds[name] = self._struct(name, [self._declaration(d) for d in declarations])

    def _struct(self, name: str, members: list[tuple[str, Kind, Any]]) -> Kind:
        def make() -> Record:
            kinds = {member: kind for member, kind, _ in members}
            return Record({m: _initial(kind, value) for m, kind, value in members}, kinds)

        return Kind(name, make, _record(name))

    def _declaration(self, tree: Node) -> tuple[str, Kind, Any]:
        name, kind, initial = tree.children
        return name.upper(), self._kind(kind), _literal(initial)

    def _kind(self, tree: Node) -> Kind:
        if tree.data == "string":
            return Kind("STRING", str, _string)
        if tree.data == "named":
            name = tree.children[0].upper()
            if name not in self.kinds:
                raise StructuredTextError(f"unknown type {name}")
            return self.kinds[name]
        low, high, element = int(tree.children[0]), int(tree.children[1]), tree.children[2]
        kind = self._kind(element)

        def make() -> Record:
            places = range(low, high + 1)
            return Record({i: kind.make() for i in places}, dict.fromkeys(places, kind))

        return Kind("ARRAY", make, _record("ARRAY"))

    def _unit(self, tree: Node) -> None:
        name, *rest = tree.children
        unit = Unit(name.upper(), rest[-1])
        for part in rest[:-1]:
            if part.data == "section":
                section, *declarations = part.children
                unit.variables += [
                    (section.upper(), *self._declaration(each)) for each in declarations
                ]
            else:
                unit.result = self._kind(part)
        self.units[unit.name] = unit


def _initial(kind: Kind, value: Any) -> Any:
    return kind.make() if value is None else kind.check(value)


def _literal(tree: Node) -> Any:
    return None if tree is None else Frame({}, {}, {}).value(tree)


class Instance:
    """A function block with its memory. ``inputs`` and ``outputs`` go by name."""

    def __init__(self, program: Program, unit: Unit) -> None:
        self._program = program
        self._unit = unit
        self.memory = {name: _initial(kind, value) for _, name, kind, value in unit.variables}

    def scan(self, **inputs: Any) -> None:
        """Set inputs and run the body once. What is not given keeps its value."""
        names = {name: section for section, name, _, _ in self._unit.variables}
        for name, value in inputs.items():
            if names[name.upper()] != "VAR_INPUT":
                raise StructuredTextError(f"{name} is no input")
            self.memory[name.upper()] = value
        kinds = {name: kind for _, name, kind, _ in self._unit.variables}
        Frame(self.memory, kinds, self._program.units).run(self._unit.body)

    def __getitem__(self, path: str) -> Any:
        value: Any = self.memory
        for name in path.upper().split("."):
            value = (value if isinstance(value, dict) else value.cells)[name]
        return list(value.cells.values()) if isinstance(value, Record) else value

    def __setitem__(self, path: str, value: Any) -> None:
        *above, name = path.upper().split(".")
        record: Any = self.memory[above[0]]
        for step in above[1:]:
            record = record.cells[step]
        record.put(name, value)


@dataclass
class Frame:
    """One run of a body over its variables."""

    memory: dict[str, Any]
    kinds: dict[str, Kind]
    units: dict[str, Unit]

    def run(self, body: Node) -> None:
        for statement in body.children:
            getattr(self, f"_{statement.data.rstrip('_')}")(*statement.children)

    # --- statements ---------------------------------------------------------------------------

    def _nothing(self) -> None:
        pass

    def _assign(self, place: Node, expression: Node) -> None:
        self._store(place, self.value(expression))

    def _if(self, condition: Node, then: Node, *rest: Node) -> None:
        *branches, otherwise = rest
        if _bool(self.value(condition)):
            self.run(then)
            return
        for branch in branches:
            if _bool(self.value(branch.children[0])):
                self.run(branch.children[1])
                return
        if otherwise is not None:
            self.run(otherwise)

    def _while(self, condition: Node, body: Node) -> None:
        for _ in range(LOOPS):
            if not _bool(self.value(condition)):
                return
            self.run(body)
        raise StructuredTextError("a loop that would trip the PLC's watchdog")

    def _case(self, selector: Node, *rest: Node) -> None:
        *branches, otherwise = rest
        value = _dint(self.value(selector))
        for branch in branches:
            *labels, body = branch.children
            if value in [int(label) for label in labels]:
                self.run(body)
                return
        if otherwise is not None:
            self.run(otherwise)

    # --- places -------------------------------------------------------------------------------

    def _steps(self, place: Node) -> Iterator[Any]:
        for step in place.children[1:]:
            inner = step.children[0]
            yield inner.upper() if step.data == "member" else _dint(self.value(inner))

    def _store(self, place: Node, value: Any) -> None:
        name = place.children[0].upper()
        *above, last = [None, *self._steps(place)]
        if last is None:
            self.memory[name] = self.kinds[name].check(value)
            return
        record = self.memory[name]
        for step in above[1:]:
            record = record.cells[record.key(step)]
        record.put(last, value)

    def _load(self, place: Node) -> Any:
        name = place.children[0].upper()
        if name not in self.memory:
            raise StructuredTextError(f"unknown variable {name}")
        value = self.memory[name]
        for step in self._steps(place):
            value = value.cells[value.key(step)]
        return value

    # --- expressions --------------------------------------------------------------------------

    def value(self, tree: Node) -> Any:
        match tree.data:
            case "integer":
                return _dint(int(tree.children[0]))
            case "true" | "false":
                return tree.data == "true"
            case "place":
                return self._load(tree)
            case "call":
                return self._call(*tree.children)
            case "not_":
                return not _bool(self.value(tree.children[0]))
            case "neg":
                return _dint(-self.value(tree.children[0]))
            case operator:
                left, right = (self.value(child) for child in tree.children)
                return _binary(operator, left, right)

    def _call(self, name: Token, *arguments: Node) -> Any:
        unit = self.units[name.upper()]
        given = {a.children[0].upper(): a.children[1] for a in arguments}
        memory: dict[str, Any] = {}
        for section, variable, kind, initial in unit.variables:
            if section == "VAR_IN_OUT":
                memory[variable] = self._load(given.pop(variable))
            elif section == "VAR_INPUT":
                memory[variable] = kind.check(self.value(given.pop(variable)))
            else:
                memory[variable] = _initial(kind, initial)
        if given:
            raise StructuredTextError(f"{name} has no {', '.join(given)}")
        kinds = {variable: kind for _, variable, kind, _ in unit.variables}
        assert unit.result is not None
        kinds[unit.name] = unit.result
        memory[unit.name] = unit.result.make()
        Frame(memory, kinds, self.units).run(unit.body)
        return memory[unit.name]


def _binary(operator: str, left: Any, right: Any) -> Any:
    if operator in ("and_", "or_"):
        left, right = _bool(left), _bool(right)
        return (left and right) if operator == "and_" else (left or right)
    if type(left) is not type(right):
        raise StructuredTextError(f"{left!r} and {right!r} do not go together")
    return _OPERATORS[operator](left, right)


def _remainder(left: int, right: int) -> int:
    if left < 0 or right <= 0:
        raise StructuredTextError("MOD of negative numbers differs between PLCs")
    return left % right


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "add": lambda a, b: _dint(a + b),
    "sub": lambda a, b: _dint(a - b),
    "mod": _remainder,
}
