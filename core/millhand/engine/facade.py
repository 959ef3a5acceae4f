"""The engine for programs that do not use asyncio: the same, on a loop in a thread of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from millhand.contracts import Mode
from millhand.engine.engine import Engine
from millhand.engine.snapshot import EngineSnapshot


class BlockingEngine:
    """Runs an :class:`Engine` in a thread.

    ::

        with BlockingEngine("scenarios/casting_cell") as engine:
            engine.set_mode("inspector", Mode.CONTROL, by="integrator")
            print(engine.snapshot())

    Takes the arguments of :class:`Engine`. Entering returns when the engine is ready and raises
    what the engine raises.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._engine: Engine | None = None
        self._arguments = arguments
        self._options = options
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: Future[None] = Future()
        self._done = Event()
        self._thread = Thread(target=self._run, name="millhand-engine", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        try:
            self._loop = asyncio.get_running_loop()
            engine = Engine(*self._arguments, **self._options)
            async with engine:
                self._engine = engine
                self._ready.set_result(None)
                await engine.stopped()
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)
        finally:
            self._done.set()

    def stop(self) -> None:
        """Ask the engine to stop; leaving the context manager waits for it."""
        if self._loop is not None and self._engine is not None and not self._done.is_set():
            self._loop.call_soon_threadsafe(self._engine.stop)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the engine has stopped; False where that took longer."""
        return self._done.wait(timeout_s)

    def set_mode(self, agent: str, mode: Mode, *, by: str, reason: str = "") -> None:
        """See :meth:`Engine.set_mode`."""
        engine = self._running()

        async def change() -> None:
            engine.set_mode(agent, mode, by=by, reason=reason)

        self._call(change())

    def snapshot(self) -> EngineSnapshot:
        """See :meth:`Engine.snapshot`."""
        engine = self._running()

        async def take() -> EngineSnapshot:
            return engine.snapshot()

        taken = self._call(take())
        assert isinstance(taken, EngineSnapshot)
        return taken

    def _running(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the engine is not running")
        return self._engine

    def _call(self, work: Any) -> Any:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
