"""All attacks: our own, then those of plugins."""

from __future__ import annotations

from collections.abc import Iterator

from millhand.attack import (
    on_cameras,
    on_engine,
    on_journal,
    on_models,
    on_people,
    on_values,
    on_workers,
)
from millhand.attack.attack import Attack
from millhand.plugins import Plugins

OWN: dict[str, type[Attack]] = {
    "engine.kill": on_engine.KillEngine,
    "engine.freeze-before-write": on_engine.FreezeBeforeWrite,
    "engine.freeze": on_engine.FreezeEngine,
    "engine.clock": on_engine.ClockJump,
    "engine.disk-full": on_engine.DiskFull,
    "engine.second": on_engine.SecondEngine,
    "camera.missing": on_cameras.MissingPicture,
    "camera.late": on_cameras.LatePicture,
    "camera.black": on_cameras.BlackPicture,
    "camera.wrong-size": on_cameras.SmallPicture,
    "camera.another-part": on_cameras.AnotherPicture,
    "interlock.nan": on_values.NotANumber,
    "interlock.bad": on_values.BadQuality,
    "interlock.uncertain": on_values.UncertainQuality,
    "interlock.stale": on_values.Stale,
    "interlock.type": on_values.WrongType,
    "values.long-part-number": on_values.LongPartNumber,
    "guard.small-steps": on_values.SmallSteps,
    "worker.kill": on_workers.KillWorkers,
    "worker.hang": on_workers.FreezeWorkers,
    "neighbour.spins": on_workers.NeighbourSpins,
    "neighbour.raises": on_workers.NeighbourRaises,
    "neighbour.leaks": on_workers.NeighbourLeaks,
    "neighbour.crashes": on_workers.NeighbourExits,
    "model.changed": on_models.FlipByte,
    "model.truncated": on_models.Truncate,
    "model.swapped": on_models.SwapGraph,
    "model.pickle": on_models.SmugglePickle,
    "journal.edited": on_journal.EditEntry,
    "journal.deleted": on_journal.DeleteEntry,
    "journal.reordered": on_journal.SwapEntries,
    "journal.cut": on_journal.CutTail,
    "journal.rewritten": on_journal.RewriteChain,
    "journal.damaged": on_journal.CorruptDatabase,
    "people.inbox": on_people.ForgedAnswers,
    "people.andon": on_people.CallForPeople,
    "people.mode": on_people.RaiseMode,
    "people.scenario": on_people.EditScenario,
    "people.bomb": on_people.ScenarioBomb,
}


def attacks(plugins: Plugins) -> Iterator[tuple[str, Attack]]:
    """Yield every attack with its name, built for one run."""
    for name, kind in OWN.items():
        yield name, kind()
    for name, registration in sorted(plugins.attacks.items()):
        yield name, registration.load()()
