"""Drafts as files in a folder, for an ERP system that imports them.

Each record is one JSON file with everything and one CSV file with its lines, named by the
idempotency key's hash. The same key again has no effect; another content under the same key is
refused. Nothing is posted: what imports the files makes drafts.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from millhand.contracts import Link, Permit, Value, WriteResult, WriteStatus
from millhand.errors import ConfigError, NotAllowed
from millhand.messages import tr
from millhand_records.body import lines_of
from millhand_records.faces import DeliversOnly, ended, redeem
from millhand_records.preview import Preview
from millhand_records.spool import write_durably


class DropConfig(BaseModel):
    """A folder that an ERP system imports from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="The folder; made when missing.")
    delimiter: str = Field(default=";", min_length=1, max_length=1, description="Of the CSV file.")
    decimal_comma: bool = Field(default=False, description="Write 1,5 for 1.5 in the CSV file.")


class DropAdapter(DeliversOnly):
    """Puts drafts into a folder (:class:`millhand.contracts.Records`)."""

    Config: ClassVar[type[BaseModel]] = DropConfig
    _suffix = ".json"

    def __init__(self, name: str, config: DropConfig) -> None:
        super().__init__(name)
        self._config = config

    async def __aenter__(self) -> Self:
        """Make the folder.

        Raises:
            ConfigError: it cannot be made.
        """
        try:
            await asyncio.to_thread(self._config.path.mkdir, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                tr("The folder {folder} cannot be used: {error}.", folder=self._config.path,
                   error=error),
                mend=tr("Let the engine's user write there."),
            ) from error  # fmt: skip
        self._report(Link.UP)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._report(Link.DOWN)

    async def deliver(
        self, permit: Permit, kind: str, body: Mapping[str, Value], idempotency_key: str
    ) -> WriteResult:
        """Write the record's files; APPLIED when they are on disk and read back the same."""
        try:
            redeem(permit, self._name, kind, idempotency_key)
        except NotAllowed as error:
            return ended(WriteStatus.NOT_SENT, str(error))
        return await asyncio.to_thread(self._write, kind, body, idempotency_key)

    async def preview(self, kind: str, body: Mapping[str, Value], idempotency_key: str) -> Preview:
        """Say what delivering would change in the folder. Writes nothing."""
        path = self._place(kind, idempotency_key)
        there = await asyncio.to_thread(lambda: path.read_text("utf-8") if path.exists() else "")
        wanted = self._main(kind, body, idempotency_key).decode("utf-8")
        return Preview(path.name, there, wanted)

    def _place(self, kind: str, key: str) -> Path:
        """Where a record's file is or will be."""
        name = f"{_plain(kind)}-{sha256(key.encode()).hexdigest()[:24]}{self._suffix}"
        return self._config.path / name

    def _main(self, kind: str, body: Mapping[str, Value], key: str) -> bytes:
        """Return the file that says all."""
        record = {"kind": kind, "key": key, "body": dict(body)}
        return json.dumps(record, ensure_ascii=False, sort_keys=True, indent=1).encode()

    def _beside(self, body: Mapping[str, Value]) -> Mapping[str, bytes]:
        """Return further files by suffix."""
        return {".csv": self._csv(body)}

    def _write(self, kind: str, body: Mapping[str, Value], key: str) -> WriteResult:
        path = self._place(kind, key)
        try:
            content = self._main(kind, body, key)
        except ValueError as error:
            return ended(WriteStatus.REJECTED, str(error))
        try:
            if path.exists():
                if path.read_bytes() == content:
                    return ended(WriteStatus.APPLIED, tr("It was there already."), path.name)
                return ended(
                    WriteStatus.REJECTED,
                    tr("Another record was delivered under the key {key}.", key=key),
                )
            # This file comes last: where it is, the others are whole.
            for suffix, other in self._beside(body).items():
                write_durably(path.with_suffix(suffix), other)
            write_durably(path, content)
            same = path.read_bytes() == content
        except OSError as error:
            self._report(Link.DOWN, str(error))
            return ended(WriteStatus.UNKNOWN, str(error))
        self._report(Link.UP)
        return ended(WriteStatus.APPLIED if same else WriteStatus.UNKNOWN, "", path.name)

    def _csv(self, body: Mapping[str, Value]) -> bytes:
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=self._config.delimiter, lineterminator="\r\n")
        lines = lines_of(body)
        head = {name: value for name, value in body.items() if name != "lines"}
        columns = sorted({name for line in lines for name in line})
        writer.writerow([*head, *(f"line_{name}" for name in columns)])
        for line in lines or [{}]:
            cells = [*head.values(), *(line.get(name) for name in columns)]
            writer.writerow([self._cell(cell) for cell in cells])
        return stream.getvalue().encode("utf-8-sig")

    def _cell(self, value: Any) -> str:
        """Write one cell, so that a spreadsheet never takes it for a formula."""
        text = "" if value is None else str(value)
        number = text.replace("-", "", 1).replace(".", "", 1).isdecimal()
        if number:
            return text.replace(".", ",") if self._config.decimal_comma else text
        return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _plain(kind: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in kind)[:40]
