"""The int8 variant: the same inputs and outputs, smaller, and still sees a deep scratch.

How much worse it sees is measured in ``tests/benchmarks/inspection.py``.
"""

from __future__ import annotations

import numpy as np

from millhand_quality.inspect.detector import fit_detector
from millhand_quality.inspect.features import FeatureExtractor, plan_input
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.pictures import Shape
from millhand_quality.inspect.quantise import quantised
from millhand_quality.inspect.select import CANDIDATES

from .conftest import make_part, scratch


def test_int8_after_refit_finds_the_same_defect() -> None:
    plan, choices = plan_input(Shape(96, 96, 3), 96), CANDIDATES["diagonal"]
    good = [make_part(seed) for seed in range(10)]
    parts = [str(index) for index in range(10)]
    extractor = FeatureExtractor(plan, [(10,)], change=lambda model: quantised(model, good))
    detector = fit_detector(plan, choices, extractor.stack(good), parts)
    whole = detector.graph()
    small = quantised(whole, good)
    assert small.ByteSize() < 0.6 * whole.ByteSize()
    assert [one.name for one in small.graph.output] == [one.name for one in whole.graph.output]
    kinds = [node.op_type for node in small.graph.node]
    assert kinds.count("DequantizeLinear") > 30
    runner = GraphRunner(small.SerializeToString())
    reading = runner(scratch(make_part(60)))
    assert reading.score > runner(make_part(60)).score
    row, column = np.unravel_index(reading.heat.argmax(), reading.heat.shape)
    assert (int(row), int(column)) in {(2, 0), (2, 1), (3, 0), (3, 1)}
