"""A cell with a past: scenario, model, secrets, journal, pictures, an answer that waits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from millhand.contracts.frames import FrameRef
from millhand.feedback import inbox
from millhand.journal.blobs import BlobStore, frame_hash
from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import AnswerKind
from millhand.scenario.load import Scenario, load
from millhand.testing.runs import MadeRun

CANARY = "canary-7f3a-do-not-tell"
SCENARIO = """
millhand: 1
name: quiet
console: {listen: "127.0.0.1:0", token: "file:console-token"}
journal: {url: null}
"""


@pytest.fixture
def cell(tmp_path: Path) -> Scenario:
    folder = tmp_path / "cell"
    (folder / "models").mkdir(parents=True)
    (folder / "scenario.yaml").write_text(SCENARIO)
    (folder / "models" / "weights.bin").write_bytes(bytes(range(256)) * 64)
    (folder / "console-token").write_text(CANARY + "\n")
    (folder / "console-token").chmod(0o600)
    (folder / "secrets").mkdir()
    (folder / "secrets" / "plc").write_text("another " + CANARY)
    (folder / "notes.txt").write_text(f"the console's token is {CANARY}\n")
    (folder / "server.pem").write_text("-----BEGIN PRIVATE KEY-----\nabc\n")
    (folder / "link").symlink_to("/etc/passwd")
    with Journal(folder / "journal" / "journal.sqlite", cell="quiet") as journal:
        made = MadeRun()
        for _ in range(20):
            made.part()
        entries = [new_entry(one.record, id=one.id, subject="x") for one in made.entries]
        journal.append(entries).result(10)
    with BlobStore(folder / "journal" / "blobs", 10**9, {"pass": 7.0}) as blobs:
        for value in range(3):
            pixels = np.full((8, 8, 3), value, np.uint8)
            ref = FrameRef(
                camera="c", sha256=frame_hash(pixels), height=8, width=8, channels=3, frame_seq=1
            )
            blobs.put_frame(ref, pixels, "pass")
    answer = inbox.Answer(
        question="q", decision="d", answer=AnswerKind.AGREE, by="ann", at_utc_ns=1
    )
    inbox.put(folder / "journal" / "inbox", answer)
    return load(folder)
