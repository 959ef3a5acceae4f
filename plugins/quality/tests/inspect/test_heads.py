"""Heads against plain definitions, and each as ONNX nodes against itself in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from millhand_quality.inspect.heads import (
    FITTERS,
    Head,
    fit_bank,
    fit_diagonal,
    fit_padim,
)
from millhand_quality.inspect.heads.bank import choose_spread
from millhand_quality.inspect.heads.padim import DIRECTIONS, mean_of_neighbours
from millhand_quality.inspect.network import FLOAT, Recorder
from millhand_quality.inspect.runtime import open_session
from millhand_quality.inspect.trunk import Array

SHAPE = (12, 60, 6, 7)


@pytest.fixture(scope="module")
def features() -> Array:
    random = np.random.default_rng(3)
    base = random.normal(size=(1, *SHAPE[1:]))
    mixing = random.normal(size=(SHAPE[1], SHAPE[1])) / 8
    noise = np.einsum("dc,ncyx->ndyx", mixing, random.normal(size=SHAPE))
    return (base + noise).astype(np.float32)


def run_nodes(head: Head, features: Array) -> Array:
    recorder = Recorder()
    out = head.record(recorder, "features")
    _, channels, rows, columns = features.shape
    model = recorder.model(
        {"features": (FLOAT, (1, channels, rows, columns))},
        {out: (FLOAT, (1, 1, rows, columns))},
        "a head",
    )
    session = open_session(model.SerializeToString())
    maps = [session.run(None, {"features": one[None]})[0][0, 0] for one in features]
    return np.stack(maps)


@pytest.mark.parametrize("kind", list(FITTERS))
def test_nodes_equal_numpy(kind: str, features: Array) -> None:
    head = FITTERS[kind](features[:8])
    assert head.kind == kind
    wanted = head.distances(features)
    assert wanted.shape == (12, 6, 7)
    np.testing.assert_allclose(run_nodes(head, features), wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", list(FITTERS))
def test_a_mark_stands_out_where_it_is(kind: str, features: Array) -> None:
    head = FITTERS[kind](features[:11])
    hurt = features[11:].copy()
    hurt[0, :, 2, 5] += 6
    heat = head.distances(hurt)[0]
    assert np.unravel_index(heat.argmax(), heat.shape) == (2, 5)
    assert heat.max() > 2 * head.distances(features[11:]).max()


def test_diagonal_is_its_definition(features: Array) -> None:
    good = features[:8].astype(np.float64)
    mean = good.mean(axis=0)
    residual = good - mean
    residual -= residual.mean(axis=(2, 3), keepdims=True)
    own = residual.var(axis=0)
    shrunk = (8 * own + own.mean(axis=(1, 2), keepdims=True)) / 9
    box = (0, 3, 3)
    around = ndimage.uniform_filter(mean, box, mode="nearest")
    spread = ndimage.uniform_filter(mean**2, box, mode="nearest") - around**2
    variance = shrunk + 5 / 13 * spread
    new = features[8:] - mean
    new -= new.mean(axis=(2, 3), keepdims=True)
    wanted = (new**2 / variance).mean(axis=1)
    np.testing.assert_allclose(
        fit_diagonal(features[:8]).distances(features[8:]), wanted, rtol=1e-3
    )


def test_padim_is_a_mahalanobis_distance(features: Array) -> None:
    head = fit_padim(features[:8])
    kept = min(DIRECTIONS, SHAPE[1] - 1)
    residual = features[9] - head.mean
    residual = residual - residual.mean(axis=(1, 2), keepdims=True)
    white = head.whitening @ residual[:, 3, 4]
    root = head.own[3, 4].astype(np.float64)
    covariance = np.linalg.inv(root.T @ root)
    inner = white[:kept] @ np.linalg.solve(covariance, white[:kept])
    wanted = (inner + (white[kept:] ** 2).sum()) / SHAPE[1]
    assert head.distances(features[9:10])[0, 3, 4] == pytest.approx(wanted, rel=1e-3)


def test_padim_whitens_what_it_was_fitted_on(features: Array) -> None:
    head = fit_padim(features)
    residual = features - head.mean
    residual = residual - residual.mean(axis=(2, 3), keepdims=True)
    white = np.einsum("dc,ncyx->dnyx", head.whitening, residual).reshape(SHAPE[1], -1)
    covariance = white @ white.T / white.shape[1]
    largest = np.linalg.eigvalsh(covariance)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 0.2
    assert np.median(largest) > 0.8
    assert largest.max() < 1.2


def test_mean_of_neighbours_is_a_box_filter() -> None:
    cells = np.random.default_rng(0).normal(size=(5, 6, 3, 3)).astype(np.float32)
    wanted = ndimage.uniform_filter(cells, (3, 3, 0, 0), mode="nearest")
    np.testing.assert_allclose(mean_of_neighbours(cells), wanted, atol=1e-6)


def test_bank_distance_is_that_of_the_nearest(features: Array) -> None:
    head = fit_bank(features[:8])
    cell = features[10, :, 1, 2] * head.scale
    wanted = ((head.bank - cell) ** 2).sum(axis=1).min() / SHAPE[1]
    assert head.distances(features[10:11])[0, 1, 2] == pytest.approx(wanted, rel=1e-3)
    assert head.distances(features[:8]).max() == pytest.approx(0, abs=1e-3)


def test_spread_choice_covers_better_than_chance() -> None:
    random = np.random.default_rng(1)
    cells = np.concatenate([random.normal(size=(500, 4)), random.normal(size=(5, 4)) + 30])
    cells = cells.astype(np.float32)
    chosen = choose_spread(cells, 20, seed=0)
    assert len(set(chosen)) == 20
    assert sum(index >= 500 for index in chosen) >= 3
    assert choose_spread(cells[:10], 20, seed=0) == list(range(10))


@pytest.mark.parametrize("kind", list(FITTERS))
@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_very_few_pictures_give_finite_distances(kind: str, count: int, features: Array) -> None:
    distances = FITTERS[kind](features[:count]).distances(features[count:])
    assert np.isfinite(distances).all()
    assert 0.05 < np.median(distances) < 50


@pytest.mark.parametrize("kind", list(FITTERS))
def test_fitting_is_deterministic(kind: str, features: Array) -> None:
    first, second = (FITTERS[kind](features[:8]).distances(features) for _ in range(2))
    np.testing.assert_array_equal(first, second)
