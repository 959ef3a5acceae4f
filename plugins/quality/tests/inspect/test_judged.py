"""Held-out pictures by which int8 is judged: both kinds early, verdicts as the agent gives them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from click.testing import CliRunner

from millhand.contracts import Verdict
from millhand.errors import ConfigError
from millhand_quality.inspect.commands.quantise import quantise
from millhand_quality.inspect.detector import HEAT, NOVELTY, SCORE
from millhand_quality.inspect.judged import judged_by
from millhand_quality.inspect.parameters import InspectParameters

PARAMETERS = InspectParameters.model_validate(
    {
        "frame": {"height": 8, "width": 8, "channels": 3},
        "detector": "test",
        "pass_up_to": 1.0,
        "reject_above": 2.0,
        "novelty_above": 5.0,
        "asked_rate": 0.01,
        "promised_rate": 0.01,
        "undecided_rate": 0.02,
        "guarantee": "estimate",
        "calibration": [0.5],
    }
)
GOOD = [np.full((8, 8, 3), shade, np.uint8) for shade in range(10)]
BAD = [np.full((8, 8, 3), 200 + shade, np.uint8) for shade in range(5)]


def outputs(score, novelty=0.0):
    return {
        SCORE: np.array([score], np.float32),
        HEAT: np.zeros((2, 2), np.float32),
        NOVELTY: np.array([novelty], np.float32),
    }


def test_the_first_few_show_both_kinds() -> None:
    judged = judged_by(PARAMETERS, GOOD, BAD)
    shades = [int(one["image"][0, 0, 0]) for one in judged.inputs]
    assert sorted(shades) == [*range(10), *range(200, 205)]
    assert sum(shade >= 200 for shade in shades[:6]) == 2


def test_an_answer_is_the_verdict() -> None:
    answer = judged_by(PARAMETERS, GOOD).answer
    assert answer(outputs(0.5)) is Verdict.OK
    assert answer(outputs(1.5)) is Verdict.NOT_DECIDABLE
    assert answer(outputs(2.5)) is Verdict.NOT_OK
    assert answer(outputs(0.5, novelty=6.0)) is Verdict.NOT_DECIDABLE


def test_the_figure_is_the_area_under_the_curve_of_both_kinds() -> None:
    judged = judged_by(PARAMETERS, GOOD, BAD)
    assert judged.figure is not None
    right = [outputs(float(one["image"][0, 0, 0])) for one in judged.inputs]
    assert judged.figure(right) == 1.0
    assert judged.figure([outputs(-float(one["image"][0, 0, 0])) for one in judged.inputs]) == 0.0
    assert judged_by(PARAMETERS, GOOD).figure is None


SHIPPED = Path(__file__).parents[4] / "scenarios/casting_cell/models/students/impeller"


def test_a_folder_without_pictures_is_said(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    words = [str(SHIPPED), "--good", str(tmp_path / "empty"), "--out", str(tmp_path / "o")]
    told = CliRunner().invoke(quantise, words, standalone_mode=False)
    assert isinstance(told.exception, ConfigError)
    assert "no picture" in str(told.exception)
