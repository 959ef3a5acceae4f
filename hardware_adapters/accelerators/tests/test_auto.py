import json

import pytest
import structlog

from millhand.errors import ConfigError, PackageError
from millhand.models.bench import BenchRow, Candidate
from millhand.models.probe import Failed, Measured
from millhand.models.sessions import open_model
from millhand.models.timing import Times
from millhand_accelerators.auto import Auto, AutoConfig, select


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def auto(**settings):
    return Auto("auto", AutoConfig(seconds=0.05, **settings))


def row(name, p50, precision="fp32", fault=""):
    measured = Measured(
        provider="p",
        device="a processor",
        runtime="r",
        threads=1,
        times=Times(p50_ms=p50, p99_ms=p50 * 2, per_second=1e3 / p50, runs=20),
        load_ms=1.0,
        memory_mb=1.0,
        golden_difference=0.0,
    )
    return BenchRow(
        candidate=Candidate(accelerator=name, target="t:T", settings={}),
        precision=precision,
        threads=1,
        measured=None if fault else measured,
        failed=Failed(message="no good", fault=fault) if fault else None,
    )


def test_measures_once_remembers_and_says_why(package, kit, cache):
    first = auto()
    with open_model(package, first) as model:
        choice = model.choice
        assert choice.accelerator in {"onnxruntime", "openvino"}
        assert model.used.runtime.startswith(choice.accelerator)
        assert "p50" in choice.reason
        assert "against" in choice.reason
        assert model(image=kit.PICTURE)["score"].shape == (1, 4)
    (file,) = (cache / "millhand" / "accelerators").iterdir()
    written = file.stat().st_mtime_ns
    with open_model(package, auto()) as model:
        assert model.choice == choice
    assert file.stat().st_mtime_ns == written
    first.close()


def test_a_spoilt_memory_is_made_anew(package, cache):
    auto(among=("onnxruntime",)).choose(package)
    (file,) = (cache / "millhand" / "accelerators").iterdir()
    for spoilt in (b"{", b'{"accelerator": "nobody", "precision": "fp32"}'):
        file.write_bytes(spoilt)
        with structlog.testing.capture_logs():
            again = auto(among=("onnxruntime",)).choose(package)
        assert again.accelerator == "onnxruntime"
        assert json.loads(file.read_bytes())["accelerator"] == "onnxruntime"


def test_an_unwritable_cache_is_borne(package, cache):
    cache.write_text("a file where the folder should be")
    with structlog.testing.capture_logs() as logs:
        choice = auto(among=("onnxruntime",)).choose(package)
    assert choice.accelerator == "onnxruntime"
    assert "choice not remembered" in [entry["event"] for entry in logs]


def test_a_session_may_be_had_without_choosing_first(package):
    accelerator = auto(among=("onnxruntime",))
    session = accelerator.load(package.path(package.graph()), package.manifest)
    assert session.used.runtime.startswith("onnxruntime")


def test_a_package_that_answers_wrongly_is_refused_by_its_fault(tmp_path, kit):
    wrong = {"score": kit.numpy_net(kit.PICTURE) + 1}
    package = kit.package_of(kit.conv_net(), {"image": kit.PICTURE}, wrong, tmp_path / "wrong")
    with pytest.raises(PackageError) as caught:
        auto().choose(package)
    assert caught.value.fault == "golden"


def test_the_fastest_that_is_right_wins(package):
    rows = [row("slow", 3), row("wrong", 1, fault="golden"), row("fast", 2)]
    choice = select(package, rows)
    assert choice.accelerator == "fast"
    assert "wrong fp32 fails (no good)" in choice.reason


@pytest.mark.parametrize(("small", "precision"), [(1.7, "fp32"), (1.5, "int8")])
def test_another_precision_must_earn_its_place(package, small, precision):
    assert select(package, [row("a", 2), row("b", small, "int8")]).precision == precision


def test_nothing_installed(package, monkeypatch):
    monkeypatch.setattr("millhand_accelerators.auto.candidates", lambda _: ())
    with pytest.raises(ConfigError, match="pip install"):
        auto().choose(package)
