"""The PLC's cyclic task: read what clients wrote, run one scan, show what changed."""

from __future__ import annotations

import asyncio
import time

from millhand_simulated.plc.answer_log import AnswerLog
from millhand_simulated.plc.cell import Cell, Step, Wishes
from millhand_simulated.plc.config import CellConfig
from millhand_simulated.plc.faults import FaultTag
from millhand_simulated.plc.gauge import Gauge
from millhand_simulated.plc.line import LinePart
from millhand_simulated.plc.logic import Outputs
from millhand_simulated.plc.nodes import Nodes
from millhand_simulated.plc.packml import Way
from millhand_simulated.plc.tags import ANSWER_COUNTERS

_CATCH_UP_SCANS = 20
"""Scans that are made up for back to back; beyond these the task has stood still."""
_COST_WINDOW = 100


class Task:
    """Runs a cell against the server's nodes on a schedule that does not drift."""

    def __init__(self, config: CellConfig, nodes: Nodes) -> None:
        self._config = config
        self._nodes = nodes
        self._cell = Cell(config)
        self._gauge = Gauge(config.gauge)
        self._gauged = 0
        self._hidden_seq = 0
        self._shown_seq = 0
        self._shown_count = 0
        self._late = 0
        self._cost_s = 0.0
        self._log = AnswerLog(config.log) if config.log is not None else None

    async def run(self) -> None:
        """Scan until cancelled."""
        await self._show_constants()
        loop = asyncio.get_running_loop()
        start, scans = loop.time(), 0
        while True:
            before = time.thread_time()
            await self.scan()
            scans += 1
            await self._show_cost(scans, time.thread_time() - before)
            behind = loop.time() - start - scans * self._config.scan_s
            if behind > _CATCH_UP_SCANS * self._config.scan_s:
                self._late += int(behind / self._config.scan_s)
                start, scans, behind = loop.time(), 0, 0.0
            await asyncio.sleep(max(0.0, -behind))

    async def scan(self) -> Step:
        """Run one scan between reading and writing the nodes."""
        step = self._cell.step(self._wishes())
        outputs = step.outputs
        if self._log is not None:
            self._log.follow(outputs)
        show = self._nodes.show
        await show("Cell.Tick", outputs.tick)
        await show("Cell.PackML.State", int(outputs.state))
        await show("Cell.Product", outputs.product)
        await show("Cell.Lease.Live", outputs.lease_live)
        await show("Cell.Machine.Fault", int(outputs.fault))
        await self._show_trigger(step)
        if step.arrived is not None:
            await self._show_gauge(step.arrived)
        if outputs.answer_count != self._shown_count:
            await self._show_counters()
            if FaultTag.FREEZE_ANSWERS not in step.active:
                await self._show_answers(outputs)
        await self._show_line(outputs)
        await self._reset_buttons(step)
        return step

    def _wishes(self) -> Wishes:
        get = self._nodes.get
        return Wishes(
            command_id=get("Cell.Command.Id", 0),
            command_part_id=get("Cell.Command.PartId", ""),
            command_result=get("Cell.Command.Result", 0),
            command_valid_until=get("Cell.Command.ValidUntil", 0),
            lease_counter=get("Cell.Lease.Counter", 0),
            ready=get("Cell.Lease.Ready", False),
            in_control=get("Cell.Lease.InControl", False),
            request=get("Cell.Machine.Request", 0),
            run=get("Sim.Run", False),
            start=get("Sim.Start", False),
            reset=get("Sim.Reset", False),
            faults={fault for fault in FaultTag if get(f"Fault.{fault}", False)},
        )

    async def _show_trigger(self, step: Step) -> None:
        """Show the trigger record, its sequence number last."""
        outputs = step.outputs
        if FaultTag.DROP_TRIGGER in step.struck:
            self._hidden_seq = outputs.trigger_seq
        if outputs.trigger_seq in (self._shown_seq, self._hidden_seq):
            return
        self._shown_seq = outputs.trigger_seq
        await self._nodes.show("Cell.Trigger.PartId", outputs.trigger_part_id)
        await self._nodes.show("Cell.Trigger.Product", outputs.trigger_product)
        await self._nodes.show("Cell.Trigger.Tick", outputs.trigger_tick)
        await self._nodes.show("Cell.Trigger.Seq", outputs.trigger_seq)

    async def _show_gauge(self, part: LinePart) -> None:
        """Show what the gauge measured, its count last."""
        self._gauged += 1
        await self._nodes.show("Gauge.Bore", self._gauge.bore(part))
        await self._nodes.show("Gauge.PartId", part.part_id)
        await self._nodes.show("Gauge.Product", part.product)
        await self._nodes.show("Gauge.Count", self._gauged)

    async def _show_answers(self, outputs: Outputs) -> None:
        """Show the ring of answers, its count last."""
        self._shown_count = outputs.answer_count
        show, ring = self._nodes.show, outputs.answers
        await show("Cell.Answers.CommandId", tuple(answer.command_id for answer in ring))
        await show("Cell.Answers.PartId", tuple(answer.part_id for answer in ring))
        await show("Cell.Answers.Code", tuple(int(answer.code) for answer in ring))
        await show("Cell.Answers.Tick", tuple(answer.plc_tick for answer in ring))
        await show("Cell.Answers.Count", outputs.answer_count)

    async def _show_counters(self) -> None:
        counters = self._cell.program.counters
        for code, path in ANSWER_COUNTERS.items():
            await self._nodes.show(path, counters.answers[code])

    async def _show_line(self, outputs: Outputs) -> None:
        counters = self._cell.program.counters
        show = self._nodes.show
        await show("Cell.Counters.Triggers", counters.triggers)
        await show("Cell.Counters.Pass", counters.gate[Way.PASS])
        await show("Cell.Counters.Reject", counters.gate[Way.REJECT])
        await show("Cell.Counters.Divert", counters.gate[Way.DIVERT])
        await show("Cell.Counters.InFlight", outputs.in_flight)
        await show("Sim.PartsFed", self._cell.conveyor.fed)
        await show("Sim.Finished", self._cell.finished)

    async def _reset_buttons(self, step: Step) -> None:
        """Take back what the PLC or the simulation takes back by itself."""
        force, get = self._nodes.force, self._nodes.get
        if get("Cell.Machine.Request", 0) != step.outputs.request:
            await force("Cell.Machine.Request", step.outputs.request)
        for path in ("Sim.Start", "Sim.Reset", *(f"Fault.{fault}" for fault in step.struck)):
            if get(path, False):
                await force(path, False)

    async def _show_constants(self) -> None:
        await self._nodes.show("Sim.PartsTotal", self._config.parts)
        await self._nodes.show("Sim.Speed", self._config.speed)
        await self._nodes.show("Sim.ScanMs", self._config.scan_s * 1000)

    async def _show_cost(self, scans: int, cost_s: float) -> None:
        self._cost_s += cost_s
        if scans % _COST_WINDOW == 0:
            await self._nodes.show("Sim.ScanCostMs", self._cost_s / _COST_WINDOW * 1000)
            await self._nodes.show("Sim.LateScans", self._late)
            self._cost_s = 0.0
