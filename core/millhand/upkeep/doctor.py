"""What is wrong with a cell and its computer, in plain words, each with its mend.

Every check looks at one thing, changes nothing, and contacts no device.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from millhand.errors import MillhandError
from millhand.journal.journal import Journal
from millhand.journal.places import FILE_NAME, INBOX
from millhand.journal.records import Alarm, AlarmState
from millhand.messages import tr, trn
from millhand.plugins import Plugins
from millhand.scenario.check import check as problems_of
from millhand.scenario.load import Scenario

_LITTLE_ROOM, _NO_ROOM = 2 * 10**9, 300 * 10**6
_ALARMS_SHOWN = 10
_FEWEST_FILES = 1024
_CLOCK_BACK_NS = 60 * 10**9


class Level(StrEnum):
    """How bad a finding is."""

    FINE = "fine"
    NOTE = "note"
    """Worth knowing; the cell does its work."""
    WRONG = "wrong"


class Finding(Struct, frozen=True, kw_only=True):
    """What one check has found."""

    about: str
    level: Level
    text: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """The cell that is looked at."""

    scenario: Scenario
    plugins: Plugins
    state: Path
    """The folder of journal and pictures."""


def examine(patient: Patient) -> list[Finding]:
    """Run every check. One that itself fails is a finding, and stops no other."""
    found: list[Finding] = []
    for about, look in _CHECKS.items():
        try:
            found += look(patient)
        except (MillhandError, OSError) as error:
            mend = error.mend if isinstance(error, MillhandError) else ""
            text = error.message if isinstance(error, MillhandError) else str(error)
            found.append(Finding(about=about, level=Level.WRONG, text=text, mend=mend))
    return found


def _fine(about: str, text: str) -> Finding:
    return Finding(about=about, level=Level.FINE, text=text)


# --- the computer ---


def _python(_patient: Patient) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield _fine("python", tr("Python {version} on {system}", version=version, system=sys.platform))


def _memory(_patient: Patient) -> Iterator[Finding]:
    if not hasattr(os, "memfd_create"):
        yield Finding(
            about="memory",
            level=Level.NOTE,
            text=tr("Pictures reach workers by named shared memory: this system has no memfd."),
        )


def _files(_patient: Patient) -> Iterator[Finding]:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FEWEST_FILES:
        yield Finding(
            about="files",
            level=Level.NOTE,
            text=tr("A process may open only {count} files.", count=soft),
            mend="ulimit -n 4096",
        )


def _room(patient: Patient) -> Iterator[Finding]:
    folder = next(one for one in (patient.state, *patient.state.parents) if one.exists())
    free = shutil.disk_usage(folder).free
    text = tr("{free:.1f} GB are free where the journal lies.", free=free / 1e9)
    if free >= _LITTLE_ROOM:
        yield _fine("disk", text)
        return
    yield Finding(
        about="disk",
        level=Level.WRONG if free < _NO_ROOM else Level.NOTE,
        text=text,
        mend=tr("Free some room, or lower journal: pictures: quota. A full disk stops acting."),
    )


# --- the installation ---


def _plugins(patient: Patient) -> Iterator[Finding]:
    broken = [plugin for plugin in patient.plugins.found if plugin.error]
    for plugin in broken:
        yield Finding(
            about="plugins",
            level=Level.WRONG,
            text=tr("The plugin {name} cannot be used.", name=plugin.name),
            mend=plugin.error,
        )
    if not broken:
        names = ", ".join(sorted(plugin.name for plugin in patient.plugins.found))
        yield _fine("plugins", tr("Plugins that work: {names}", names=names or "-"))


def _scenario(patient: Patient) -> Iterator[Finding]:
    problems = problems_of(patient.scenario, patient.plugins)
    for problem in problems:
        yield Finding(
            about="scenario",
            level=Level.WRONG,
            text=f"{problem.place}: {problem.message}",
            mend=problem.mend or problem.expected,
        )
    if not problems:
        name = patient.scenario.name
        yield _fine("scenario", tr("The scenario {name} is right.", name=name))


def _rights(patient: Patient) -> Iterator[Finding]:
    if os.name != "posix":
        return
    places = (patient.scenario.folder, patient.scenario.path, patient.state, patient.state / INBOX)
    for place in places:
        if place.exists() and place.stat().st_mode & stat.S_IWOTH:
            yield Finding(
                about="rights",
                level=Level.WRONG,
                text=tr("Everybody on this computer may write to {place}.", place=place),
                mend=f"chmod o-w {place}",
            )
    inbox = patient.state / INBOX
    if inbox.exists() and inbox.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding(
            about="rights",
            level=Level.WRONG,
            text=tr("Others may answer in your name: {place} is open to them.", place=inbox),
            mend=f"chmod 700 {inbox}",
        )


# --- the journal ---


def _journal(patient: Patient) -> Iterator[Finding]:
    if patient.scenario.file.journal.url is None and not (patient.state / FILE_NAME).is_file():
        text = tr("There is no journal in {folder} yet.", folder=patient.state)
        yield Finding(about="journal", level=Level.NOTE, text=text)
        return
    with open_journal(patient) as journal:
        report = journal.verify()
        if report.ok:
            text = tr("{count} entries, their chain is whole.", count=report.entries)
            yield _fine("journal", text)
        for fault in report.faults[:_ALARMS_SHOWN]:
            yield Finding(
                about="journal",
                level=Level.WRONG,
                text=fault.text,
                mend=tr("Keep the file as it is and find out who changed it."),
            )
        yield from _clock(journal)
        yield from _alarms(journal)


def open_journal(patient: Patient) -> Journal:
    """Open the cell's journal for reading."""
    target = patient.scenario.journal_url or patient.state / FILE_NAME
    return Journal.open_readonly(target, cell=patient.scenario.name)


def _clock(journal: Journal) -> Iterator[Finding]:
    newest = journal.read(limit=1, newest_first=True)
    if newest and newest[0].at_utc_ns > time.time_ns() + _CLOCK_BACK_NS:
        yield Finding(
            about="clock",
            level=Level.WRONG,
            text=tr("The newest entry is from the future: the clock was put back."),
            mend=tr("Set the clock; order and deadlines do not depend on it, times do."),
        )


def _alarms(journal: Journal) -> Iterator[Finding]:
    started = journal.last("started")
    standing: dict[tuple[str, str], str] = {}
    for entry in journal.read(started.seq if started else 0, kinds=("alarm",), limit=None):
        alarm = entry.record
        if isinstance(alarm, Alarm):
            standing.pop((alarm.name, alarm.source), None)
            if alarm.state is not AlarmState.CLEARED:
                standing[alarm.name, alarm.source] = alarm.text
    for (name, source), text in list(standing.items())[-_ALARMS_SHOWN:]:
        yield Finding(
            about="alarms",
            level=Level.WRONG,
            text=f"{name}, {source}: {text}",
            mend=tr("See docs/reference/alarms.md, under its name."),
        )
    if not standing:
        yield _fine("alarms", tr("No alarm stands."))


_CHECKS: dict[str, Callable[[Patient], Iterator[Finding]]] = {
    "python": _python,
    "memory": _memory,
    "files": _files,
    "disk": _room,
    "plugins": _plugins,
    "scenario": _scenario,
    "rights": _rights,
    "journal": _journal,
}


def diagnosis(findings: list[Finding]) -> str:
    """Say in a sentence how it stands."""
    wrong = sum(one.level is Level.WRONG for one in findings)
    if not wrong:
        return tr("Nothing is wrong.")
    return trn("{count} thing is wrong.", "{count} things are wrong.", wrong)
