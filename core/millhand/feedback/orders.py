"""What people order of models: shadow, canary, promote, roll back. The same for every console.

A journal has one writer; orders reach the engine through the inbox, like answers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from millhand.errors import ConfigError
from millhand.feedback import inbox as inbox_files
from millhand.messages import tr

FOLDER = "models"


class OrderKind(StrEnum):
    """What is to be done."""

    SHADOW = "shadow"
    CANARY = "canary"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    RENEW = "renew"
    """Say that what the model sees is as it should be: its certificate holds again."""
    RETIRE = "retire"
    """Take the candidate away."""


class ModelOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order on its way to the engine."""

    agent: str
    kind: OrderKind
    folder: str = ""
    """With ``shadow``: the candidate's, below the scenario's folder."""
    share: float = 0.0
    """With ``canary``: of the parts, above 0 and at most 1."""
    despite: str = ""
    """With ``promote``: why without proof; the reason is recorded."""
    by: str
    at_utc_ns: int


_decode = msgspec.json.Decoder(ModelOrder).decode


def order(
    inbox: Path,
    agent: str,
    kind: OrderKind,
    *,
    by: str,
    folder: str = "",
    share: float = 0.0,
    despite: str = "",
) -> ModelOrder:
    """Leave an order for the engine; on return it is on disk.

    Raises:
        ConfigError: ``by`` is empty, or the share is none.
        Unavailable: it could not be left.
    """
    if not by.strip():
        raise ConfigError(tr("Say who orders it."), mend=tr("Give a name with --by."))
    if kind is OrderKind.CANARY and not 0 < share <= 1:
        raise ConfigError(tr("A share of {share} is none.", share=share), mend="0.1")
    given = ModelOrder(
        agent=agent,
        kind=kind,
        folder=folder,
        share=share,
        despite=despite.strip(),
        by=by.strip(),
        at_utc_ns=time.time_ns(),
    )
    inbox_files.put(inbox / FOLDER, given)
    return given


def waiting(inbox: Path) -> Iterator[tuple[Path, ModelOrder]]:
    """Yield the orders that wait, the oldest first; what cannot be read is put aside."""
    for file, found in inbox_files.read(inbox / FOLDER, _decode):
        if isinstance(found, str):
            inbox_files.put_aside(file, found)
        else:
            yield file, found
