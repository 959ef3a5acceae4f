"""The sealed test: every look at it is counted, and the count outlives the run."""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from millhand.contracts.codec import to_json
from millhand.distil.dataset import Dataset, Items
from millhand.errors import ConfigError
from millhand.messages import tr


class Reading(Struct, frozen=True, kw_only=True):
    """One look at the sealed test."""

    at: str
    plan_sha256: str
    reason: str


class SealedTest:
    """The test shelf of a dataset with the record of who looked.

    A test that was looked at often is a selection set: figures taken on it flatter.
    ``record`` is a JSON file; readings are kept by the fingerprint of the test's items.
    """

    def __init__(self, dataset: Dataset, record: Path) -> None:
        self._items = dataset.sealed()
        self._record = record

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the test's items."""
        return self._items.fingerprint

    def readings(self) -> tuple[Reading, ...]:
        """Return all looks so far, oldest first.

        Raises:
            ConfigError: the record cannot be read.
        """
        return tuple(self._all().get(self.fingerprint, ()))

    def open(self, plan_sha256: str, reason: str) -> Items:
        """Write down the look, durably, and only then hand out the items."""
        every = self._all()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        reading = Reading(at=now, plan_sha256=plan_sha256, reason=reason)
        every.setdefault(self.fingerprint, []).append(reading)
        self._record.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._record.with_name(f".{self._record.name}.{secrets.token_hex(4)}")
        with fresh.open("xb") as file:
            file.write(to_json(every))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._record)
        return self._items

    def _all(self) -> dict[str, list[Reading]]:
        try:
            data = self._record.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            return msgspec.convert(json.loads(data), dict[str, list[Reading]])
        except (ValueError, msgspec.ValidationError) as error:
            raise ConfigError(
                tr("{path} is no record of test readings: {why}.", path=self._record, why=error),
                mend=tr("Put it back from a backup; deleting it hides how often was looked."),
            ) from error
