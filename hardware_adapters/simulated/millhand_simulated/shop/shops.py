"""All planners' shops under one clock: what they show, what they are told, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from html import escape

import msgspec

from millhand.contracts.plant import PlantOutcome
from millhand.messages import tr
from millhand_simulated.shop.config import JobShopConfig
from millhand_simulated.shop.drawing import drawing
from millhand_simulated.shop.fate import is_down
from millhand_simulated.shop.figures import Figures, figures
from millhand_simulated.shop.served import BOOK, DOWN, MACHINE, ORDERS, TRANSPORTS, UP
from millhand_simulated.shop.world import Key, World

_SLOW_MIN = 30.0
"""Minutes of waiting for a transport beyond which the engine, not the vehicles, was slow."""


class _Plan(msgspec.Struct):
    plan: str
    machines: dict[str, list[tuple[str, str, int]]]


class _Arrived(msgspec.Struct):
    delivered: list[str] = []
    refused: dict[str, str] = {}


class Shops:
    """One :class:`World` for each planner. They open together, once each has a plan."""

    def __init__(self, config: JobShopConfig) -> None:
        self._config = config
        self._worlds = {planner: World(config) for planner in config.planners}
        self._read: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._late_comers = sorted(config.rush, key=lambda rush: rush.at)
        self._came: list[dict[str, object]] = []
        self._absent: tuple[str, ...] = ()
        self.now = 0.0

    @property
    def open(self) -> bool:
        """Whether every planner has a plan."""
        return all(world.plans for name, world in self._worlds.items() if name not in self._absent)

    @property
    def finished(self) -> bool:
        """Whether every shop is through, and nothing more comes in."""
        return not self._late_comers and all(
            world.finished for name, world in self._worlds.items() if name not in self._absent
        )

    def give_up(self) -> None:
        """Go on without those who gave no plan."""
        self._absent = tuple(name for name, world in self._worlds.items() if not world.plans)
        if len(self._absent) == len(self._worlds):
            self._late_comers = []

    def read(self, plans: Mapping[str, str]) -> None:
        """Take the plans that are new; one that makes no sense is refused and the last kept."""
        for planner, text in plans.items():
            if not text or self._read.get(planner) == text:
                continue
            self._read[planner] = text
            try:
                plan = msgspec.json.decode(text, type=_Plan)
            except msgspec.DecodeError as error:
                self._refused[planner] = str(error)
                continue
            lists: dict[str, list[Key]] = {
                machine: [(order, operation) for order, operation, _ in rows]
                for machine, rows in plan.machines.items()
            }
            self._worlds[planner].take(lists)

    def told(self, arrived: Mapping[str, str]) -> None:
        """Hear of transports that are done or refused; what makes no sense is told in the notes."""
        for planner, text in arrived.items():
            if not text:
                continue
            try:
                found = msgspec.json.decode(text, type=_Arrived)
            except msgspec.DecodeError as error:
                self._refused[planner] = str(error)
                continue
            world = self._worlds[planner]
            for name in found.delivered:
                world.loads.arrive(name, self.now)
            for name, why in found.refused.items():
                world.loads.refuse(name, why)

    def advance(self, seconds: float) -> None:
        """Let time pass in all shops alike."""
        self.now += seconds
        while self._late_comers and self._late_comers[0].at <= self.now:
            rush = self._late_comers.pop(0)
            self._came.append(rush.order)
            for world in self._worlds.values():
                world.come_in(rush.read)
        for name, world in self._worlds.items():
            if name not in self._absent and not world.finished:
                world.advance(self.now)

    # --- what is shown ---

    def tags(self) -> dict[str, int | str]:
        """Return every tag's value."""
        any_world = next(iter(self._worlds.values()))
        found: dict[str, int | str] = {ORDERS: len(self._came)}
        for name, spans in any_world.down.items():
            found[f"{MACHINE}.{name}"] = DOWN if self.now and is_down(spans, self.now) else UP
        for planner, book in self.books().items():
            found[f"Shop.{planner}.{BOOK}"] = msgspec.json.encode(book).decode()
        for planner, world in self._worlds.items() if self._config.transports else ():
            rows = [(one.id, one.pick, one.drop) for one in world.loads.wanted.values()]
            text = msgspec.json.encode({"transports": rows}).decode()
            found[f"Shop.{planner}.{TRANSPORTS}"] = text
        return found

    def books(self) -> dict[str, dict[str, object]]:
        """Return what each planner's shop has written down of itself."""
        return {planner: self._book(world) for planner, world in self._worlds.items()}

    def _book(self, world: World) -> dict[str, object]:
        opened = self._config.shop.now
        base = int(opened.timestamp())
        return {
            "now": (opened + timedelta(seconds=int(self.now))).isoformat(),
            "progress": [
                (
                    *run.key,
                    run.machine,
                    base + int(run.begin),
                    None if run.end is None else base + int(run.end),
                )
                for run in world.runs
            ],
            "bound": world.bound(),
            "orders": self._came,
        }

    # --- what came of it ---

    def figures(self) -> list[Figures]:
        """Return the figures of every shop as they stand."""
        return [figures(self._config, name, world) for name, world in self._worlds.items()]

    def outcome(self) -> PlantOutcome:
        """Return figures and pictures for the report."""
        found, currency = self.figures(), self._config.currency
        transports = self._config.transports
        counted = [one for one in found if one.planner not in self._absent]
        if not counted:
            return PlantOutcome(headline=tr("No planner gave a plan: the shop never opened."))
        best = min(counted, key=lambda one: one.money)
        until = max(1.0, *(w.now for w in self._worlds.values()))
        return PlantOutcome(
            headline=tr(
                "{planner} ran the shop most cheaply: {money:,.0f} {currency}.",
                planner=best.planner,
                money=best.money,
                currency=currency,
            ),
            columns=(
                tr("planner"),
                tr("late orders"),
                tr("weighted lateness, h"),
                tr("makespan, h"),
                tr("utilisation, %"),
                tr("set-ups, h"),
                tr("moves"),
                tr("plans"),
                *((tr("transports"), tr("waited for each, min")) if transports else ()),
                currency,
            ),
            rows=tuple(
                _row(one, absent=one.planner in self._absent, transports=transports)
                for one in found
            ),
            pictures=tuple(
                (name, drawing(self._config, world, until)) for name, world in self._worlds.items()
            ),
            notes=tuple(
                tr("A plan of {planner} was refused: {why}", planner=planner, why=why)
                for planner, why in self._refused.items()
            )
            + tuple(
                tr(
                    "A transport of {planner} was refused: {name}: {why}",
                    planner=planner,
                    name=name,
                    why=why,
                )
                for planner, world in self._worlds.items()
                for name, why in world.loads.refused.items()
            )
            + _slow(counted),
        )

    def page(self) -> str:
        """Return a page that shows the shops as they are; it loads itself again while they work."""
        until = max(self.now * 1.15, 3600.0)
        again = "" if self.finished else '<meta http-equiv="refresh" content="1">'
        heading = escape(tr("Job shop, {hours:.1f} h after opening", hours=self.now / 3600))
        parts = [
            f'<!doctype html><meta charset="utf-8">{again}<title>{heading}</title>',
            '<body style="max-width:1060px;margin:20px auto;font:15px system-ui,sans-serif">',
            f"<h1>{heading}</h1>",
        ]
        for one in self.figures():
            said = tr(
                "{late} late, {hours:.1f} weighted hours; {moves} moves; {money:,.0f} {currency}",
                late=one.late_orders,
                hours=one.weighted_tardiness_h,
                moves=one.moves,
                money=one.money,
                currency=self._config.currency,
            )
            parts.append(f"<h2>{escape(one.planner)}</h2><p>{escape(said)}</p>")
            parts.append(drawing(self._config, self._worlds[one.planner], until))
        return "".join(parts)


def _slow(found: list[Figures]) -> tuple[str, ...]:
    """Say where the comparison is more of this computer than of the planners."""
    longest = max((one.transport_min for one in found), default=0.0)
    if longest < _SLOW_MIN:
        return ()
    return (
        tr(
            "A load waited {minutes:.0f} minutes for its transport: this computer was too busy for "
            "the pace, plans and transports came late, and the figures say little of the planners. "
            "Let it rest, or lower speed and pace in the scenario.",
            minutes=longest,
        ),
    )


def _row(one: Figures, *, absent: bool, transports: bool) -> tuple[str, ...]:
    moved = (str(one.transports), f"{one.transport_min:.0f}") if transports else ()
    if absent:
        return (one.planner, *["–"] * (8 + len(moved)))
    return (
        one.planner,
        str(one.late_orders),
        f"{one.weighted_tardiness_h:.1f}",
        f"{one.makespan_h:.1f}",
        f"{100 * one.utilisation:.1f}",
        f"{one.setup_h:.1f}",
        str(one.moves),
        str(one.plans),
        *moved,
        f"{one.money:,.0f}",
    )
