"""A bundle for whoever helps: how the cell is, with everything private taken out."""

from __future__ import annotations

import platform
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import msgspec
import platformdirs

from millhand import __version__
from millhand.contracts import PartTrigger
from millhand.contracts.codec import to_json
from millhand.errors import InternalError, MillhandError, Unavailable
from millhand.journal.entries import Entry
from millhand.journal.records import Intent, ModeChange, Review
from millhand.messages import tr
from millhand.plugins import report
from millhand.upkeep.doctor import Finding, Patient, open_journal
from millhand.upkeep.redact import Redactor

_ENTRIES = 400
_CRASHES = 3
_LONGEST_CRASH = 200_000
_README = """\
Made by `millhand doctor --bundle`. No picture, no document and no model is in here.
Secrets are replaced by [secret]; people, computers and parts by stand-ins (person-1, host-1,
part-1), the same word always by the same one. Look through it before you send it.
"""


def write_bundle(target: Path, patient: Patient, findings: list[Finding]) -> list[str]:
    """Write the bundle and return the names of its files.

    Raises:
        InternalError: a secret was about to get into it.
        Unavailable: it cannot be written.
    """
    redactor = Redactor(patient.scenario)
    raw = {"README.txt": _README, **dict(_texts(patient, findings, redactor))}
    files = {name: redactor.text(text) for name, text in raw.items()}
    # Twice: a name that was learnt from a later file may stand in an earlier one.
    files = {name: redactor.text(text) for name, text in files.items()}
    leaking = [name for name, text in files.items() if redactor.leaks(text)]
    if leaking:
        raise InternalError(tr("A secret was about to get into {names}.", names=", ".join(leaking)))
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    except OSError as error:
        raise Unavailable(
            tr("The bundle {target} cannot be written: {reason}.", target=target, reason=error)
        ) from error
    return list(files)


def _texts(
    patient: Patient, findings: list[Finding], redactor: Redactor
) -> Iterator[tuple[str, str]]:
    yield "findings.json", _json(findings)
    yield "system.json", _json(_system())
    yield "plugins.json", _json(report.as_json(patient.plugins))
    yield "scenario.yaml", patient.scenario.path.read_text(encoding="utf-8")
    yield "journal.jsonl", _journal(patient, redactor)
    for number, crash in enumerate(_crashes(), start=1):
        yield f"crash-{number}.txt", crash.read_text(encoding="utf-8")[-_LONGEST_CRASH:]


def _json(value: object) -> str:
    return msgspec.json.format(to_json(value), indent=1).decode()


def _system() -> dict[str, object]:
    return {
        "millhand": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": platform.machine(),
        "packages": sorted(f"{one.name}=={one.version}" for one in distributions()),
    }


def _journal(patient: Patient, redactor: Redactor) -> str:
    """Return the newest entries; the names in them are made known to the redactor."""
    try:
        with open_journal(patient) as journal:
            entries = journal.read(limit=_ENTRIES, newest_first=True)
    except MillhandError as error:
        return error.message + "\n"
    for entry in entries:
        _learn(entry, redactor)
    return "".join(_line(entry) for entry in reversed(entries))


def _learn(entry: Entry, redactor: Redactor) -> None:
    redactor.know(entry.part, "part")
    record = entry.record
    if isinstance(record, ModeChange | Review):
        redactor.know(record.by, "person")
    if isinstance(record, Intent) and isinstance(record.observation.trigger, PartTrigger):
        redactor.know(record.observation.trigger.part_id, "part")


def _line(entry: Entry) -> str:
    line = {
        "seq": entry.seq,
        "at": entry.at_utc_ns,
        "kind": entry.kind,
        "subject": entry.subject,
        "part": entry.part,
        "body": msgspec.Raw(entry.body),
    }
    return msgspec.json.encode(line).decode() + "\n"


def _crashes() -> list[Path]:
    """Return the newest files that crashes of the command line left behind."""
    folder = platformdirs.user_log_path("millhand", appauthor=False)
    try:
        found = sorted(folder.glob("crash-*.txt"), key=lambda path: path.stat().st_mtime)
    except OSError:
        return []
    return found[-_CRASHES:]
