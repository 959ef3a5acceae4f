import sys

import pytest
from onnx_reference import Reference

from millhand.errors import Unavailable
from millhand.models.bench import Candidate, bench, candidates, probe
from millhand.models.probe import Measure, Present
from millhand.models.sessions import open_model
from millhand.models.timing import time_runs
from millhand.plugins.registrations import AdapterType, Face

TARGET = "onnx_reference:Reference"
ADAPTER = AdapterType(
    name="reference", target=TARGET, summary="", faces=frozenset({Face.ACCELERATOR})
)


def request(package, **settings):
    return Measure(
        accelerator="reference",
        target=TARGET,
        settings=settings,
        package=str(package.folder),
        precision="fp32",
        seconds=0.05,
    )


def test_rows_for_every_candidate_and_thread(package):
    among = candidates([ADAPTER])
    assert [c.label for c in among] == ["reference", "reference 0.5"]
    told = []
    rows = bench(package, among, 0.05, threads=(1, 2), report=told.append)
    assert tuple(told) == rows
    assert [(row.threads, row.measured is not None) for row in rows] == [
        (1, True),
        (1, False),
        (2, True),
        (2, False),
    ]
    good, flawed = rows[0], rows[1]
    assert 0 < good.measured.times.p50_ms <= good.measured.times.p99_ms
    assert good.measured.times.runs >= 20
    assert good.measured.memory_mb > 1
    assert good.measured.golden_difference < 1e-6
    assert flawed.failed.fault == "golden"


def test_a_crash_is_an_answer(package):
    answer = probe(request(package, die=True))
    assert answer.failed.fault == "crash"
    assert "SIGSEGV" in answer.failed.message


def test_a_hang_is_an_answer(package):
    answer = probe(request(package), limit_s=0.01)
    assert answer.failed.fault == "timeout"


def test_an_unknown_accelerator_is_an_answer(package):
    assert "cannot be loaded" in probe(Present(target="nowhere:Nothing")).failed.message
    row = bench(package, [Candidate(accelerator="a", target="nowhere:Nothing")], 0.05, threads=(1,))
    assert row[0].measured is None


def test_a_damaged_package_is_an_answer(package):
    (package.folder / "model.onnx").write_bytes(b"x")
    assert probe(request(package)).failed.fault == "hash"


def test_adapters_of_other_faces_are_not_asked():
    camera = AdapterType(name="c", target="nowhere:C", summary="", faces=frozenset({Face.CAMERA}))
    assert candidates([camera]) == ()


def test_without_a_python_nothing_is_measured(package, monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(Unavailable):
        probe(request(package))


def test_timing_counts_what_it_says(package, kit):
    with open_model(package, Reference("r", Reference.Config())) as model:
        times = time_runs(model.session, {"x": kit.X}, 0.01)
    assert times.runs >= 20
    # Half of the runs took the median or longer, whatever else the machine does meanwhile.
    assert 0 < times.per_second <= 2e3 / times.p50_ms
    assert times.p50_ms <= times.p99_ms
