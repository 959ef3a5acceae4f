"""What people order of models reaches the engine, and what the evidence says of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from millhand.engine.cell import Cell
from millhand.engine.recover import models_standing
from millhand.engine.rollout.rollout import ENGINE, Rollout
from millhand.errors import ConfigError, MillhandError
from millhand.feedback import orders
from millhand.feedback.inbox import put_aside
from millhand.feedback.orders import ModelOrder, OrderKind
from millhand.messages import tr

_POLL_S = 0.1
_WEIGH_S = 1.0


class ModelDesk:
    """Takes orders from the inbox beside the journal and carries them out, one at a time.

    In between it weighs whether a model that was live before is the better one after all.
    """

    def __init__(self, cell: Cell, rollouts: Mapping[str, Rollout], folder: Path) -> None:
        self._cell = cell
        self._rollouts = rollouts
        self._folder = folder

    async def run(self) -> None:
        """Open again what stood beside the live models, then look for orders for ever."""
        await self._restore()
        weighed = monotonic()
        while True:
            for file, order in await asyncio.to_thread(list, orders.waiting(self._folder)):
                try:
                    await self.carry_out(order)
                except MillhandError as error:
                    put_aside(file, str(error))
                    self._cell.alarms.raise_("order_refused", order.agent, str(error))
                else:
                    self._cell.alarms.clear("order_refused", order.agent)
                    file.unlink(missing_ok=True)
            if monotonic() - weighed >= _WEIGH_S:
                await self._weigh()
                weighed = monotonic()
            await asyncio.sleep(_POLL_S)

    async def _restore(self) -> None:
        for name, rollout in self._rollouts.items():
            await rollout.drift.restore()
            standing = await asyncio.to_thread(models_standing, self._cell.journal, name)
            try:
                await rollout.restore(standing)
            except MillhandError as error:
                self._cell.alarms.raise_("second_model_failed", name, str(error))

    async def _weigh(self) -> None:
        """Go back to a model that was shown to be better than what took its place, or say so."""
        for name, rollout in self._rollouts.items():
            previous = rollout.previous
            if previous is None or rollout.candidate is not None:
                continue
            evidence = rollout.evidence
            proof = await asyncio.to_thread(evidence.news_of_previous, previous.package)
            if proof is None or not proof.shown:
                continue
            text = tr(
                "{package}, which was live before, is better: right {right} times of {answered} "
                "where the live model was {live}.",
                package=previous.package,
                right=proof.right,
                answered=proof.answered,
                live=proof.live_right,
            )
            self._cell.alarms.raise_("model_worse", name, text)
            if evidence.rules.rollback == "automatic":
                await rollout.rollback(ENGINE, text)

    async def carry_out(self, order: ModelOrder) -> None:
        """Carry one out.

        Raises:
            ConfigError, NotAllowed, PackageError: it cannot be done; nothing has changed.
        """
        rollout = self._rollouts.get(order.agent)
        if rollout is None:
            raise ConfigError(
                tr("{agent} has no models.", agent=order.agent),
                mend=tr("Agents with models: {agents}", agents=", ".join(self._rollouts)),
            )
        match order.kind:
            case OrderKind.SHADOW:
                await rollout.shadow(order.folder, order.by)
            case OrderKind.CANARY:
                await rollout.canary(order.share, order.by)
            case OrderKind.PROMOTE:
                await rollout.promote(order.by, order.despite)
                self._cell.alarms.clear("model_worse", order.agent)
            case OrderKind.ROLLBACK:
                await rollout.rollback(order.by, order.despite)
                self._cell.alarms.clear("model_worse", order.agent)
            case OrderKind.RENEW:
                await rollout.drift.renew(order.by, order.despite)
            case OrderKind.RETIRE:
                await rollout.retire(order.by, order.despite)
