"""What a distillation leaves on disk, so that a run that was cut off goes on, and a second is free.

A folder for each plan and its data, named by their hashes::

    KEEP/<plan's name>-<hash>/lock
    KEEP/<plan's name>-<hash>/student/…     the student's own: squares, answers, states
    KEEP/<plan's name>-<hash>/package/…     the package, once every gate has passed

Nothing here is trusted: the package is verified like any other when it is taken from there.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from millhand.contracts.codec import to_json
from millhand.distil.plan import DistilPlan
from millhand.errors import ConfigError, PackageError, Unavailable
from millhand.messages import tr
from millhand.models.package import Package, open_package

_FORM = 1
"""Raise it when students or stages change what they leave behind."""


class Keep:
    """The folder of one plan on one set of data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def student(self) -> Path:
        """The student's workspace; made where it is missing."""
        folder = self.folder / "student"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def package(self) -> Path:
        """Where the package goes once every gate has passed."""
        return self.folder / "package"

    def finished(self) -> Package | None:
        """Return the package of a run that came to its end; None where none did, or it is bad."""
        try:
            return open_package(self.package)
        except PackageError:
            return None


@contextmanager
def kept(root: Path, plan: DistilPlan, fingerprint: str, seconds: float | None) -> Iterator[Keep]:
    """Open the folder of a plan on its data, for one run at a time.

    Args:
        root: where distillations are kept.
        plan: what is done.
        fingerprint: of the data.
        seconds: limit on learning, which decides what is learnt, too.

    Raises:
        Unavailable: another run is at it.
        ConfigError: the folder cannot be written.
    """
    what = to_json([_FORM, plan.sha256, fingerprint, seconds])
    folder = root / f"{plan.name}-{hashlib.sha256(what).hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            tr("{path} cannot be made: {why}.", path=folder, why=error.strerror or error),
            mend=tr("Name another folder to keep distillations in."),
        ) from error
    lock = FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise Unavailable(
            tr("Another run is distilling {name} from these data.", name=plan.name),
            mend=tr("Wait until it has ended, or name another folder to keep it in."),
        ) from None
    try:
        yield Keep(folder)
    finally:
        lock.release()


def copy_package(package: Package, folder: Path) -> Package:
    """Copy a package to ``folder``, whole or not at all, in the place of what is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(4)
    fresh = folder.parent / f".{folder.name}.{token}.new"
    old = folder.parent / f".{folder.name}.{token}.old"
    try:
        shutil.copytree(package.folder, fresh)
        open_package(fresh, expected_id=package.id)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return open_package(folder)
