"""Attacks on model packages: each on a copy, opened by a real worker as the engine would."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import msgspec

from millhand.attack.arena import Arena
from millhand.attack.attack import Finding, NotApplicable, broken, judged
from millhand.engine import build
from millhand.errors import PackageError
from millhand.isolate.process import Worker
from millhand.messages import tr


class _OnPackage:
    title: str
    promise = 4
    faults: ClassVar[frozenset[str]]

    async def run(self, arena: Arena) -> Finding:
        """Copy the first package of the first agent that has one, change it, open it."""
        name, folder = _package(arena)
        copy = arena.folder / f"model-{type(self).__name__}"
        shutil.copytree(folder, copy)
        self.change(copy, arena)
        spec = build.agent_spec(arena.scenario, name, arena.plugins)
        models = tuple(
            msgspec.structs.replace(one, folder=str(copy)) if Path(one.folder) == folder else one
            for one in spec.models
        )
        worker = Worker("attacked", [msgspec.structs.replace(spec, models=models)])
        try:
            await worker.start()
        except PackageError as error:
            return judged(
                error.fault in self.faults,
                tr("package: {fault}", fault=error.fault),
                error.message,
            )
        finally:
            await worker.stop()
            worker.close()
            shutil.rmtree(copy, ignore_errors=True)
        return broken(tr("package"), tr("the changed package was opened"))

    def change(self, package: Path, arena: Arena) -> None:
        """Do what an intruder would."""
        raise NotImplementedError


class FlipByte(_OnPackage):
    """One byte of the graph is another."""

    title = tr("One byte of a model is changed")
    faults = frozenset({"hash"})

    def change(self, package: Path, arena: Arena) -> None:  # noqa: ARG002 - as the others
        """Flip a bit in the middle."""
        graph = _graph(package)
        data = bytearray(graph.read_bytes())
        data[len(data) // 2] ^= 1
        graph.write_bytes(data)


class Truncate(_OnPackage):
    """The graph ends early."""

    title = tr("A model is cut short")
    faults = frozenset({"hash", "truncated", "size"})

    def change(self, package: Path, arena: Arena) -> None:  # noqa: ARG002 - as the others
        """Keep the first half."""
        graph = _graph(package)
        graph.write_bytes(graph.read_bytes()[: graph.stat().st_size // 2])


class SwapGraph(_OnPackage):
    """The graph of another package is put under this one's manifest."""

    title = tr("A model is swapped for another one")
    faults = frozenset({"hash"})

    def change(self, package: Path, arena: Arena) -> None:
        """Take the other package's graph."""
        folders = sorted(set(_packages(arena)))
        if len(folders) < 2:
            raise NotApplicable(tr("This cell has one model only."))
        mine = _graph(package)
        other = next(
            (_graph(one) for one in folders if _graph(one).read_bytes() != mine.read_bytes()),
            None,
        )
        if other is None:
            raise NotApplicable(tr("All models of this cell have the same graph."))
        mine.write_bytes(other.read_bytes())


class SmugglePickle(_OnPackage):
    """A file that would run code when read lies in the package."""

    title = tr("A pickle is smuggled into a model package")
    faults = frozenset({"pickle", "unlisted"})

    def change(self, package: Path, arena: Arena) -> None:  # noqa: ARG002 - as the others
        """Put it there: protocol 4, "cos system", never loaded by anybody."""
        (package / "weights.pkl").write_bytes(b"\x80\x04cposix\nsystem\n(S'true'\ntR.")


def _packages(arena: Arena) -> list[Path]:
    return [
        arena.scenario.folder / folder
        for agent in arena.scenario.file.agents.values()
        for choice in agent.model.values()
        for folder in choice.packages.values()
    ]


def _package(arena: Arena) -> tuple[str, Path]:
    for name, agent in arena.scenario.file.agents.items():
        for choice in agent.model.values():
            for folder in choice.packages.values():
                return name, arena.scenario.folder / folder
    raise NotApplicable(tr("No agent of this cell has a model."))


def _graph(package: Path) -> Path:
    return max(package.glob("*.onnx"), key=lambda path: path.stat().st_size)
