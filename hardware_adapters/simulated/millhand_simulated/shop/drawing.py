"""A shop's work so far as a picture: what each machine did, when it was down, what comes."""

from __future__ import annotations

from hashlib import sha256
from html import escape

from millhand.messages import tr
from millhand_simulated.shop.config import JobShopConfig
from millhand_simulated.shop.world import Run, World

_LEFT, _WIDTH, _ROW, _TOP = 96, 900, 24, 26
_STYLE = """
.gantt text{font:12px system-ui,sans-serif;fill:currentColor}.gantt .t{font-size:10px;opacity:.7}
.gantt .g{stroke:currentColor;opacity:.15}.gantt .d{fill:#c62f2f;opacity:.35}
.gantt .s{fill:currentColor;opacity:.35}.gantt .n{stroke:#c62f2f;stroke-width:1.5}
.gantt .b text{fill:#fff;font-size:10px}.gantt .l{stroke:#c62f2f;stroke-width:2}
.gantt rect.b{fill:#3f7f8c}
"""


def drawing(config: JobShopConfig, world: World, until: float) -> str:
    """Draw one shop as SVG, from its opening to ``until`` (seconds)."""
    names = list(config.shop.machines)
    scale, height = _WIDTH / max(until, 1.0), _TOP + _ROW * len(names) + 4
    box = f"0 0 {_LEFT + _WIDTH + 10} {height + _ROW}"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" class="gantt" viewBox="{box}" role="img">']
    parts.append(f"<style>{_STYLE}</style>")
    parts += _hours(until, scale, height)
    late = {order.id for order in world.orders.values() if _is_late(config, world, order.id)}
    for row, name in enumerate(names):
        top = _TOP + row * _ROW
        parts.append(f'<text x="2" y="{top + 16}">{escape(name)}</text>')
        parts += [
            _bar(begin, min(end, world.now), scale, top, _ROW, "d", tr("down"))
            for begin, end in world.down[name]
            if begin < world.now
        ]
        parts += [
            part
            for run in world.runs
            if run.machine == name
            for part in _run(run, world.now, scale, top, late=run.key[0] in late)
        ]
    x = _LEFT + world.now * scale
    if not world.finished:
        parts.append(f'<path d="M{x:.1f} {_TOP - 6}V{height}" class="n"/>')
    parts += _legend(height)
    return "".join([*parts, "</svg>"])


def _legend(top: int) -> list[str]:
    """Say what the marks mean; a colour is an order's."""
    said = (
        ("s", 10, tr("set-up")),
        ("d", 16, tr("machine down")),
        ("b", 16, tr("an operation, in its order's colour")),
        ("b l", 16, tr("its order is late")),
    )
    found, x = [], _LEFT
    for kind, height, words in said:
        mark = f'<rect x="{x}" y="{top + 12 - height // 2}" width="22" height="{height}" rx="2"'
        found.append(f'{mark} class="{kind}"/>')
        found.append(f'<text x="{x + 28}" y="{top + 16}" class="t">{escape(words)}</text>')
        x += 60 + 6 * len(words)
    return found


def _is_late(config: JobShopConfig, world: World, order: str) -> bool:
    found = world.orders[order]
    done = world.completion(found)
    if found.due is None:
        return False
    end = world.now if done is None else done
    return end > (found.due - config.shop.now).total_seconds()


def _hours(until: float, scale: float, height: int) -> list[str]:
    step = next((s for s in (1, 2, 4, 8, 24, 48) if until / 3600 / s <= 14), 96)
    found = []
    for hour in range(0, int(until // 3600) + 1, step):
        x = _LEFT + hour * 3600 * scale
        found.append(f'<path d="M{x:.1f} {_TOP - 6}V{height}" class="g"/>')
        found.append(f'<text x="{x + 2:.1f}" y="{_TOP - 10}" class="t">{hour} h</text>')
    return found


def _run(run: Run, now: float, scale: float, top: int, *, late: bool) -> list[str]:
    end = now if run.end is None else run.end
    order, operation = run.key
    label = f"{order}/{operation}"
    begin = min(run.begin, end)
    found = []
    if begin > run.setup_begin:
        found.append(_bar(run.setup_begin, begin, scale, top + 7, 10, "s", tr("set-up")))
    x, width = _LEFT + begin * scale, max((end - begin) * scale, 1.0)
    mark = ' class="l"' if late else ""
    found.append(
        f'<g class="b"><title>{escape(label)}: {begin / 3600:.2f} – {end / 3600:.2f} h</title>'
        f'<rect x="{x:.1f}" y="{top + 3}" width="{width:.1f}" height="{_ROW - 6}" rx="2" '
        f'fill="{_colour(order)}"{mark}/>'
    )
    if width > 6.5 * len(label):
        found.append(f'<text x="{x + 3:.1f}" y="{top + 16}">{escape(label)}</text>')
    return [*found, "</g>"]


def _bar(
    begin: float, end: float, scale: float, top: int, height: int, kind: str, title: str
) -> str:
    x, width = _LEFT + begin * scale, max((end - begin) * scale, 0.5)
    return (
        f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{height}" class="{kind}">'
        f"<title>{escape(title)}</title></rect>"
    )


def _colour(order: str) -> str:
    digest = sha256(order.encode()).digest()
    return f"hsl({int.from_bytes(digest[:2]) % 360} {45 + digest[2] % 30}% {36 + digest[3] % 14}%)"
