"""Energy: from a counter where there is one, as a wide estimate where not, and never mixed up."""

from __future__ import annotations

import pytest
from onnx_reference import Reference

from millhand.models.energy import LEAST_W, MOST_W, energy_of, joules, packages, spent
from millhand.models.golden import golden_cases
from millhand.models.sessions import open_model


@pytest.fixture
def running(package):
    with open_model(package, Reference("r", Reference.Config())) as model:
        yield model.session, golden_cases(package, "fp32")[0][1]


def zone(folder, name, energy_uj, number=0):
    place = folder / f"intel-rapl:{number}"
    place.mkdir(parents=True)
    (place / "name").write_text(f"{name}\n")
    (place / "energy_uj").write_text(f"{energy_uj}\n")
    (place / "max_energy_range_uj").write_text("1000000\n")
    return place


def test_without_a_counter_it_is_an_estimate_with_its_assumptions(running, tmp_path):
    found = energy_of(*running, 0.05, counters=tmp_path)
    assert found.source == "estimated"
    assert 0 < found.low < found.millijoules < found.high
    assert found.high / found.low == pytest.approx(MOST_W / LEAST_W)
    assert "2 to 15 W a busy core" in found.method


def test_with_a_counter_it_is_measured_between_idle_and_whole(running, tmp_path):
    counter = zone(tmp_path, "package-0", 0) / "energy_uj"
    session, inputs = running

    class Heating:
        """The session, on a machine whose counter goes up by 2 mJ with every run."""

        used = session.used

        def run(self, given):
            fresh = counter.with_suffix(".new")
            fresh.write_text(str(int(counter.read_text()) + 2000))
            fresh.replace(counter)
            return session.run(given)

    found = energy_of(Heating(), inputs, 0.05, counters=tmp_path)
    assert found.source == "measured"
    assert (found.low, found.high) == (pytest.approx(2.0), pytest.approx(2.0))
    assert found.millijoules == found.high


def test_only_whole_processors_that_can_be_read_count(tmp_path):
    first = zone(tmp_path, "package-0", 5)
    zone(tmp_path, "dram", 7, number=1)
    zone(tmp_path, "package-1", 9, number=2)
    (tmp_path / "intel-rapl:2" / "energy_uj").unlink()
    assert packages(tmp_path) == (first,)


def test_a_counter_that_begins_anew_is_counted_on(tmp_path):
    place = zone(tmp_path, "package-0", 999_000)
    before = joules((place,))
    (place / "energy_uj").write_text("1000")
    assert spent((place,), before) == pytest.approx(0.002)
