"""What the server says about each tag: node id, type, rank, access. Asked once per session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from millhand.messages import tr
from millhand_opcua.addresses import Address
from millhand_opcua.config import OpcUaTag
from millhand_opcua.kinds import NAMES, NUMBERS
from millhand_opcua.status import words

if TYPE_CHECKING:
    from millhand_opcua.session import Session

_ATTRIBUTES = (
    AttributeIds.DataType,
    AttributeIds.ValueRank,
    AttributeIds.ArrayDimensions,
    AttributeIds.UserAccessLevel,
    AttributeIds.Value,
)
_CURRENT_WRITE = 0b10
_SUBTYPE_DEPTH = 16
_SCALAR_RANK = -1


@dataclass(slots=True)
class Variable:
    """A tag in one session with the server."""

    name: str
    tag: OpcUaTag
    node_id: ua.NodeId
    kind: str = ""
    """Built-in type that the server stores, ``""`` while unknown."""
    rank: int = _SCALAR_RANK
    """OPC UA ValueRank: -1 scalar, 1 array, -2 either, …"""
    length: int = 0
    """Fixed length of the array, 0 if free."""
    writable: bool = True
    status: int = 0
    """Status with which the server refused to describe the node; 0 if it did."""
    mismatch: str = ""
    """Why the scenario's ``type`` cannot be met."""
    as_sent: bool = False
    """Whether values are handed on as the server sends them: no type to be held, no scale."""

    @property
    def is_array(self) -> bool:
        """Whether a list must be written."""
        return self.rank >= 0

    @property
    def trouble(self) -> str:
        """Why the tag cannot be used as the scenario says; empty if it can."""
        if self.status == StatusCodes.BadNodeIdUnknown:
            return tr("the server does not know {node}", node=self.tag.node)
        if self.status:
            return tr("{node}: {status}", node=self.tag.node, status=words(self.status))
        return self.mismatch

    @property
    def type_name(self) -> str:
        """Type as a scenario writes it."""
        return f"{self.kind}[]" if self.is_array else self.kind


def locate(
    tags: Mapping[str, OpcUaTag], namespace: str, namespaces: Sequence[str]
) -> dict[str, Variable]:
    """Give each tag its node id under the server's present namespace indexes.

    Raises:
        KeyError: a namespace that the server does not have.
    """
    index = {uri: position for position, uri in enumerate(namespaces)}
    located = {}
    for name, tag in tags.items():
        address = Address.parse(tag.node)
        node_id = address.node_id(index[address.uri or namespace])
        located[name] = Variable(name, tag, node_id)
    return located


async def describe(session: Session, variables: Iterable[Variable]) -> None:
    """Ask the server for type, rank, dimensions and access of all ``variables``."""
    wanted = list(variables)
    answers = await session.read_attributes(
        [(variable.node_id, attribute) for variable in wanted for attribute in _ATTRIBUTES]
    )
    step = len(_ATTRIBUTES)
    data_types = {}
    for position, variable in enumerate(wanted):
        data_type, *others = answers[position * step : (position + 1) * step]
        _note_shape(variable, data_type, *others)
        if variable.status == 0:
            data_types[variable.name] = _content(data_type)
    kinds = await _built_in_kinds(session, set(data_types.values()))
    for position, variable in enumerate(wanted):
        if variable.status == 0:
            present = answers[position * step + step - 1].Value
            stored = NAMES.get(int(present.VariantType.value), "") if present else ""
            variable.kind = kinds.get(data_types[variable.name], "") or stored
            _note_mismatch(variable)
            tag = variable.tag
            variable.as_sent = not (variable.mismatch or tag.type or tag.scaled)


def _note_shape(
    variable: Variable,
    data_type: ua.DataValue,
    rank: ua.DataValue,
    dimensions: ua.DataValue,
    access: ua.DataValue,
    _present: ua.DataValue,
) -> None:
    variable.status = data_type.StatusCode.value if data_type.StatusCode else 0
    if variable.status:
        return
    if (ranked := _content(rank)) is not None:
        variable.rank = int(ranked)
    lengths = _content(dimensions)
    variable.length = int(lengths[0]) if lengths and len(lengths) == 1 else 0
    if (allowed := _content(access)) is not None:
        variable.writable = bool(int(allowed) & _CURRENT_WRITE)


def _content(answer: ua.DataValue) -> Any:
    """Return what an attribute holds, or None where the server does not say."""
    good = answer.StatusCode is None or answer.StatusCode.is_good()
    return answer.Value.Value if good and answer.Value is not None else None


def _note_mismatch(variable: Variable) -> None:
    declared = variable.tag.type
    element = declared.removesuffix("[]")
    variable.mismatch = ""
    if declared and (
        (variable.kind and element != variable.kind)
        or _rank_contradicts(variable.rank, array=element != declared)
    ):
        variable.mismatch = tr(
            "declared as {declared}, the server has {actual}",
            declared=declared,
            actual=variable.type_name,
        )
    elif variable.tag.scaled and variable.kind and variable.kind not in NUMBERS:
        variable.mismatch = tr(
            "scale and offset need a number, the server has {actual}", actual=variable.type_name
        )


def _rank_contradicts(rank: int, *, array: bool) -> bool:
    if rank in {-2, -3}:
        return False
    return array != (rank >= 0)


async def _built_in_kinds(session: Session, data_types: set[ua.NodeId]) -> dict[ua.NodeId, str]:
    """Follow each DataType up to the built-in type that it is stored as."""
    at = {data_type: data_type for data_type in data_types}
    kinds: dict[ua.NodeId, str] = {}
    for _ in range(_SUBTYPE_DEPTH):
        for data_type, ancestor in list(at.items()):
            if ancestor.NamespaceIndex == 0 and ancestor.Identifier in _STORED_AS:
                kinds[data_type] = _STORED_AS[ancestor.Identifier]
                del at[data_type]
        if not at:
            break
        parents = await session.supertypes(list(set(at.values())))
        at = {data_type: parents[node] for data_type, node in at.items() if node in parents}
    return kinds


_STORED_AS: dict[Any, str] = {**NAMES, 29: "int32"}
"""Built-in types by node in namespace 0; an Enumeration (29) is stored as Int32."""
