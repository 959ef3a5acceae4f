"""List what a server offers, for people who write scenarios."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds

from millhand.contracts import TagInfo
from millhand_opcua.addresses import standard_node
from millhand_opcua.config import OpcUaTag
from millhand_opcua.session import Session
from millhand_opcua.variables import Variable, describe

_NODES_AT_MOST = 100_000
_STANDARD = "http://opcfoundation.org/UA/"
_KINDS = {
    ua.NodeIdType.TwoByte: "i",
    ua.NodeIdType.FourByte: "i",
    ua.NodeIdType.Numeric: "i",
    ua.NodeIdType.String: "s",
    ua.NodeIdType.Guid: "g",
    ua.NodeIdType.ByteString: "b",
}


async def browse(session: Session, namespace: str) -> Sequence[TagInfo]:
    """Walk the Objects folder and describe the variables in ``namespace``, or all if empty.

    Raises:
        LinkLost: no answer.
        Fault: the server refuses to be browsed.
    """
    found, units = await _walk(session, namespace)
    variables = [Variable(_address(session, node, namespace), _PLACEHOLDER, node) for node in found]
    await describe(session, variables)
    descriptions = await _texts(session, [(node, AttributeIds.Description) for node in found])
    unit_of = dict(
        zip(
            units,
            await _texts(session, [(node, AttributeIds.Value) for node in units.values()]),
            strict=True,
        )
    )
    return [
        TagInfo(
            address=variable.name,
            type=variable.type_name,
            writable=variable.writable,
            description=description,
            unit=unit_of.get(variable.node_id, ""),
        )
        for variable, description in zip(variables, descriptions, strict=True)
        if variable.kind
    ]


_PLACEHOLDER = OpcUaTag(node="i=0")


async def _walk(
    session: Session, namespace: str
) -> tuple[list[ua.NodeId], dict[ua.NodeId, ua.NodeId]]:
    """Return the variables found, and for each that has one the node of its engineering unit."""
    found: list[ua.NodeId] = []
    units: dict[ua.NodeId, ua.NodeId] = {}
    seen = {standard_node(ObjectIds.Server)}
    level = [standard_node(ObjectIds.ObjectsFolder)]
    while level and len(seen) < _NODES_AT_MOST:
        deeper = []
        for parent, result in zip(level, await _children(session, level), strict=True):
            for reference in result.References:
                node = reference.NodeId
                if reference.BrowseName.Name == "EngineeringUnits":
                    units[parent] = node
                if node in seen:
                    continue
                seen.add(node)
                deeper.append(node)
                if reference.NodeClass == ua.NodeClass.Variable and _wanted(
                    session, node, namespace
                ):
                    found.append(node)
        level = deeper
    return found, units


async def _children(session: Session, nodes: Sequence[ua.NodeId]) -> list[ua.BrowseResult]:
    return await session.browse(
        [
            ua.BrowseDescription(
                NodeId=node,
                BrowseDirection=ua.BrowseDirection.Forward,
                ReferenceTypeId=standard_node(ObjectIds.HierarchicalReferences),
                IncludeSubtypes=True,
                NodeClassMask=ua.NodeClass.Object | ua.NodeClass.Variable,
                ResultMask=ua.BrowseResultMask.All,
            )
            for node in nodes
        ]
    )


def _wanted(session: Session, node: ua.NodeId, namespace: str) -> bool:
    uri = _uri(session, node)
    return uri == namespace if namespace else uri != _STANDARD


def _uri(session: Session, node: ua.NodeId) -> str:
    index = node.NamespaceIndex
    return session.namespaces[index] if index < len(session.namespaces) else ""


def _address(session: Session, node: ua.NodeId, namespace: str) -> str:
    identifier: Any = node.Identifier
    if isinstance(identifier, bytes):
        identifier = base64.b64encode(identifier).decode("ascii")
    short = f"{_KINDS[node.NodeIdType]}={identifier}"
    uri = _uri(session, node)
    return short if uri == namespace else f"nsu={uri};{short}"


async def _texts(session: Session, wanted: list[tuple[ua.NodeId, AttributeIds]]) -> list[str]:
    """Read localised texts, or the short name in engineering units; "" where there is none."""
    texts = []
    for answer in await session.read_attributes(wanted):
        value = answer.Value.Value if answer.Value is not None else None
        if isinstance(value, ua.EUInformation):
            value = value.DisplayName
        texts.append((value.Text or "") if isinstance(value, ua.LocalizedText) else "")
    return texts
