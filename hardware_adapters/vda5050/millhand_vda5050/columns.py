"""What of a vehicle can be read as a tag."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from millhand_vda5050.model import VehicleState
from millhand_vda5050.tracking import Track

Scalar = None | bool | int | float | str


class Column(NamedTuple):
    """A value that every vehicle has: its type, and where it comes from."""

    type: str
    description: str
    unit: str
    read: Callable[[Track, VehicleState], Scalar]


COLUMNS: dict[str, Column] = {
    "node": Column("string", "Last node passed.", "", lambda _, s: s.last_node),
    "sequence": Column("int64", "Its sequence id.", "", lambda _, s: s.last_sequence),
    "order": Column("string", "The order it has.", "", lambda _, s: s.order_id),
    "update": Column("int64", "That order's update id.", "", lambda _, s: s.update_id),
    "idle": Column("bool", "Nothing ahead, no action under way.", "", lambda _, s: s.idle),
    "driving": Column("bool", "Whether it moves.", "", lambda _, s: s.driving),
    "paused": Column("bool", "Whether it was told to pause.", "", lambda _, s: s.paused),
    "mode": Column("string", "Operating mode.", "", lambda _, s: s.mode.value),
    "charge": Column("double", "Charge of the battery.", "%", lambda _, s: s.charge_percent),
    "charging": Column("bool", "Whether it charges.", "", lambda _, s: s.charging),
    "base_left": Column(
        "int64",
        "Released nodes still ahead.",
        "",
        lambda _, s: sum(one.released for one in s.nodes),
    ),
    "loads": Column("string", "What it carries.", "", lambda _, s: ", ".join(s.loads)),
    "faults": Column(
        "string", "Errors it reports.", "", lambda _, s: "; ".join(one.kind for one in s.faults)
    ),
    "fatal": Column(
        "bool", "Whether an error stops it.", "", lambda _, s: any(one.stops for one in s.faults)
    ),
    "emergency": Column(
        "bool",
        "Emergency stop or protective field.",
        "",
        lambda _, s: s.emergency_stop or s.field_violation,
    ),
    "x": Column("double", "Position.", "m", lambda _, s: s.position.x if s.position else None),
    "y": Column("double", "Position.", "m", lambda _, s: s.position.y if s.position else None),
    "doubt": Column(
        "string", "Why it is not believed.", "", lambda t, _: "; ".join(t.doubts.values())
    ),
    "lost": Column("int64", "States that did not arrive.", "", lambda t, _: t.counter.lost),
    "repeated": Column(
        "int64",
        "States that came again or late.",
        "",
        lambda t, _: t.counter.repeated + t.counter.late,
    ),
    "malformed": Column("int64", "Messages against the schema.", "", lambda t, _: t.malformed),
}
"""By name. Two more exist for each vehicle that need no state: ``name`` and ``online``."""
ALWAYS = {"name": "string", "online": "bool"}


def value(track: Track, column: str, *, online: bool) -> Scalar:
    """Return one value of one vehicle; None where it has not said anything yet."""
    if column == "name":
        return track.name
    if column == "online":
        return online
    return None if track.state is None else COLUMNS[column].read(track, track.state)


def known(column: str) -> bool:
    """Whether there is such a value."""
    return column in COLUMNS or column in ALWAYS
