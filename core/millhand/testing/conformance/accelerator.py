"""The conformance kit for ``Accelerator``: right answers, honest about where, nothing left."""

from __future__ import annotations

import gc
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from millhand.contracts import Accelerator, Session
from millhand.errors import InternalError, NeedsPerson, PackageError
from millhand.models.package import Package
from millhand.testing.conformance.graphs import (
    PICTURE,
    conv_net,
    identity_net,
    numpy_net,
    package_of,
    unknown_operator_net,
)
from millhand.testing.conformance.kit import Kit
from millhand.testing.conformance.promises import Tier, promise


class AcceleratorCapability(StrEnum):
    """What an accelerator may lack; each opt-out needs a reason."""

    BATCHES = "batches"
    """It takes batches of any size where the graph does."""
    THREADS = "threads"
    """It can be told how many threads to use."""
    ABSENT = "absent"
    """It can be asked for a device that is not there."""
    EXACT = "exact"
    """It computes in full precision, so that numpy's answer is the measure."""


class AcceleratorBench(ABC):
    """An accelerator, built as the worker builds it."""

    tolerance: ClassVar[float] = 1e-5
    """Greatest relative difference to numpy's answer."""

    @abstractmethod
    def accelerator(self, **options: Any) -> Any:
        """Build the accelerator."""

    def threaded(self, threads: int) -> Any:
        """Build it for so many threads."""
        return self.accelerator(threads=threads)

    def absent(self) -> Callable[[], Any]:
        """Return what builds one for a device that this machine does not have."""
        raise NotImplementedError


class AcceleratorKit(Kit):
    """All that an adapter with the face ``Accelerator`` promises. Needs ``pip install onnx``."""

    kit: ClassVar[str] = "accelerator"
    Capability = AcceleratorCapability
    independent: ClassVar[bool] = True

    @pytest.fixture
    def bench(self) -> AcceleratorBench:
        """Return the bench; a subclass must say which."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture named bench")

    @pytest.fixture
    def net(self, tmp_path: Path) -> Package:
        """Return a package with a small convolutional net."""
        pytest.importorskip("onnx")
        golden = {"score": numpy_net(PICTURE)}
        return package_of(conv_net(), {"image": PICTURE}, golden, tmp_path / "net")

    def load(self, accelerator: Any, package: Package) -> Session:
        """Load the package's graph."""
        entry = package.graph(None)
        found: Session = accelerator.load(package.folder / entry.path, package.manifest)
        return found

    def open(self, bench: AcceleratorBench, package: Package) -> Any:
        """Return a session, closed at the end of the block."""
        return closing(self.load(bench.accelerator(), package))

    @promise(Tier.BRONZE, AcceleratorCapability.EXACT)
    def test_answers_as_numpy_does(self, bench: AcceleratorBench, net: Package) -> None:
        """The answers are numpy's, in type and shape, within the tolerance."""
        assert isinstance(bench.accelerator(), Accelerator)
        with self.open(bench, net) as session:
            for seed in range(5):
                picture = np.random.default_rng(seed).integers(0, 256, PICTURE.shape, np.uint8)
                found = session.run({"image": picture})["score"]
                assert found.dtype == np.float32
                np.testing.assert_allclose(
                    found, numpy_net(picture), rtol=bench.tolerance, atol=bench.tolerance
                )

    @promise(Tier.BRONZE)
    def test_says_what_it_really_used(self, bench: AcceleratorBench, net: Package) -> None:
        """It says provider, device, precision, threads and library of what really runs."""
        with self.open(bench, net) as session:
            used = session.used
            assert all([used.provider, used.device, used.precision, used.runtime])
            assert any(letter.isdigit() for letter in used.runtime), "its version is missing"
            assert used.threads >= 1

    @promise(Tier.BRONZE)
    def test_same_input_same_bytes(self, bench: AcceleratorBench, net: Package) -> None:
        """The same input gives the same bytes, again and from another session."""
        with self.open(bench, net) as one, self.open(bench, net) as other:
            answers = {
                session.run({"image": PICTURE})["score"].tobytes() for session in (one, other) * 5
            }
        assert len(answers) == 1

    @promise(Tier.BRONZE)
    def test_answers_are_the_callers(self, bench: AcceleratorBench, net: Package) -> None:
        """An answer stays as it is when the next one comes, and after closing."""
        with self.open(bench, net) as session:
            first = session.run({"image": PICTURE})["score"]
            kept = first.copy()
            session.run({"image": 255 - PICTURE})
            np.testing.assert_array_equal(first, kept)
        gc.collect()
        np.testing.assert_array_equal(first, kept)

    @promise(Tier.BRONZE)
    def test_takes_any_layout(self, bench: AcceleratorBench, net: Package) -> None:
        """Read-only and strided inputs are taken as they are and not changed."""
        frozen = np.frombuffer(PICTURE.tobytes(), np.uint8).reshape(PICTURE.shape)
        mirrored: NDArray[Any] = PICTURE[:, :, ::-1]
        with self.open(bench, net) as session:
            expected = session.run({"image": PICTURE})["score"]
            np.testing.assert_array_equal(session.run({"image": frozen})["score"], expected)
            np.testing.assert_array_equal(
                session.run({"image": mirrored})["score"],
                session.run({"image": np.ascontiguousarray(mirrored)})["score"],
            )

    @promise(Tier.BRONZE)
    def test_wrong_inputs_are_refused(self, bench: AcceleratorBench, net: Package) -> None:
        """Inputs of a wrong name, shape or type are refused, and the session lives on."""
        with self.open(bench, net) as session:
            for wrong in (
                {"image": PICTURE[:, :8]},
                {"image": PICTURE.astype(np.float32)},
                {"picture": PICTURE},
                {},
            ):
                with pytest.raises(PackageError) as caught:
                    session.run(wrong)
                assert caught.value.fault == "shape"
            assert session.run({"image": PICTURE})["score"].shape == (1, 4)

    @promise(Tier.SILVER, AcceleratorCapability.BATCHES)
    def test_batches_of_any_size(self, bench: AcceleratorBench, tmp_path: Path) -> None:
        """Batches of changing size are taken where the graph takes them."""
        pytest.importorskip("onnx")
        golden = {"score": numpy_net(PICTURE)}
        graph = conv_net(batch="n")
        package = package_of(graph, {"image": PICTURE}, golden, tmp_path / "n")
        with self.open(bench, package) as session:
            for count in (1, 4, 2):
                pictures = np.repeat(PICTURE, count, axis=0)
                assert session.run({"image": pictures})["score"].shape == (count, 4)

    @promise(Tier.SILVER)
    def test_not_finite_goes_through(self, bench: AcceleratorBench, tmp_path: Path) -> None:
        """NaN and infinity come out as they went in: nothing turns them into numbers."""
        pytest.importorskip("onnx")
        wild = np.array([[np.nan, np.inf, -np.inf, 1.0]], np.float32)
        tame = np.ones((1, 4), np.float32)
        package = package_of(identity_net(), {"x": tame}, {"y": tame}, tmp_path / "same")
        with self.open(bench, package) as session:
            np.testing.assert_array_equal(session.run({"x": wild})["y"], wild)

    @promise(Tier.SILVER)
    def test_damaged_graph_is_refused(self, bench: AcceleratorBench, net: Package) -> None:
        """A graph that was damaged, cut off or replaced is refused with the fault named."""
        entry = net.graph(None)
        path = net.folder / entry.path
        whole = path.read_bytes()
        for damaged in (whole[:-20], b"", b"no graph at all", whole[:40] + b"\xff" + whole[41:]):
            path.write_bytes(damaged)
            with pytest.raises(PackageError) as caught:
                bench.accelerator().load(path, net.manifest)
            assert caught.value.fault
            assert str(caught.value)

    @promise(Tier.SILVER)
    def test_unknown_operator_is_refused(self, bench: AcceleratorBench, tmp_path: Path) -> None:
        """A graph with an operator that is not there is refused with the fault named."""
        pytest.importorskip("onnx")
        x = np.ones((1, 4), np.float32)
        package = package_of(unknown_operator_net(), {"x": x}, {"y": x}, tmp_path / "odd")
        with pytest.raises(PackageError) as caught:
            self.load(bench.accelerator(), package)
        assert caught.value.fault in {"operator", "opset", "graph"}

    @promise(Tier.BRONZE)
    def test_closed_says_so(self, bench: AcceleratorBench, net: Package) -> None:
        """A closed session says so, may be closed twice, and closes no other."""
        accelerator = bench.accelerator()
        one, other = self.load(accelerator, net), self.load(accelerator, net)
        one.close()
        one.close()
        with pytest.raises(InternalError):
            one.run({"image": PICTURE})
        assert other.run({"image": PICTURE})["score"].shape == (1, 4)
        accelerator.close()
        with pytest.raises(InternalError):
            other.run({"image": PICTURE})

    @promise(Tier.SILVER, AcceleratorCapability.THREADS)
    def test_threads_as_asked(self, bench: AcceleratorBench, net: Package) -> None:
        """It uses as many threads as asked, says so, and answers the same."""
        answers = []
        for threads in (1, 2):
            accelerator = bench.threaded(threads)
            with closing(self.load(accelerator, net)) as session:
                assert session.used.threads == threads
                answers.append(session.run({"image": PICTURE})["score"])
        np.testing.assert_allclose(answers[1], answers[0], rtol=bench.tolerance)

    @promise(Tier.SILVER)
    def test_leaves_no_thread(self, bench: AcceleratorBench, net: Package) -> None:
        """Loading and closing again and again leaves no thread of Python behind."""
        for _ in range(2):
            accelerator = bench.accelerator()
            self.load(accelerator, net).close()
            accelerator.close()
        before = threading.active_count()
        for _ in range(5):
            accelerator = bench.accelerator()
            self.load(accelerator, net).close()
            accelerator.close()
        gc.collect()
        assert threading.active_count() == before

    @promise(Tier.GOLD, AcceleratorCapability.ABSENT)
    def test_no_silent_fallback(self, bench: AcceleratorBench, net: Package) -> None:
        """A device that is not there is an error with a mend, never another device."""
        build = bench.absent()
        with pytest.raises(NeedsPerson) as caught:
            self.load(build(), net)
        assert caught.value.mend
