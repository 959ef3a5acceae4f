"""A plan as a picture: one self-contained SVG, before and after on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from html import escape

from millhand.messages import tr
from millhand_logistics.schedule.from_shop import Floor
from millhand_logistics.schedule.simulate import Plan

_LEFT, _WIDTH, _ROW, _TOP = 120, 1000, 26, 44
_STYLE = """
text{font:12px system-ui,sans-serif;fill:#222}.t{font-size:11px;fill:#666}.h{font-weight:600}
.off{fill:#00000012}.g{stroke:#0002}.n{stroke:#c22;stroke-width:1.5}.s{fill:#888}
.m{stroke:#111;stroke-width:2}.b text{fill:#fff;font-size:10px}
"""
_STEPS_H = (1, 2, 4, 8, 12, 24, 48, 168, 336, 672)


def gantt(
    floor: Floor,
    plans: Sequence[tuple[str, Plan]],
    zone: tzinfo,
    moved: frozenset[int] = frozenset(),
) -> str:
    """Draw plans below each other, on one scale of time.

    Args:
        floor: what the plans are of.
        plans: heading and plan.
        zone: of the times that are written.
        moved: operations to draw with a border.
    """
    first = min(floor.now, *(int(plan.start.min()) for _, plan in plans))
    last = max(int(plan.end.max()) for _, plan in plans)
    scale = _WIDTH / max(last - first, 1)
    height = len(plans) * (_TOP + _ROW * len(floor.machines) + 8)
    box = f"0 0 {_LEFT + _WIDTH + 20} {height}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img">'
    parts = [f"{head}<style>{_STYLE}</style>"]
    for number, (heading, plan) in enumerate(plans):
        y = number * (_TOP + _ROW * len(floor.machines) + 8)
        parts.append(f'<text x="4" y="{y + 16}" class="h">{escape(heading)}</text>')
        parts += _scale(floor, zone, first, last, scale, y)
        parts += _rows(floor, first, last, scale, y)
        parts += _bars(floor, plan, first, scale, y, moved)
    return "".join([*parts, "</svg>"])


def _scale(floor: Floor, zone: tzinfo, first: int, last: int, scale: float, y: int) -> list[str]:
    begin, end = floor.moment(first).astimezone(zone), floor.moment(last).astimezone(zone)
    hours = (end - begin).total_seconds() / 3600
    step = next((s for s in _STEPS_H if hours / s <= 14), _STEPS_H[-1])
    bottom = y + _TOP + _ROW * len(floor.machines)
    found = []
    at = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    while at <= end:
        x = _x(floor, at, first, scale)
        if x >= _LEFT:
            form = "%a %d.%m." if step >= 24 or at.hour == 0 else "%H:%M"
            found.append(f'<path d="M{x:.1f} {y + _TOP - 8}V{bottom}" class="g"/>')
            found.append(f'<text x="{x + 2:.1f}" y="{y + _TOP - 10}" class="t">{at:{form}}</text>')
        at += timedelta(hours=step)
    x = _LEFT + (floor.now - first) * scale
    found.append(f'<path d="M{x:.1f} {y + _TOP - 8}V{bottom}" class="n"/>')
    return found


def _x(floor: Floor, at: datetime, first: int, scale: float) -> float:
    ticks = (at - floor.origin).total_seconds() / floor.tick_s
    return _LEFT + (ticks - first) * scale


def _rows(floor: Floor, first: int, last: int, scale: float, y: int) -> list[str]:
    """Draw the machines' names, and grey where they do not work."""
    found = []
    for m, machine in enumerate(floor.problem.machines):
        top = y + _TOP + m * _ROW
        found.append(f'<text x="4" y="{top + 17}">{escape(machine.name)}</text>')
        if not machine.intervals:
            continue
        edges = [first, *(t for span in machine.intervals for t in span), last]
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            begin, end = max(begin, first), min(end, last)
            if begin < end:
                x, width = _LEFT + (begin - first) * scale, (end - begin) * scale
                found.append(
                    f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{_ROW}" class="off"/>'
                )
    return found


def _bars(
    floor: Floor, plan: Plan, first: int, scale: float, y: int, moved: frozenset[int]
) -> list[str]:
    found = ['<g class="b">']
    for i, (order, operation) in enumerate(floor.keys):
        top = y + _TOP + int(plan.machine[i]) * _ROW
        if plan.setup_end[i] > plan.setup_start[i]:
            x = _LEFT + (int(plan.setup_start[i]) - first) * scale
            width = (int(plan.setup_end[i]) - int(plan.setup_start[i])) * scale
            found.append(
                f'<rect x="{x:.1f}" y="{top + 9}" width="{width:.1f}" height="8" class="s"/>'
            )
        x = _LEFT + (int(plan.start[i]) - first) * scale
        width = max((int(plan.end[i]) - int(plan.start[i])) * scale, 1)
        label = f"{order}/{operation}"
        span = (
            f"{floor.moment(int(plan.start[i])):%Y-%m-%d %H:%M} – "
            f"{floor.moment(int(plan.end[i])):%Y-%m-%d %H:%M} UTC"
        )
        border = ' class="m"' if i in moved else ""
        found.append(
            f'<g><title>{escape(label)}: {span}</title><rect x="{x:.1f}" y="{top + 3}" '
            f'width="{width:.1f}" height="{_ROW - 6}" rx="2" fill="{_colour(order)}"{border}/>'
        )
        if width > 7 * len(label):
            found.append(f'<text x="{x + 3:.1f}" y="{top + 17}">{escape(label)}</text>')
        found.append("</g>")
    return [*found, "</g>"]


def _colour(order: str) -> str:
    """Give each order a colour of its own, the same in every picture."""
    digest = sha256(order.encode()).digest()
    return f"hsl({int.from_bytes(digest[:2]) % 360} {45 + digest[2] % 30}% {36 + digest[3] % 14}%)"


def before_and_after(floor: Floor, before: Plan, after: Plan, zone: tzinfo) -> str:
    """Draw a plan before and after, with a border around what runs elsewhere or at another time."""
    moved = frozenset(
        i
        for i in range(len(floor.keys))
        if before.start[i] != after.start[i] or before.machine[i] != after.machine[i]
    )
    return gantt(floor, [(tr("before"), before), (tr("after"), after)], zone, moved)
