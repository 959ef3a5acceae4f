"""The topic ``instantActions`` of VDA 5050 3.0.0, as its JSON schema has it."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from millhand_vda5050.wire.base import Anything, Timestamp, Wire


class ActionParameter(Wire, frozen=True, kw_only=True):
    """``instantActions.actions[].actionParameters[]``."""

    key: str
    value: Anything


class Action(Wire, frozen=True, kw_only=True):
    """``instantActions.actions[]``."""

    action_type: str
    action_id: str
    action_descriptor: str | UnsetType = UNSET
    blocking_type: Literal["NONE"]
    action_parameters: list[ActionParameter] | UnsetType = UNSET


class InstantActions(Wire, frozen=True, kw_only=True):
    """``instantActions``."""

    header_id: int
    timestamp: Timestamp
    version: str
    manufacturer: str
    serial_number: str
    actions: list[Action]
