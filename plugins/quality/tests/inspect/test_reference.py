"""A part held against its template: registered, compared, boxed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from observing import observation

from millhand.contracts import Highlight, Verdict
from millhand.models.package import Package, open_package
from millhand_quality.inspect.agent import InspectAgent
from millhand_quality.inspect.config import InspectConfig
from millhand_quality.inspect.detector import COUNTS, SCORE
from millhand_quality.inspect.package import Lineage
from millhand_quality.inspect.parameters import read_parameters
from millhand_quality.inspect.pictures import Pixels, Shape, open_picture
from millhand_quality.inspect.reference.boxes import boxes
from millhand_quality.inspect.reference.graph import Reference, envelope, grey_of
from millhand_quality.inspect.reference.package import ReferenceRequest, write_reference
from millhand_quality.inspect.reference.rules import ReferenceRules
from millhand_quality.inspect.runtime import open_session

from .conftest import save
from .test_commands import millhand


def board(height: int = 160, width: int = 200, channels: int = 1) -> Pixels:
    """Return tracks of many directions: every tile has something to hold on to."""
    random = np.random.default_rng(4)
    grey = np.full((height, width), 30, np.uint8)
    for _ in range(40):
        y, x = int(random.integers(0, height - 8)), int(random.integers(0, width - 8))
        if random.random() < 0.5:
            grey[y : y + 5, x : x + int(random.integers(15, 60))] = 220
        else:
            grey[y : y + int(random.integers(15, 60)), x : x + 5] = 220
    return np.repeat(grey[:, :, None], channels, axis=2)


def moved(pixels: Pixels, down: int, right: int) -> Pixels:
    """Return the picture as a camera sees it that stands a little off."""
    padded = np.pad(pixels, ((8, 8), (8, 8), (0, 0)), mode="edge")
    height, width = pixels.shape[:2]
    return padded[8 - down : 8 - down + height, 8 - right : 8 - right + width].copy()


def run(reference: Reference, pixels: Pixels) -> tuple[float, NDArray[np.uint8]]:
    session = open_session(reference.graph().SerializeToString())
    score, counts = session.run([SCORE, COUNTS], {"image": pixels})
    return float(score[0]), counts


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-4, 4)])
def test_what_only_stands_elsewhere_does_not_differ(channels: int, shift: tuple[int, int]) -> None:
    template = board(channels=channels)
    score, counts = run(Reference(template, ReferenceRules()), moved(template, *shift))
    assert score == 0, boxes(counts, 0)


def test_beyond_its_reach_it_does_differ() -> None:
    template = board()
    rules = ReferenceRules(reach=2, tolerance=0)
    assert run(Reference(template, rules), moved(template, 7, 7))[0] > rules.least


def test_two_halves_move_by_themselves() -> None:
    template = board()
    picture = template.copy()
    picture[:, :64] = moved(template, 3, 0)[:, :64]
    picture[:, 64:] = moved(template, -3, 0)[:, 64:]
    still = ReferenceRules(reach=4, tile=160, tolerance=1)
    alone = ReferenceRules(reach=4, tile=64, tolerance=1)
    assert run(Reference(template, alone), picture)[0] < run(Reference(template, still), picture)[0]


def test_a_spot_is_boxed_where_it_is() -> None:
    template = board()
    picture = moved(template, 2, 1)
    picture[70:78, 120:130] = 255 - picture[70:78, 120:130]
    score, counts = run(Reference(template, ReferenceRules()), picture)
    assert score > 20
    (box,) = boxes(counts, 5.5, margin=0)
    assert (68 <= box.top <= 72, 76 <= box.bottom <= 80) == (True, True)
    assert (118 <= box.left <= 122, 128 <= box.right <= 132) == (True, True)


def test_counts_are_what_numpy_counts() -> None:
    """No displacement, no tile to move: the graph against the definition, pixel by pixel."""
    random = np.random.default_rng(0)
    template = random.integers(0, 256, (48, 56, 1), np.uint8)
    picture = random.integers(0, 256, (48, 56, 1), np.uint8)
    rules = ReferenceRules(reach=0, tolerance=1, contrast=30, window=5)
    _, counts = run(Reference(template, rules), picture)
    low, high = envelope(grey_of(template), 1)
    grey = grey_of(picture)
    differs = np.maximum(low - grey, grey - high) > 30
    padded = np.pad(differs, 2)
    near = sum(padded[y : y + 48, x : x + 56].astype(int) for y in range(5) for x in range(5))
    assert differs.any()
    np.testing.assert_array_equal(counts, np.where(differs, near, 0))


def test_boxes_join_what_touches_and_part_what_does_not() -> None:
    counts = np.zeros((80, 80), np.uint8)
    counts[10:14, 10:30] = 9
    counts[16:18, 20:24] = 3
    counts[60:62, 60:62] = 4
    counts[40, 40] = 1
    found = boxes(counts, 2, margin=0)
    assert [(one.left, one.top, one.right, one.bottom) for one in found] == [
        (10, 10, 30, 18),
        (60, 60, 62, 62),
    ]
    assert boxes(np.zeros((8, 8), np.uint8), 0) == []


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("reference")
    template = open_picture(save(folder / "board.png", board(channels=3)))
    good = [
        open_picture(save(folder / f"{n}.png", moved(board(channels=3), n % 5 - 2, n % 3 - 1)))
        for n in range(12)
    ]
    request = ReferenceRequest(
        template,
        good,
        ReferenceRules(),
        "board",
        false_reject_rate=0.1,
        lineage=Lineage("b", "MIT"),
    )
    return write_reference(request, folder / "package")


class Opened:
    """The package as the worker opens it."""

    def __init__(self, package: Package) -> None:
        self.package_id = package.id
        self.parameters = package.manifest.parameters
        self._session = open_session(package.path(package.graph()).read_bytes())

    def __call__(self, **inputs: NDArray[np.uint8]) -> dict[str, NDArray[np.generic]]:
        names = [one.name for one in self._session.get_outputs()]
        return dict(zip(names, self._session.run(names, inputs), strict=True))


def test_the_agent_rejects_and_shows_the_spot(package: Package) -> None:
    picture = moved(board(channels=3), 1, 1)
    agent = InspectAgent(InspectConfig())
    good = agent.decide(observation(picture, "inspector"), {"model": Opened(package)})
    assert good.verdict is Verdict.OK
    assert not [one for one in good.explanations if isinstance(one, Highlight)]
    picture[70:80, 120:130] = 255 - picture[70:80, 120:130]
    bad = agent.decide(observation(picture, "inspector"), {"model": Opened(package)})
    assert bad.verdict is Verdict.NOT_OK
    (spots,) = [one for one in bad.explanations if isinstance(one, Highlight)]
    (spot,) = spots.fields.values()
    left, top, wide, high = map(int, re.findall(r"\d+", str(spot)))
    assert abs(left + wide / 2 - 125) <= 3, spot
    assert abs(top + high / 2 - 75) <= 3, spot


def test_another_picture_is_not_decidable(package: Package) -> None:
    other = 255 - board(channels=3)
    decision = InspectAgent(InspectConfig()).decide(
        observation(other, "inspector"), {"model": Opened(package)}
    )
    assert decision.verdict is Verdict.NOT_DECIDABLE
    assert "whole picture" in decision.reason


def test_the_package_says_what_it_promises(package: Package) -> None:
    parameters = read_parameters(open_package(package.folder).manifest.parameters)
    assert (parameters.guarantee, parameters.promised_rate) == ("split-conformal", 0.1)
    assert parameters.reject_above == 9.5
    assert parameters.frame.width == Shape.of(board()).width


def test_the_command_writes_a_package_that_loads(tmp_path: Path) -> None:
    template = save(tmp_path / "board.png", board())
    picture = board()
    picture[70:78, 120:130] = 255 - picture[70:78, 120:130]
    bad = save(tmp_path / "bad.png", picture)
    made = millhand("inspect", "reference", template, "--out", tmp_path / "models/board")
    assert made.returncode == 0, made.stderr
    assert "rate of false rejects is not known" in made.stdout
    judged = millhand("inspect", "score", tmp_path / "models/board", template, bad, "--json")
    found = [json.loads(line)["verdict"] for line in judged.stdout.splitlines()]
    assert found == ["ok", "not_ok"]
    checked = millhand("models", "verify", tmp_path / "models/board")
    assert checked.returncode == 0, checked.stdout + checked.stderr
