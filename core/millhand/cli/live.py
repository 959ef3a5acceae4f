"""The live view of a running cell: what a terminal shows while parts pass."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rich.box import ROUNDED
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from millhand.console.words import word
from millhand.contracts.adapters import Link
from millhand.contracts.decision import Disposition
from millhand.engine.snapshot import EngineSnapshot, LastDecision
from millhand.messages import tr

_TICK_S = 0.125
_PLAIN_EVERY_S = 5.0
_STRIP = 60
_STYLES = {
    Disposition.PASS: "good",
    Disposition.PASS_FLAGGED: "unsure",
    Disposition.DIVERT: "unsure",
    Disposition.REJECT: "bad",
}
_BLOCK = "▪"


class LiveView:
    """Turns snapshots into what the terminal shows; remembers the last parts for the strip."""

    def __init__(self, total: int | None = None) -> None:
        self._total = total
        self._strip: deque[Disposition] = deque(maxlen=_STRIP)
        self._seen: dict[str, int] = {}

    def render(self, snapshot: EngineSnapshot) -> RenderableType:
        """Draw the view. Call it with each snapshot in turn."""
        self._note(snapshot)
        body = Table.grid(padding=(0, 2))
        body.add_column(style="quiet", no_wrap=True)
        body.add_column(ratio=1)
        body.add_row(tr("parts"), self._progress(snapshot))
        body.add_row(tr("now"), self._current(snapshot))
        body.add_row(tr("last"), _last(snapshot.last))
        body.add_row("", self._blocks())
        body.add_row(tr("so far"), _dispositions(snapshot))
        body.add_row(tr("time"), _times(snapshot))
        body.add_row(tr("agents"), _modes(snapshot))
        body.add_row(tr("devices"), _devices(snapshot))
        if snapshot.alarms:
            body.add_row(tr("alarms"), _alarms(snapshot))
        title = Text(snapshot.scenario, style="strong")
        return Panel(Group(body), title=title, title_align="left", box=ROUNDED, padding=(0, 1))

    def line(self, snapshot: EngineSnapshot) -> str:
        """Say the same in a line, for pipes and logs."""
        said = [tr("{count} parts", count=snapshot.parts_done)]
        said += [f"{word(name)} {count}" for name, count in snapshot.dispositions.items()]
        if snapshot.latency_p50_ms is not None:
            said.append(tr("p50 {ms} ms", ms=f"{snapshot.latency_p50_ms:.1f}"))
        said += [tr("alarm: {text}", text=text) for text in snapshot.alarms]
        return ", ".join(said)

    def _note(self, snapshot: EngineSnapshot) -> None:
        for name, count in snapshot.dispositions.items():
            new = count - self._seen.get(name, 0)
            self._strip.extend([Disposition(name)] * min(new, _STRIP))
            self._seen[name] = count

    def _progress(self, snapshot: EngineSnapshot) -> RenderableType:
        done = snapshot.parts_done
        if self._total is None:
            return Text(str(done), style="strong")
        row = Table.grid(padding=(0, 1))
        row.add_column(ratio=1)
        row.add_column(no_wrap=True, justify="right")
        bar = ProgressBar(total=self._total, completed=min(done, self._total), width=40)
        row.add_row(bar, Text(f"{done} / {self._total}"))
        return row

    def _current(self, snapshot: EngineSnapshot) -> Text:
        part = snapshot.current_part or "–"
        text = Text(part, style="strong")
        if snapshot.product:
            text.append(f"  {snapshot.product}", style="quiet")
        if snapshot.queued:
            text.append(tr("  {count} waiting", count=snapshot.queued), style="unsure")
        return text

    def _blocks(self) -> Text:
        text = Text(no_wrap=True, overflow="crop")
        for disposition in self._strip:
            text.append(_BLOCK, style=_STYLES[disposition])
        return text


@asynccontextmanager
async def shown(
    view: LiveView, snapshot: Callable[[], EngineSnapshot], console: Console
) -> AsyncIterator[None]:
    """Show a running engine while the block runs: live on a terminal, now and then in a pipe."""
    work = (
        _drawn(view, snapshot, console) if console.is_terminal else _said(view, snapshot, console)
    )
    task = asyncio.create_task(work, name="live-view")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _drawn(view: LiveView, snapshot: Callable[[], EngineSnapshot], console: Console) -> None:
    with Live(view.render(snapshot()), console=console, auto_refresh=False) as live:
        try:
            while True:
                live.update(view.render(snapshot()), refresh=True)
                await asyncio.sleep(_TICK_S)
        finally:
            live.update(view.render(snapshot()), refresh=True)


async def _said(view: LiveView, snapshot: Callable[[], EngineSnapshot], console: Console) -> None:
    while True:
        await asyncio.sleep(_PLAIN_EVERY_S)
        console.print(view.line(snapshot()), markup=False)


def _last(last: LastDecision | None) -> Text:
    if last is None:
        return Text("–", style="quiet")
    text = Text(f"{last.part_id}  ")
    if last.verdict is not None:
        text.append(word(last.verdict), style=_STYLES.get(last.disposition or Disposition.PASS, ""))
    if last.disposition is not None:
        text.append(f"  {word(last.disposition)}")
    if last.latency_ms is not None:
        text.append(f"  {last.latency_ms:.1f} ms", style="strong")
    if last.reason:
        text.append(f"  {last.reason}", style="quiet")
    return text


def _dispositions(snapshot: EngineSnapshot) -> Text:
    text = Text()
    for name, count in sorted(snapshot.dispositions.items(), key=lambda item: -item[1]):
        text.append(f"{count} ", style=_STYLES.get(Disposition(name), ""))
        text.append(f"{word(name)}   ")
    return text


def _times(snapshot: EngineSnapshot) -> Text:
    if snapshot.latency_p50_ms is None or snapshot.latency_p99_ms is None:
        return Text("–", style="quiet")
    return Text(
        tr(
            "trigger to accepted: {p50} ms p50, {p99} ms p99",
            p50=f"{snapshot.latency_p50_ms:.1f}",
            p99=f"{snapshot.latency_p99_ms:.1f}",
        )
    )


def _modes(snapshot: EngineSnapshot) -> Text:
    return Text("   ").join(
        Text(f"{agent}: {word(mode)}") for agent, mode in snapshot.modes.items()
    )


def _devices(snapshot: EngineSnapshot) -> Text:
    parts = []
    for name, device in snapshot.devices.items():
        text = Text(f"{name}: ")
        text.append(word(device.link), style="good" if device.link is Link.UP else "bad")
        if device.detail and device.link is not Link.UP:
            text.append(f" ({device.detail})", style="quiet")
        parts.append(text)
    return Text("   ").join(parts)


def _alarms(snapshot: EngineSnapshot) -> Text:
    return Text("\n").join(Text(text, style="bad") for text in snapshot.alarms[-3:])
