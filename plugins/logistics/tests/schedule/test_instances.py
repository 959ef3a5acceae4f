"""Readers of benchmark files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from millhand.errors import ConfigError
from millhand_logistics.schedule.instances import read_bounds, read_collection, read_flexible


def test_reads_a_flexible_shop(tmp_path: Path) -> None:
    file = tmp_path / "k.txt"
    file.write_text("2 3\n2 1 0 5 2 1 3 2 4\n1 1 2 7\n\n")
    problem = read_flexible(file)
    assert [o.alternatives for o in problem.operations] == [((0, 5),), ((1, 3), (2, 4)), ((2, 7),)]
    assert problem.operations[1].after == (0,)


def test_machines_may_count_from_1(tmp_path: Path) -> None:
    file = tmp_path / "k.txt"
    file.write_text("1 2 1.5\n2 1 1 5 1 2 6\n")
    assert [o.alternatives for o in read_flexible(file).operations] == [((0, 5),), ((1, 6),)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no flexible job shop"),
        ("2 3\n1 1 0 5\n", "ends after 1 of 2"),
        ("1 3\n2 1 0 5\n", "line 2"),
        ("1 3\n1 3 0 5\n", "line 2"),
        ("1 3\n1 1 0 x\n", "line 2"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "k.txt"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_flexible(file)


def test_reads_collections_and_bounds(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    entry = {
        "duration_matrix": [[3, 2], [2, 4]],
        "machines_matrix": [[0, 1], [1, 0]],
        "metadata": {"upper_bound": 7},
    }
    file.write_text(json.dumps({"x": entry}))
    problem, bound = read_collection(file)["x"]
    assert (len(problem.operations), bound) == (4, 7)
    file.write_text(json.dumps([{"path": "a", "optimum": None, "bounds": {"upper": 9}}]))
    assert read_bounds(file) == {"a": 9}
    with pytest.raises(ConfigError):
        read_collection(file)
