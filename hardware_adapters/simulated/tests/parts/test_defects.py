"""The truth told about a defect is true: it is where the mask says, as strong as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millhand_simulated.parts import DEFECTS, PRODUCTS, render
from millhand_simulated.parts.family import Family
from millhand_simulated.parts.kinds import Defect, Product

SLOW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(min_value=0, max_value=2**31 - 1)
LUMA = np.array([0.299, 0.587, 0.114])


def luminance(pixels: np.ndarray) -> np.ndarray:
    bright: np.ndarray = pixels.astype(float) @ LUMA
    return bright


@SLOW
@given(
    product=st.sampled_from(PRODUCTS),
    defect=st.sampled_from(DEFECTS),
    part=SEEDS,
    family=SEEDS,
)
def test_mask_area_and_contrast_follow_from_the_two_pictures(
    product: Product, defect: Defect, part: int, family: int
) -> None:
    good = render(product, part_seed=part, family_seed=family)
    bad = render(product, part_seed=part, family_seed=family, defect=defect)
    assert bad.area_px2 == np.count_nonzero(bad.mask) > 0
    before, after = luminance(good.pixels), luminance(bad.pixels)
    measured = np.abs(after - before)[bad.mask].mean() / before[bad.mask].mean()
    # Rounding to levels and clipping at 0 and 255 are all that may lie between.
    assert measured == pytest.approx(bad.contrast, rel=0.08, abs=0.01)


@SLOW
@given(
    product=st.sampled_from(PRODUCTS),
    defect=st.sampled_from(DEFECTS),
    part=SEEDS,
    family=SEEDS,
)
def test_nothing_changes_away_from_the_defect(
    product: Product, defect: Defect, part: int, family: int
) -> None:
    good = render(product, part_seed=part, family_seed=family)
    bad = render(product, part_seed=part, family_seed=family, defect=defect)
    differs = (good.pixels != bad.pixels).any(axis=2)
    ys, xs = bad.mask.nonzero()
    reach = 48  # a missing rib is 36 long and its mask may hold one end of it
    near = np.zeros_like(bad.mask)
    near[
        max(0, ys.min() - reach) : ys.max() + reach + 1,
        max(0, xs.min() - reach) : xs.max() + reach + 1,
    ] = True
    assert differs.any()
    assert not (differs & ~near).any()


@SLOW
@given(
    product=st.sampled_from(PRODUCTS),
    defect=st.sampled_from(DEFECTS),
    part=SEEDS,
    family=SEEDS,
)
def test_defects_lie_on_the_part(product: Product, defect: Defect, part: int, family: int) -> None:
    bad = render(product, part_seed=part, family_seed=family, defect=defect)
    ys, xs = bad.mask.nonzero()
    middle = 127.5
    if product == "impeller":
        assert np.hypot(ys - middle, xs - middle).max() < 111.5
    else:
        assert np.abs(np.concatenate([ys, xs]) - middle).max() < 106.5


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("defect", DEFECTS)
def test_most_defects_are_above_the_stated_limit_and_some_are_small(
    product: Product, defect: Defect
) -> None:
    bad = [
        render(product, part_seed=seed, family_seed=1000 + seed, defect=defect)
        for seed in range(24)
    ]
    areas = np.array([part.area_px2 for part in bad])
    contrasts = np.array([part.contrast for part in bad])
    assert np.mean((areas >= 12) & (contrasts >= 0.1)) > 0.8
    if defect != "missing_feature":
        assert areas.min() < 40
        assert contrasts.min() < 0.25


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("defect", [kind for kind in DEFECTS if kind != "missing_feature"])
def test_severity_makes_it_worse(product: Product, defect: Defect) -> None:
    def mean(severity: float) -> tuple[float, float]:
        bad = [
            render(product, part_seed=s, family_seed=s, defect=defect, severity=severity)
            for s in range(8)
        ]
        return float(np.mean([b.area_px2 for b in bad])), float(np.mean([b.contrast for b in bad]))

    (small, weak), (large, strong) = mean(0.0), mean(1.0)
    assert large > 2 * small
    assert strong > 1.3 * weak


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_feature_goes_missing_sooner_or_later(product: Product) -> None:
    missing = {
        render(product, part_seed=s, family_seed=1, defect="missing_feature").feature
        for s in range(30)
    }
    expected = {
        "impeller": {"blade_tip", "balance_hole", "keyway"},
        "housing": {"bolt_hole", "tapped_hole", "rib"},
    }
    assert missing == expected[product]


def test_families_differ_in_light_and_in_texture() -> None:
    families = [Family.of(seed) for seed in range(200)]
    for field in ("direct", "grain_px", "grain_depth", "marks_px", "gloss_machined", "tone"):
        values = np.array([getattr(family, field) for family in families])
        assert len(set(values)) == 200
        assert values.std() / values.mean() > 0.02, field
    assert all(abs(sum(c * c for c in family.light) - 1) < 1e-9 for family in families)
    assert all(abs(sum(c * c for c in family.half) - 1) < 1e-9 for family in families)
