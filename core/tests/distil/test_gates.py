"""The gate that holds a student against the same one without a teacher."""

from types import SimpleNamespace

import pytest

from millhand.distil.gates import NoWorseThanControl, NoWorseThanControlConfig
from millhand.distil.roles import Ruling
from millhand.models.manifest import Metric


def judge(low, high, margin=0.02):
    metrics = ()
    if low is not None:
        metrics = (
            Metric(
                name="gain over the control",
                value=(low + high) / 2,
                low=low,
                high=high,
                items=100,
                data="sealed test",
            ),
        )
    gate = NoWorseThanControl(NoWorseThanControlConfig(margin=margin))
    return gate.judge(SimpleNamespace(metrics=metrics))


@pytest.mark.parametrize(
    ("low", "high", "ruling"),
    [
        (0.01, 0.05, Ruling.PASS),
        (-0.02, 0.05, Ruling.PASS),
        (-0.03, 0.05, Ruling.REFUSE),
        (-0.06, -0.01, Ruling.REFUSE),
        (0.0, 0.0, Ruling.PASS),
    ],
)
def test_it_rules_on_what_is_sure(low, high, ruling):
    answer = judge(low, high)
    assert answer.ruling is ruling
    assert f"{low:+.4f}" in answer.reason


def test_without_a_control_it_cannot_judge():
    assert judge(None, None).ruling is Ruling.CANNOT_JUDGE
