"""A model on a ladder of accelerators: where one fails, the next answers, until it is well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Self

import structlog
from numpy.typing import NDArray

from millhand.contracts.adapters import Accelerator, Used
from millhand.errors import InternalError, MillhandError, PackageError, Unavailable
from millhand.messages import tr
from millhand.models.package import Package
from millhand.models.sessions import Choice, OpenedModel, open_model

log = structlog.get_logger(__name__)

FIRST_RETRY_S = 2.0
"""How long after a failure an accelerator is tried again; doubled each time it fails then too."""
LONGEST_RETRY_S = 300.0
_SHARE = 0.5
"""Of the time left until the deadline, what a rung may take that has another one below it."""

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """An accelerator failed, or is back."""

    accelerator: str
    up: bool
    text: str


class _Lane:
    """A thread for one rung, so that one that never answers holds up nobody but itself."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        Thread(target=self._run, name=f"rung-{name}", daemon=True).start()

    def call(self, do: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self._calls.put((do, future))
        return future

    def _run(self) -> None:
        while True:
            do, future = self._calls.get()
            try:
                future.set_result(do())
            except BaseException as error:  # noqa: BLE001  it is the caller's
                future.set_exception(error)


@dataclass(slots=True)
class _Rung:
    name: str
    open: Callable[[], OpenedModel]
    model: OpenedModel | None = None
    lane: _Lane | None = None
    retry_at: float = 0.0
    retry_s: float = FIRST_RETRY_S
    trial: Future[OpenedModel] | None = field(default=None)

    def in_lane(self, do: Callable[[], Any]) -> Future[Any]:
        if self.lane is None:
            self.lane = _Lane(self.name)
        return self.lane.call(do)

    def down(self) -> None:
        """Give up the session; whoever hangs in it keeps its thread."""
        self.model = None
        self.lane = None
        self.retry_at = monotonic() + self.retry_s
        self.retry_s = min(2 * self.retry_s, LONGEST_RETRY_S)


class LadderModel:
    """One model, opened on several accelerators. Implements :class:`millhand.contracts.Model`.

    All rungs are opened and have proved themselves before the first decision, so that the next one
    can take over at once. A rung that fails is opened anew beside the work and, once it reproduces
    its golden outputs, used again. For one thread at a time.
    """

    def __init__(self, package: Package, rungs: Sequence[_Rung]) -> None:
        self._package = package
        self._rungs = tuple(rungs)
        self._changes = [
            Change(
                rung.name,
                up=False,
                text=tr("{accelerator} could not be opened.", accelerator=rung.name),
            )
            for rung in rungs
            if rung.model is None
        ]
        self.deadline: float | None = None
        """Monotonic seconds by which the answer is needed; None for no hurry."""

    @property
    def package_id(self) -> str:
        """The package's id."""
        return self._package.id

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The manifest's free parameters for the agent."""
        return self._package.manifest.parameters

    @property
    def used(self) -> Used:
        """What the best rung that is well runs on."""
        return self._first_model().used

    @property
    def choice(self) -> Choice | None:
        """What that rung chose, where it had a say."""
        return self._first_model().choice

    def _first_model(self) -> OpenedModel:
        for rung in self._rungs:
            if rung.model is not None:
                return rung.model
        raise Unavailable(tr("No accelerator of the ladder works."))

    def changes(self) -> list[Change]:
        """Return what failed and what came back since this was asked last."""
        changes, self._changes = self._changes, []
        return changes

    def __call__(self, **inputs: NDArray[Any]) -> Arrays:
        """Run once, on the best rung that answers in time.

        Raises:
            InternalError: an input is not as the manifest says.
            Unavailable: no rung answered.
        """
        self._bring_back()
        usable = [rung for rung in self._rungs if rung.model is not None]
        said = []
        for number, rung in enumerate(usable, start=1):
            try:
                return self._run(rung, inputs, last=number == len(usable))
            except InternalError:
                raise
            except (MillhandError, FutureTimeout, RuntimeError, MemoryError, OSError) as error:
                if isinstance(error, PackageError) and error.fault == "shape":
                    raise
                said.append(self._fail(rung, error))
        raise Unavailable(
            tr("No accelerator could run the model: {why}", why="; ".join(said) or "-"),
            mend=tr("Failed ones are tried again by themselves; check driver and device."),
        )

    def _run(self, rung: _Rung, inputs: Arrays, *, last: bool) -> Arrays:
        model = rung.model
        assert model is not None
        if last:
            return model(**inputs)
        limit_s = None
        if self.deadline is not None:
            limit_s = max(0.0, _SHARE * (self.deadline - monotonic()))
        answer: Arrays = rung.in_lane(lambda: model(**inputs)).result(timeout=limit_s)
        return answer

    def _fail(self, rung: _Rung, error: BaseException) -> str:
        rung.down()
        why = tr("no answer in time") if isinstance(error, FutureTimeout) else str(error)
        text = tr("{accelerator} failed: {why}", accelerator=rung.name, why=why)
        log.warning("accelerator_failed", accelerator=rung.name, why=why)
        self._changes.append(Change(rung.name, up=False, text=text))
        return text

    def _bring_back(self) -> None:
        """Look whether a failed rung is well again; the trial itself runs beside the work."""
        for rung in self._rungs:
            if rung.model is not None:
                continue
            if rung.trial is None:
                if monotonic() >= rung.retry_at:
                    rung.trial = rung.in_lane(rung.open)
            elif rung.trial.done():
                trial, rung.trial = rung.trial, None
                self._take_back(rung, trial)

    def _take_back(self, rung: _Rung, trial: Future[OpenedModel]) -> None:
        error = trial.exception()
        if error is not None:
            log.info("accelerator_still_failing", accelerator=rung.name, why=str(error))
            rung.down()
            return
        rung.model = trial.result()
        rung.retry_s = FIRST_RETRY_S
        text = tr("{accelerator} works again.", accelerator=rung.name)
        self._changes.append(Change(rung.name, up=True, text=text))

    def close(self) -> None:
        """Give the memory of all rungs back."""
        for rung in self._rungs:
            if rung.model is not None:
                rung.model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_ladder(
    package: Package, accelerators: Mapping[str, Accelerator], precision: str | None = None
) -> OpenedModel | LadderModel:
    """Open a package on each accelerator, best first; with one alone there is no ladder.

    Raises:
        PackageError, NotAllowed: it could be opened on none; the first one's reason.
    """
    if len(accelerators) == 1:
        (accelerator,) = accelerators.values()
        return open_model(package, accelerator, precision=precision)
    rungs: list[_Rung] = []
    first: MillhandError | None = None
    for name, accelerator in accelerators.items():
        rung = _Rung(name, _opener(package, accelerator, precision))
        rungs.append(rung)
        try:
            rung.model = rung.open()
        except MillhandError as error:
            first = first or error
            rung.down()
            log.warning("accelerator_failed", accelerator=name, why=str(error))
    if first is not None and all(rung.model is None for rung in rungs):
        raise first
    return LadderModel(package, rungs)


def _opener(
    package: Package, accelerator: Accelerator, precision: str | None
) -> Callable[[], OpenedModel]:
    return lambda: open_model(package, accelerator, precision=precision)
