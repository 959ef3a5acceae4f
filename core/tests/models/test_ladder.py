"""A ladder of accelerators: the next rung answers in time; one that is well is used again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from threading import Event
from typing import Any

import numpy as np
import pytest
from onnx_reference import Reference

from millhand.contracts.adapters import Used
from millhand.errors import InternalError, Unavailable
from millhand.models.ladder import LadderModel, open_ladder


class Device:
    """An accelerator that can be broken: it wraps another one, and fails or hangs when told."""

    def __init__(self, name: str, inner: Any) -> None:
        self.name = name
        self.inner = inner
        self.fails = False
        self.hangs = Event()
        self.hangs.set()
        self.ran = 0

    def load(self, graph: Any, manifest: Any) -> Any:
        if self.fails:
            raise Unavailable("no such device")
        return Session(self, self.inner.load(graph, manifest))

    def close(self) -> None:
        self.inner.close()


class Session:
    def __init__(self, device: Device, inner: Any) -> None:
        self._device = device
        self._inner = inner

    @property
    def used(self) -> Used:
        used: Used = self._inner.used
        return Used(provider=self._device.name, device=used.device, precision=used.precision,
                    threads=1, runtime=used.runtime)  # fmt: skip

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        self._device.hangs.wait(30)
        if self._device.fails:
            raise Unavailable("device lost")
        self._device.ran += 1
        result: Mapping[str, Any] = self._inner.run(inputs)
        return result

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def devices() -> tuple[Device, Device]:
    reference = Reference("reference", Reference.Config())
    return Device("npu", reference), Device("cpu", reference)


@pytest.fixture
def model(package: Any, devices: tuple[Device, Device]) -> Iterator[LadderModel]:
    opened = open_ladder(package, {device.name: device for device in devices})
    assert isinstance(opened, LadderModel)
    for rung in opened._rungs:
        rung.retry_s = 0.01
    yield opened
    for device in devices:
        device.hangs.set()
    opened.close()


def until_back(model: LadderModel, device: Device, kit: Any) -> None:
    """Ask until the device answers again."""
    ran, end = device.ran, time.monotonic() + 20
    while time.monotonic() < end:
        model(x=kit.X)
        if any(change.up for change in model.changes()):
            model(x=kit.X)
            assert device.ran > ran
            return
        time.sleep(0.005)
    raise AssertionError("it did not come back")


def test_the_best_rung_answers(model: LadderModel, devices: Any, kit: Any) -> None:
    npu, cpu = devices
    npu.ran = cpu.ran = 0
    np.testing.assert_allclose(model(x=kit.X)["y"], kit.Y, atol=1e-6)
    assert (npu.ran, cpu.ran) == (1, 0)
    assert model.used.provider == "npu"
    assert model.changes() == []


def test_where_it_fails_the_next_answers_and_it_comes_back_by_itself(
    model: LadderModel, devices: Any, kit: Any
) -> None:
    npu, _ = devices
    npu.fails = True
    np.testing.assert_allclose(model(x=kit.X)["y"], kit.Y, atol=1e-6)
    (change,) = model.changes()
    assert (change.accelerator, change.up) == ("npu", False)
    assert "device lost" in change.text
    assert model.used.provider == "cpu"
    npu.fails = False
    until_back(model, npu, kit)
    assert model.used.provider == "npu"


def test_one_that_hangs_leaves_time_for_the_next(
    model: LadderModel, devices: Any, kit: Any
) -> None:
    npu, _ = devices
    npu.hangs.clear()
    started = time.monotonic()
    model.deadline = started + 2.0
    np.testing.assert_allclose(model(x=kit.X)["y"], kit.Y, atol=1e-6)
    assert time.monotonic() < model.deadline
    assert "no answer in time" in model.changes()[0].text
    model.deadline = None
    npu.hangs.set()
    until_back(model, npu, kit)


def test_where_all_fail_it_says_so_and_goes_on_trying(
    model: LadderModel, devices: Any, kit: Any
) -> None:
    npu, cpu = devices
    npu.fails = cpu.fails = True
    with pytest.raises(Unavailable, match="No accelerator"):
        model(x=kit.X)
    cpu.fails = False
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            model(x=kit.X)
            break
        except Unavailable:
            time.sleep(0.005)
    assert model.used.provider == "cpu"


def test_a_wrong_question_brings_no_rung_down(model: LadderModel) -> None:
    with pytest.raises(InternalError):
        model(x=np.ones(3, np.float32))
    assert model.used.provider == "npu"
    assert model.changes() == []


def test_a_device_that_is_not_there_at_the_start_is_told(
    package: Any, devices: Any, kit: Any
) -> None:
    npu, cpu = devices
    npu.fails = True
    opened = open_ladder(package, {"npu": npu, "cpu": cpu})
    assert isinstance(opened, LadderModel)
    with opened:
        opened(x=kit.X)
        assert [(c.accelerator, c.up) for c in opened.changes()] == [("npu", False)]
    npu.fails = cpu.fails = True
    with pytest.raises(Unavailable):
        open_ladder(package, {"npu": npu, "cpu": cpu})


def test_one_accelerator_is_no_ladder(package: Any, devices: Any) -> None:
    with open_ladder(package, {"cpu": devices[1]}) as opened:
        assert not isinstance(opened, LadderModel)
