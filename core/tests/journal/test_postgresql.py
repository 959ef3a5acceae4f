from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from millhand.errors import ConfigError, NotAllowed, Unavailable
from millhand.journal.journal import Journal
from millhand.journal.verifying import FaultKind

from .conftest import make_alarm, make_entry

pytest.importorskip("psycopg", reason="psycopg is not installed")


class Server:
    """A PostgreSQL of our own on a free port of the loopback."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self._data = folder / "data"
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"postgresql://millhand@127.0.0.1:{self.port}/postgres"
        self._run("initdb", "-D", str(self._data), "-U", "millhand", "-A", "trust", "--no-sync")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder} -c fsync=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-o", options, "-l", log, "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        if os.geteuid() == 0:  # it refuses to run as root
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path("/tmp") / f"millhand-postgresql-{os.getpid()}"  # short enough for its socket
    folder.mkdir()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    running = None
    try:
        running = Server(binaries, folder)
        yield running
    finally:
        if running is not None:
            running.stop()
        shutil.rmtree(folder)


def test_append_read_verify(server: Server) -> None:
    for boot in (1, 2):
        with Journal(server.url, cell="cell-1") as journal:
            assert journal.boot == boot
            entries = journal.append(
                [make_entry(n, part=f"P{n}", text="größer") for n in range(3)]
            ).result(10)
            assert journal.append([make_alarm(1)]).result(10)[0].seq == journal.head
            assert journal.read(entries[0].seq - 1, limit=3) == entries
            assert journal.read(part="P1", kinds=["stopped"], newest_first=True)[0] == entries[1]
            last = journal.last("alarm", "plc")
            assert last is not None
            assert last.seq == journal.head
            assert [e.kind for e in journal.read(kinds=["alarm", "stopped"], limit=4)] == [
                *["stopped"] * 3,
                "alarm",
            ]
            assert journal.count("stopped") == 3 * boot
            assert journal.verify(journal.chain_head()).ok
            assert journal.size().used > 0
    assert boot == 2


def test_old_segments_of_one_cell_go(server: Server) -> None:
    for cell in ("old", "neighbour"):
        with Journal(server.url, cell=cell, segment_entries=10) as journal:
            for number in range(25):
                journal.append([make_entry(number)]).result(10)
    with Journal(server.url, cell="old") as journal:
        pruned = journal.prune(2**62)
        assert pruned is not None
        assert journal.read(limit=1)[0].seq == pruned.last_seq + 1
        assert journal.verify().ok
    with Journal.open_readonly(server.url, cell="neighbour") as neighbour:
        assert neighbour.count() == 27


def test_cells_share_the_table_but_not_the_chain(server: Server) -> None:
    with Journal(server.url, cell="a") as a, Journal(server.url, cell="b") as b:
        futures = [journal.append([make_entry(n)]) for n in range(20) for journal in (a, b)]
        assert sorted(future.result(10)[0].seq for future in futures) == sorted([*range(1, 21)] * 2)
        assert a.verify().ok
        assert b.verify().ok
    with pytest.raises(ConfigError, match="Name the cell"):
        Journal.open_readonly(server.url)


def test_one_writer_for_each_cell(server: Server) -> None:
    with Journal(server.url, cell="one") as journal:
        with pytest.raises(NotAllowed, match="writes to cell one"):
            Journal(server.url, cell="one").open()
        with Journal.open_readonly(server.url, cell="one") as reader:
            journal.append([make_entry(1)]).result(10)
            assert reader.head == 1
    Journal(server.url, cell="one").open().close()


def test_server_away_and_back(server: Server) -> None:
    with Journal(server.url, cell="restart") as journal:
        journal.append([make_entry(1)]).result(10)
        server.stop()
        with pytest.raises(Unavailable):
            journal.append([make_entry(2)]).result(20)
        with pytest.raises(Unavailable):
            journal.read()
        assert journal.fault
        server.start()
        deadline = time.monotonic() + 20
        while True:
            try:
                (entry,) = journal.append([make_entry(3)]).result(10)
                break
            except Unavailable:
                assert time.monotonic() < deadline
        assert entry.seq == 2
        assert [e.id for e in journal.read()] == ["d1", "d3"]
        assert journal.verify().ok


def test_tampering_is_found(server: Server) -> None:
    from sqlalchemy import create_engine, text

    with Journal(server.url, cell="tampered") as journal:
        journal.append([make_entry(n) for n in range(5)]).result(10)
        engine = create_engine(server.url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE entry SET subject = 'me' WHERE cell = 'tampered' AND seq = 2")
            )
            connection.execute(text("DELETE FROM entry WHERE cell = 'tampered' AND seq = 4"))
        engine.dispose()
        faults = journal.verify().faults
    assert [(fault.kind, fault.first_seq) for fault in faults] == [
        (FaultKind.EDITED, 2),
        (FaultKind.MISSING, 4),
    ]


def test_a_server_that_is_not_there(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unavailable) as caught:
        Journal(f"postgresql://millhand:geheim@127.0.0.1:{port}/x", cell="c").open()
    assert "geheim" not in str(caught.value)
