"""From a camera's picture to features: how it is shrunk, which blocks are tapped, on which grid.

The same nodes are used to fit a head and, inside the package's one graph, to inspect: there is
no second pre-processing that could differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_quality.inspect.network import FLOAT, UINT8, Recorder, record_trunk
from millhand_quality.inspect.pictures import Pixels, Shape
from millhand_quality.inspect.runtime import open_session
from millhand_quality.inspect.student import STUDENT_GRID, record_student, student_parameters
from millhand_quality.inspect.trunk import (
    BLOCKS,
    PIXEL_MEAN,
    STRIDE_OF_TRUNK,
    Array,
    trunk_parameters,
)

if TYPE_CHECKING:
    import onnx

SMALLEST_INPUT = 64
"""Fewest pixels of height or width that the trunk is given."""
IMAGE = "image"
"""Name of the graph's input."""

Body = Literal["trunk", "student"]
Taps = tuple[int, ...]
"""Blocks whose outputs are put together on the finest one's grid."""


@dataclass(frozen=True, slots=True)
class InputPlan:
    """How large a picture comes, and how large the trunk sees it."""

    frame: Shape
    height: int
    width: int
    body: Body = "trunk"
    """What gives the features: the trunk, or the general student in its place."""

    def grid(self, taps: Taps) -> tuple[int, int]:
        """Return rows and columns of the features of ``taps``."""
        stride = STUDENT_GRID if self.body == "student" else stride_of(taps)
        return self.height // stride, self.width // stride


def stride_of(taps: Taps) -> int:
    """Return how many pixels of the trunk's input make one cell."""
    return min(BLOCKS[tap].grid for tap in taps)


def channels_of(taps: Taps) -> int:
    """Return how many features a cell has."""
    return sum(BLOCKS[tap].channels_out for tap in taps)


def plan_input(frame: Shape, size: int, body: Body = "trunk") -> InputPlan:
    """Choose the trunk's input: about ``size x size`` pixels in the frame's own proportion.

    It is never larger than the frame, so that nothing is made up.

    Raises:
        ConfigError: the frame is smaller than :data:`SMALLEST_INPUT`.
    """
    if min(frame.height, frame.width) < SMALLEST_INPUT:
        raise ConfigError(
            tr("Pictures of {shape} are too small to inspect.", shape=frame),
            mend=tr("At least {size} pixels each way are needed.", size=SMALLEST_INPUT),
        )
    scale = min(1.0, size / math.sqrt(frame.height * frame.width))

    def side(pixels: int) -> int:
        steps = round(pixels * scale / STRIDE_OF_TRUNK)
        most = pixels // STRIDE_OF_TRUNK
        return max(SMALLEST_INPUT // STRIDE_OF_TRUNK, min(steps, most)) * STRIDE_OF_TRUNK

    return InputPlan(frame, side(frame.height), side(frame.width), body)


def weights_of(plan: InputPlan) -> Mapping[str, Array]:
    """Return the shipped arrays of the plan's body."""
    return trunk_parameters() if plan.body == "trunk" else student_parameters()


def record_pixels(recorder: Recorder, plan: InputPlan, mean: float = 0.0) -> str:
    """Write ``uint8 (h, w, c)`` to ``float (1, c, height, width)``, 0 to 255 less ``mean``.

    Whole factors are averaged, so that nothing aliases; what is left, less than two, is
    interpolated linearly. Everything that can be done to the picture as it lies is done before
    its channels are put apart: run times that compute with channels last skip that step.
    """
    frame = plan.frame
    across, down = frame.width // plan.width, frame.height // plan.height
    x = recorder.node("Cast", [IMAGE], "pixel.float", to=FLOAT)
    x = recorder.node("Unsqueeze", [x, recorder.integers("axis.0", 0)], "pixel.batch")
    if mean:
        value = recorder.constant("pixel.mean", np.array(mean, np.float32))
        x = recorder.node("Sub", [x, value], "pixel.centred")
    x = recorder.node("Transpose", [x], "pixel.planes", perm=[0, 3, 1, 2])
    if (across, down) != (1, 1):
        window = [down, across]
        x = recorder.node("AveragePool", [x], "pixel.pooled", kernel_shape=window, strides=window)
    left = (frame.height // down, frame.width // across)
    if left != (plan.height, plan.width):
        x = record_resize(recorder, x, frame.channels, (plan.height, plan.width), "pixel.resized")
    return x


def record_resize(
    recorder: Recorder, x: str, channels: int, size: tuple[int, int], name: str
) -> str:
    """Write a linear interpolation to ``size`` rows and columns, half-pixel centres."""
    sizes = recorder.integers(f"{name}.sizes", 1, channels, *size)
    return recorder.node(
        "Resize",
        [x, "", "", sizes],
        name,
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )


def record_features(
    recorder: Recorder, plan: InputPlan, taps: Iterable[Taps], weights: Mapping[str, Array]
) -> dict[Taps, str]:
    """Write everything from the picture to the features of each of ``taps``.

    Returns:
        Names of tensors ``(1, channels, rows, columns)``.
    """
    wanted = tuple(taps)
    pixels = record_pixels(recorder, plan, PIXEL_MEAN)
    if plan.body == "student":
        outputs = record_student(recorder, pixels, plan.frame.channels, weights)
        return {tap: _join(recorder, tap, [outputs[block] for block in tap]) for tap in wanted}
    last = max(max(tap) for tap in wanted)
    outputs = record_trunk(recorder, pixels, plan.frame.channels, weights, last)
    return {tap: _record_taps(recorder, plan, tap, outputs) for tap in wanted}


def _record_taps(
    recorder: Recorder, plan: InputPlan, taps: Taps, outputs: Mapping[int, str]
) -> str:
    size = plan.grid(taps)
    tapped = []
    for tap in taps:
        x = outputs[tap]
        if BLOCKS[tap].grid != stride_of(taps):
            name = f"block{tap}.to{stride_of(taps)}"
            x = record_resize(recorder, x, BLOCKS[tap].channels_out, size, name)
        tapped.append(x)
    return _join(recorder, taps, tapped)


def _join(recorder: Recorder, taps: Taps, tapped: list[str]) -> str:
    if len(tapped) == 1:
        return tapped[0]
    return recorder.node("Concat", tapped, f"blocks{'+'.join(map(str, taps))}", axis=1)


def image_spec(plan: InputPlan) -> tuple[int, tuple[int, int, int]]:
    """Return element type and shape of the graph's input."""
    return UINT8, (plan.frame.height, plan.frame.width, plan.frame.channels)


class FeatureExtractor:
    """Turns pictures into features, one at a time, on the CPU.

    Args:
        plan: size of pictures and of the trunk's input.
        taps: which features.
        threads: of the run time.
        change: what is done to the graph before it is opened, such as quantising it.
    """

    def __init__(
        self,
        plan: InputPlan,
        taps: Iterable[Taps],
        threads: int = 1,
        change: Callable[[onnx.ModelProto], onnx.ModelProto] = lambda model: model,
    ) -> None:
        self.plan = plan
        self.taps = tuple(taps)
        recorder = Recorder()
        names = record_features(recorder, plan, self.taps, weights_of(plan))
        self._names = [names[tap] for tap in self.taps]
        model = recorder.model(
            {IMAGE: image_spec(plan)},
            {names[tap]: (FLOAT, (1, channels_of(tap), *plan.grid(tap))) for tap in self.taps},
            "features of a picture",
        )
        self._session = open_session(change(model).SerializeToString(), threads)

    def __call__(self, pixels: Pixels) -> dict[Taps, Array]:
        """Return features ``(channels, rows, columns) float32`` of one picture."""
        found = self._session.run(self._names, {IMAGE: pixels})
        return {
            tap: np.asarray(array[0], np.float32)
            for tap, array in zip(self.taps, found, strict=True)
        }

    def stack(self, pictures: Iterable[Pixels]) -> dict[Taps, Array]:
        """Return features ``(pictures, channels, rows, columns)`` of several pictures."""
        each = [self(pixels) for pixels in pictures]
        return {tap: np.stack([one[tap] for one in each]) for tap in self.taps}
