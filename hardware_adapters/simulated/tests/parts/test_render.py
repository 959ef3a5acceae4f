"""The same seeds give the same bytes; pictures are of the part and of nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millhand_simulated.parts import DEFECTS, PRODUCTS, RENDERER_VERSION, render
from millhand_simulated.parts.kinds import Defect, Product

SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(min_value=0, max_value=2**31 - 1)

# Made by this renderer at RENDERER_VERSION 2. A difference means: raise the version.
GOLDEN = {
    ("impeller", 1, 1, None): "8029556df0322dd83b17a563",
    ("housing", 2, 77, "crack"): "cf280719ed8ad276d8d7779b",
    (
        "impeller",
        3,
        1500,
        "chip",
    ): "a1caf1d6ff97c1dc1c4e7684",
}


def digest(pixels: np.ndarray) -> str:
    return sha256(pixels.tobytes()).hexdigest()


@pytest.mark.parametrize(("product", "part", "family", "defect"), GOLDEN)
def test_golden(product: Product, part: int, family: int, defect: Defect | None) -> None:
    assert RENDERER_VERSION == 2
    picture = render(product, part_seed=part, family_seed=family, defect=defect)
    assert digest(picture.pixels)[:24] == GOLDEN[product, part, family, defect]


@pytest.mark.parametrize("simd", ["as found", "the plainest"])
def test_another_process_gives_the_same_bytes(simd: str) -> None:
    program = (
        "from hashlib import sha256; from millhand_simulated.parts import render;"
        "r = render('housing', part_seed=9, family_seed=8, defect='stain');"
        "print(sha256(r.pixels.tobytes()).hexdigest(), r.area_px2, round(r.contrast, 5))"
    )
    environment = dict(os.environ)
    if simd == "the plainest":
        # Stands in for an old processor.
        environment["NPY_DISABLE_CPU_FEATURES"] = " ".join(dispatched())
    command = [sys.executable, "-c", program]
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    # The order in which pictures are rendered must not matter either.
    render("impeller", part_seed=1, family_seed=2, defect="pit")
    here = render("housing", part_seed=9, family_seed=8, defect="stain")
    expected = [digest(here.pixels), str(here.area_px2), str(round(here.contrast, 5))]
    assert out.stdout.split() == expected


def dispatched() -> list[str]:
    """Return the processor features that numpy can be told to leave unused."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return [str(feature) for feature in found]


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("size", [64, 200, 256, 400])
def test_shape_and_type(product: Product, size: int) -> None:
    picture = render(product, part_seed=5, family_seed=6, defect="pit", size=size)
    assert picture.pixels.shape == (size, size, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.mask.shape == (size, size)
    assert not picture.pixels.flags.writeable
    assert not picture.mask.flags.writeable


@SLOW
@given(product=st.sampled_from(PRODUCTS), part=SEEDS, family=SEEDS)
def test_a_good_part_is_well_exposed_and_inside_the_picture(
    product: Product, part: int, family: int
) -> None:
    picture = render(product, part_seed=part, family_seed=family)
    assert not picture.mask.any()
    assert (picture.area_px2, picture.contrast, picture.feature) == (0.0, 0.0, "")
    grey = picture.pixels.mean(axis=2)
    border = np.concatenate([grey[:6].ravel(), grey[-6:].ravel(), grey[:, :6].ravel()])
    assert border.max() < 60, "the part touches the border of the picture"
    assert 110 < np.percentile(grey, 80) < 215
    assert np.mean(picture.pixels == 255) < 0.005, "blown out: a defect could hide there"


@SLOW
@given(product=st.sampled_from(PRODUCTS), part=SEEDS, family=SEEDS)
def test_seeds_matter(product: Product, part: int, family: int) -> None:
    one = render(product, part_seed=part, family_seed=family).pixels
    other_part = render(product, part_seed=part + 1, family_seed=family).pixels
    other_family = render(product, part_seed=part, family_seed=family + 1).pixels
    assert np.mean(one != other_part) > 0.3
    assert np.mean(one != other_family) > 0.3


def test_the_skin_is_smoother_than_the_smallest_promised_defect() -> None:
    """12 px² at 10 % must stand out: patches of that size vary by far less on a good part."""
    clear: dict[Product, tuple[int, int]] = {"impeller": (88, 204), "housing": (72, 40)}
    for product, (top, left) in clear.items():
        for family in range(1000, 1012):
            picture = render(product, part_seed=family, family_seed=family)
            skin = picture.pixels[top : top + 18, left : left + 9].mean(axis=2)
            patches = skin.reshape(6, 3, 3, 3).mean(axis=(1, 3))
            assert patches.std() / patches.mean() < 0.03, (product, family)


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("defect", DEFECTS)
def test_every_kind_can_be_rendered_on_every_product(product: Product, defect: Defect) -> None:
    picture = render(product, part_seed=11, family_seed=12, defect=defect)
    assert picture.area_px2 > 0
    assert picture.contrast > 0
    assert bool(picture.feature) == (defect == "missing_feature")
