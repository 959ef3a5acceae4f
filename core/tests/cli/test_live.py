"""The live view draws what the snapshot says, on a terminal and in a pipe."""

import asyncio
import io

from rich.console import Console

from millhand.cli.live import LiveView, shown
from millhand.cli.output import THEME
from millhand.contracts.adapters import Link
from millhand.contracts.decision import Disposition, Verdict
from millhand.contracts.modes import Mode
from millhand.engine.snapshot import DeviceState, EngineSnapshot, LastDecision


def snapshot(**changed) -> EngineSnapshot:
    whole = {
        "scenario": "casting-cell",
        "started_utc_ns": 1,
        "parts_triggered": 13,
        "parts_done": 12,
        "queued": 2,
        "current_part": "IMP-000013",
        "product": "impeller",
        "dispositions": {"pass": 9, "reject": 2, "divert": 1},
        "last": LastDecision(
            id="c.1.12",
            agent="inspector",
            part_id="IMP-000012",
            verdict=Verdict.NOT_OK,
            disposition=Disposition.REJECT,
            reason="Score 2 is above 1.",
            latency_ms=18.44,
        ),
        "latency_p50_ms": 17.0,
        "latency_p99_ms": 31.5,
        "modes": {"inspector": Mode.CONTROL},
        "devices": {
            "plc": DeviceState(link=Link.UP),
            "camera": DeviceState(link=Link.DOWN, detail="no route"),
        },
        "alarms": ("camera is [bold]away[/bold]",),
    }
    return EngineSnapshot(**{**whole, **changed})


def drawn(view: LiveView, *snapshots: EngineSnapshot, colour: bool = False) -> str:
    out = io.StringIO()
    system = "standard" if colour else None
    console = Console(file=out, width=100, theme=THEME, force_terminal=colour, color_system=system)
    for one in snapshots[:-1]:
        view.render(one)
    console.print(view.render(snapshots[-1]))
    return out.getvalue()


def test_shows_all_that_a_person_watches_for():
    text = drawn(LiveView(total=60), snapshot())
    for said in (
        "casting-cell",
        "12 / 60",
        "IMP-000013  impeller  2 waiting",
        "IMP-000012  not OK  rejected  18.4 ms  Score 2 is above 1.",
        "9 passed   2 rejected   1 diverted",
        "17.0 ms p50, 31.5 ms p99",
        "inspector: control",
        "plc: up",
        "camera: away (no route)",
        "camera is [bold]away[/bold]",
    ):
        assert said in text, said


def test_the_strip_has_a_block_for_every_part_in_its_colour():
    view = LiveView()
    text = drawn(
        view,
        snapshot(dispositions={"pass": 1}),
        snapshot(dispositions={"pass": 1, "reject": 1}),
        snapshot(dispositions={"pass": 3, "reject": 1}),
        colour=True,
    )
    (line,) = [line for line in text.splitlines() if "▪" in line]
    green, red = "\x1b[32m", "\x1b[1;31m"
    order = [piece[: piece.index("▪")] for piece in line.split("\x1b[0m") if "▪" in piece]
    counts = [piece.count("▪") for piece in line.split("\x1b[0m") if "▪" in piece]
    colours = [green if green in piece else red for piece in order]
    flat = [colour for colour, count in zip(colours, counts, strict=True) for _ in range(count)]
    assert flat == [green, red, green, green]


def test_an_engine_that_has_done_nothing_yet_is_shown_too():
    empty = EngineSnapshot(scenario="cell", started_utc_ns=1)
    assert "cell" in drawn(LiveView(), empty)
    assert LiveView().line(empty) == "0 parts"


def test_a_pipe_gets_a_line():
    line = LiveView().line(snapshot())
    assert line.startswith("12 parts, passed 9, rejected 2, diverted 1, p50 17.0 ms")
    assert "\n" not in line


async def test_a_terminal_is_redrawn_while_the_block_runs_and_left_in_order():
    out = io.StringIO()
    console = Console(file=out, width=100, theme=THEME, force_terminal=True)
    taken = 0

    def take() -> EngineSnapshot:
        nonlocal taken
        taken += 1
        return snapshot(parts_done=taken)

    async with shown(LiveView(total=9), take, console):
        async with asyncio.timeout(10):
            while taken < 3:
                await asyncio.sleep(0)
    assert f"{taken} / 9" in out.getvalue()
    assert out.getvalue().rstrip("\n").endswith("\x1b[?25h"), "the cursor is back"
