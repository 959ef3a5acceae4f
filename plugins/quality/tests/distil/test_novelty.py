import numpy as np

from millhand_quality.inspect.distil.novelty import FARTHEST, fit_novelty, pooled
from millhand_quality.inspect.network import FLOAT, Recorder
from millhand_quality.inspect.runtime import open_session


def features(count, seed=0, level=5.0):
    random = np.random.default_rng(seed)
    shape = np.linspace(0, 3, 6 * 16 * 24).reshape(6, 16, 24)
    return (shape + level + random.normal(0, 0.3, (count, 6, 16, 24))).astype(np.float32)


def test_a_whole_change_is_foreign_and_a_spot_is_not():
    model = fit_novelty(pooled(features(200)))
    ordinary = model(features(50, seed=1))
    spot = features(50, seed=1)
    spot[:, :, 4:8, 4:8] += 40
    darker = features(50, seed=1, level=0.5)
    assert model(darker).min() > 3 * ordinary.max()
    assert model(spot).max() < 1.5 * ordinary.max()
    assert model(darker).max() <= FARTHEST


def test_the_graph_does_the_same():
    model = fit_novelty(pooled(features(20)))
    recorder = Recorder()
    model.record(recorder, "x", "novelty")
    graph = recorder.model(
        {"x": (FLOAT, (1, 6, 16, 24))}, {"novelty": (FLOAT, (1,))}, "novelty alone"
    )
    session = open_session(graph.SerializeToString())
    for one in features(3, seed=2, level=4.5):
        (got,) = session.run(None, {"x": one[None]})
        np.testing.assert_allclose(got, model(one[None]), rtol=1e-4)


def test_what_never_changes_gives_no_infinite_novelty():
    still = np.zeros((10, 6, 16, 24), np.float32)
    model = fit_novelty(pooled(still))
    assert model(still).max() == 0
    assert np.isfinite(model(still + 1)).all()
