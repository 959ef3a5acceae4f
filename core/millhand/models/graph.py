"""What an ONNX file says of itself, read before any run time sees it.

The core has no ONNX library and needs none: a few facts are enough to refuse a truncated
file, one that reads other files (external data), and one that is not what its manifest says.
Field numbers are those of ``onnx.proto3`` (ONNX IR version 13 and before).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from math import prod

from millhand.errors import PackageError
from millhand.messages import tr
from millhand.models.manifest import GraphFile, Manifest, TensorSpec
from millhand.models.protobuf import Malformed, fields, message, numbers, signed, text

DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
}
"""ONNX element types that a manifest can name."""

_NESTING_LIMIT = 16
_NODE_LIMIT = 100_000
_RANK_LIMIT = 64
_EXTERNAL = 1


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """An input or output as the graph declares it; ``shape`` is None where it declares none."""

    name: str
    dtype: str
    shape: tuple[int | str, ...] | None


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """What a graph declares.

    ``opset`` is that of the standard operators, 0 where none is declared; ``parameters`` counts
    the elements of all initialisers; ``operators`` are ``(domain, name)`` pairs.
    """

    opset: int
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    parameters: int
    operators: frozenset[tuple[str, str]]


@dataclass(slots=True)
class _Reader:
    opset: int = 0
    graphs: int = 0
    nodes: int = 0
    parameters: int = 0
    inputs: list[TensorFacts] = field(default_factory=list)
    outputs: list[TensorFacts] = field(default_factory=list)
    initialisers: set[str] = field(default_factory=set)
    operators: set[tuple[str, str]] = field(default_factory=set)

    def model(self, data: memoryview) -> None:
        for number, _, value in fields(data):
            if number == 7:
                self.graphs += 1
                self.graph(message(value), depth=0)
            elif number == 8:
                self.operator_set(message(value))
            elif number == 20:
                raise _Refused("graph", tr("it carries training information"))
            elif number == 25:
                self.function(message(value))
        if self.graphs != 1:
            raise _Refused("graph", tr("it holds {count} graphs, not one", count=self.graphs))
        if not self.outputs:
            raise _Refused("graph", tr("it has no outputs"))

    def operator_set(self, data: memoryview) -> None:
        domain, version = "", 0
        for number, wire, value in fields(data):
            if number == 1:
                domain = text(value)
            elif number == 2:
                version = next(numbers(wire, value), 0)
        if domain in {"", "ai.onnx"}:
            self.opset = version

    def graph(self, data: memoryview, depth: int) -> None:
        if depth > _NESTING_LIMIT:
            raise _Refused("graph", tr("its graphs are nested too deeply"))
        for number, _, value in fields(data):
            if number == 1:
                self.node(message(value), depth)
            elif number == 5:
                self.initialiser(message(value), outermost=depth == 0)
            elif number == 15:
                self.sparse(message(value))
            elif depth == 0 and number == 11:
                self.inputs.append(_value_info(message(value)))
            elif depth == 0 and number == 12:
                self.outputs.append(_value_info(message(value)))

    def function(self, data: memoryview) -> None:
        for number, _, value in fields(data):
            if number == 7:
                self.node(message(value), depth=1)
            elif number == 11:
                self.attribute(message(value), depth=1)

    def node(self, data: memoryview, depth: int) -> None:
        self.nodes += 1
        if self.nodes > _NODE_LIMIT:
            raise _Refused("graph", tr("it has more than {limit} nodes", limit=_NODE_LIMIT))
        domain, operator = "", ""
        for number, _, value in fields(data):
            if number == 4:
                operator = text(value)
            elif number == 5:
                self.attribute(message(value), depth)
            elif number == 7:
                domain = text(value)
        self.operators.add((domain, operator))

    def attribute(self, data: memoryview, depth: int) -> None:
        for number, _, value in fields(data):
            if number in {5, 10}:
                _tensor(message(value))
            elif number in {6, 11}:
                self.graph(message(value), depth + 1)
            elif number in {22, 23}:
                self.sparse(message(value))

    def initialiser(self, data: memoryview, *, outermost: bool) -> None:
        name, size = _tensor(data)
        self.parameters += size
        if outermost:
            self.initialisers.add(name)

    def sparse(self, data: memoryview) -> None:
        for number, _, value in fields(data):
            if number in {1, 2}:
                _tensor(message(value))


class _Refused(Exception):
    def __init__(self, fault: str, why: str) -> None:
        super().__init__(why)
        self.fault = fault


def _tensor(data: memoryview) -> tuple[str, int]:
    """Return a tensor's name and its number of elements; refuse data outside the file."""
    name = ""
    dims: list[int] = []
    for number, wire, value in fields(data):
        if number == 1:
            dims.extend(islice(numbers(wire, value), _RANK_LIMIT + 1))
            if len(dims) > _RANK_LIMIT:
                raise _Refused("graph", tr("a tensor has too many dimensions"))
        elif number == 8:
            name = text(value)
        elif number == 13 or (number == 14 and _EXTERNAL in numbers(wire, value)):
            raise _Refused("external", tr("it reads its weights from another file"))
    return name, prod(dims)


def _value_info(data: memoryview) -> TensorFacts:
    name, dtype, shape = "", "none", None
    for number, _, value in fields(data):
        if number == 1:
            name = text(value)
        elif number == 2:
            for kind, _, body in fields(message(value)):
                if kind == 1:
                    dtype, shape = _tensor_type(message(body))
    return TensorFacts(name, dtype, shape)


def _tensor_type(data: memoryview) -> tuple[str, tuple[int | str, ...] | None]:
    dtype, shape = "none", None
    for number, wire, value in fields(data):
        if number == 1:
            code = next(numbers(wire, value), 0)
            dtype = DTYPES.get(code, f"onnx type {code}")
        elif number == 2:
            shape = tuple(
                _dimension(message(dim), axis)
                for axis, (kind, _, dim) in enumerate(fields(message(value)))
                if kind == 1
            )
    return dtype, shape


def _dimension(data: memoryview, axis: int) -> int | str:
    for number, wire, value in fields(data):
        if number == 1:
            size = signed(next(numbers(wire, value), 0))
            return size if size >= 0 else f"axis{axis}"
        if number == 2:
            return text(value) or f"axis{axis}"
    return f"axis{axis}"


def read_facts(data: bytes | memoryview, name: str) -> GraphFacts:
    """Read what the ONNX bytes ``data`` declare; ``name`` is for messages.

    Raises:
        PackageError: ``graph`` where the bytes are damaged or no ONNX graph, ``external``
            where weights lie in another file.
    """
    reader = _Reader()
    try:
        reader.model(memoryview(data))
    except Malformed as error:
        raise PackageError(
            tr("{name} is not a whole ONNX graph: {why}.", name=name, why=error),
            fault="graph",
            mend=tr("Copy the package again from where it was made."),
        ) from error
    except _Refused as error:
        raise PackageError(
            tr("{name} is refused: {why}.", name=name, why=error),
            fault=error.fault,
            mend=tr("Export the graph again as one self-contained file."),
        ) from error
    return GraphFacts(
        opset=reader.opset,
        inputs=tuple(x for x in reader.inputs if x.name not in reader.initialisers),
        outputs=tuple(reader.outputs),
        parameters=reader.parameters,
        operators=frozenset(reader.operators),
    )


def check_facts(facts: GraphFacts, graph: GraphFile, manifest: Manifest) -> None:
    """Compare what a graph declares with what its manifest says.

    Raises:
        PackageError: ``opset``, ``shape`` or ``graph`` (number of parameters).
    """
    if facts.opset != graph.opset:
        raise _mismatch("opset", graph.path, "opset", str(graph.opset), str(facts.opset))
    _check_tensors(manifest.inputs, facts.inputs, graph.path, tr("inputs"))
    _check_tensors(manifest.outputs, facts.outputs, graph.path, tr("outputs"))
    if facts.parameters != graph.parameters:
        raise _mismatch(
            "graph", graph.path, tr("parameters"), str(graph.parameters), str(facts.parameters)
        )


def _check_tensors(
    specs: tuple[TensorSpec, ...], found: tuple[TensorFacts, ...], path: str, side: str
) -> None:
    by_name = {tensor.name: tensor for tensor in found}
    if set(by_name) != {spec.name for spec in specs}:
        stated = ", ".join(sorted(spec.name for spec in specs))
        raise _mismatch("shape", path, side, stated, ", ".join(sorted(by_name)))
    for spec in specs:
        tensor = by_name[spec.name]
        if tensor.dtype != spec.dtype:
            raise _mismatch("shape", path, spec.name, spec.dtype, tensor.dtype)
        if tensor.shape is not None and not _narrows(spec.shape, tensor.shape):
            raise _mismatch("shape", path, spec.name, str(spec.shape), str(tensor.shape))


def _narrows(stated: tuple[int | str, ...], declared: tuple[int | str, ...]) -> bool:
    """A manifest may fix a dimension that the graph leaves free, never the other way round."""
    return len(stated) == len(declared) and all(
        isinstance(theirs, str) or ours == theirs
        for ours, theirs in zip(stated, declared, strict=True)
    )


def _mismatch(fault: str, path: str, what: str, stated: str, found: str) -> PackageError:
    return PackageError(
        tr(
            "{path} does not match its manifest: {what} should be {stated} but is {found}.",
            path=path,
            what=what,
            stated=stated,
            found=found,
        ),
        fault=fault,
        mend=tr("Build the package again; manifest and graph are not of one make."),
    )
