"""Figures on the held-out pictures of a folder in the MVTec layout, if it has any."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from millhand.models.manifest import Metric
from millhand_quality.inspect.features import InputPlan
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.layout import Layout, Listed
from millhand_quality.inspect.parameters import InspectParameters
from millhand_quality.inspect.pictures import Picture, Pixels, UnreadablePicture, open_picture
from millhand_quality.inspect.select import auroc
from millhand_quality.inspect.trunk import Array

INTERVAL = "Wilson, 95 %"
_Z = 1.959964


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    share = hits / count
    centre = share + _Z * _Z / (2 * count)
    half = _Z * math.sqrt(share * (1 - share) / count + _Z * _Z / (4 * count * count))
    scale = 1 + _Z * _Z / count
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


@dataclass(frozen=True, slots=True)
class Judged:
    """One test picture and what came out. ``kind`` is ``good`` or the defect's name."""

    picture: Picture
    kind: str
    score: float
    novelty: float
    heat: Array
    peak_on_defect: bool | None = None
    """Whether the hottest cell touches the mask; None without a mask."""


def judge_test(
    layout: Layout,
    plan: InputPlan,
    runner: GraphRunner,
    skipped: list[UnreadablePicture],
    progress: Callable[[], None] = lambda: None,
) -> list[Judged]:
    """Run the graph on every picture under ``test``."""
    groups = [("good", layout.test_good), *layout.test_defects.items()]
    judged = []
    for kind, listed in groups:
        for item in listed:
            found = _judge_one(layout, plan, runner, kind, item, skipped)
            if found is not None:
                judged.append(found)
            progress()
    return judged


def _judge_one(
    layout: Layout,
    plan: InputPlan,
    runner: GraphRunner,
    kind: str,
    item: Listed,
    skipped: list[UnreadablePicture],
) -> Judged | None:
    try:
        picture = open_picture(item.path, item.part)
        mask = None if kind == "good" else _mask(layout, kind, picture)
    except UnreadablePicture as error:
        skipped.append(error)
        return None
    reading = runner(picture.pixels(plan.frame))
    on_defect = None if mask is None else peak_touches(reading.heat, mask)
    return Judged(picture, kind, reading.score, reading.novelty, reading.heat, on_defect)


def _mask(layout: Layout, kind: str, picture: Picture) -> Pixels | None:
    path = layout.mask_of(kind, picture.path)
    return None if path is None else open_picture(path).kept


def peak_touches(heat: Array, mask: Pixels) -> bool:
    """Say whether the hottest cell, or one beside it, holds a marked pixel of ``(h, w, c)``."""
    rows, columns = heat.shape
    small = Image.fromarray((mask.max(axis=2) > 0).astype(np.uint8) * 255)
    cells = np.asarray(small.resize((columns, rows), Image.Resampling.BOX)) > 0
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    top, left = max(0, int(row) - 1), max(0, int(column) - 1)
    return bool(cells[top : int(row) + 2, left : int(column) + 2].any())


def figures(judged: Sequence[Judged], parameters: InspectParameters) -> tuple[Metric, ...]:
    """Return false rejects, found defects, undecided, AUROC and peaks, with intervals."""
    good = [one for one in judged if one.kind == "good"]
    bad = [one for one in judged if one.kind != "good"]
    limit, low = parameters.reject_above, parameters.pass_up_to
    metrics = []
    if good:
        metrics.append(
            _share("false reject rate", [one.score > limit for one in good], "test/good")
        )
        metrics.append(
            _share("good undecided", [low < one.score <= limit for one in good], "test/good")
        )
    if bad:
        metrics.append(_share("defects rejected", [one.score > limit for one in bad], "test/*"))
        metrics.append(_share("defects not passed", [one.score > low for one in bad], "test/*"))
        seen = [one.peak_on_defect for one in bad if one.peak_on_defect is not None]
        if seen:
            metrics.append(_share("peak on defect", seen, "test/* with masks"))
    if good and bad:
        scores = [np.array([one.score for one in group]) for group in (bad, good)]
        metrics.append(
            Metric(
                name="image AUROC",
                value=round(auroc(scores[0], scores[1]), 4),
                items=len(judged),
                data="test, defective against good pictures",
                method="no interval",
            )
        )
    return tuple(metrics)


def _share(name: str, hits: Sequence[bool], data: str) -> Metric:
    low, high = wilson(sum(hits), len(hits))
    return Metric(
        name=name,
        value=round(sum(hits) / len(hits), 4),
        low=round(low, 4),
        high=round(high, 4),
        items=len(hits),
        data=data,
        method=INTERVAL,
    )
