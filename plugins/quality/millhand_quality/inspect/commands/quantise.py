"""``millhand inspect quantise``: an int8 graph beside the fp32 one, where it wins here."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console
from millhand.distil.int8 import Int8, Terms, try_int8
from millhand.distil.plan import QuantiseUse
from millhand.distil.roles import GoldenPair, Judged
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.bench import Candidate
from millhand.models.builder import PackageBuilder
from millhand.models.files import read_part
from millhand.models.older import OLDER
from millhand.models.package import Package, open_package
from millhand.models.timing import NEEDED_GAIN
from millhand.plugins import Plugins
from millhand_quality.inspect.judged import judged_by
from millhand_quality.inspect.parameters import InspectParameters, read_parameters
from millhand_quality.inspect.pictures import Pixels, Shape, open_picture

QUANTISER = "accelerators.static_int8"
_FILES = ("*.png", "*.jpg", "*.jpeg", "*.bmp", "*.tif", "*.tiff")


@click.command(
    help=tr(
        "Try an int8 graph of a package, and write a package of both where it wins here.\n"
        "\n"
        "It is held to the verdicts of fp32 on pictures that were not learnt from, to the time "
        "that it saves on this machine, and to its own answers on emulated older processors. "
        "Where it does not win, nothing is written, the reason is said, and the exit code is 1.\n"
        "\n"
        "\b\n"
        "  millhand inspect quantise models/impeller --good held/good --defective held/scratch \\\n"
        "      --out models/impeller-int8 --on openvino --processor haswell"
    )
)
@click.argument("package", type=click.Path(path_type=Path))
@click.option(
    "--good",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=tr("Folder of good pictures held out; 50 pictures in all are needed at least."),
)
@click.option(
    "--defective",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=tr("Folder of defective pictures; may be given for several."),
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help=tr("Folder of the new package.")
)
@click.option(
    "--on",
    "accelerator",
    default="onnxruntime",
    show_default=True,
    help=tr("Accelerator on which it must win."),
)
@click.option(
    "--processor",
    multiple=True,
    type=click.Choice(list(OLDER)),
    help=tr("Older processor on which it must answer alike, emulated; may be given for several."),
)
@click.option(
    "--gain",
    default=NEEDED_GAIN,
    show_default=True,
    type=click.FloatRange(min=-9, max=0.99),
    help=tr("How much faster it must be, as a share; below 0 it may be slower."),
)
def quantise(
    package: Path,
    good: Path,
    defective: tuple[Path, ...],
    out: Path,
    accelerator: str,
    processor: tuple[str, ...],
    gain: float,
) -> ExitCode:
    """Try int8 and say what came of it."""
    opened = open_package(package)
    parameters = read_parameters(opened.manifest.parameters)
    bad = [pixels for folder in defective for pixels in read_folder(folder, parameters)]
    judged = judged_by(parameters, read_folder(good, parameters), bad)
    use = QuantiseUse.model_validate(
        {"use": QUANTISER, "with": {"operators": ["Conv"]}, "gain": gain}
    )
    adapter = Plugins.discover().adapter(accelerator)
    on = Candidate(accelerator=adapter.name, target=adapter.target)
    found = _tried(opened, judged, Terms(use=use, on=on, processors=processor))
    screen = console()
    for line in found.report:
        screen.print(line, markup=False, style="good" if found.graph else "unsure")
    if found.graph is None:
        return ExitCode.PROBLEMS
    builder = _with(opened, found.graph, found.golden).add_parity(*found.parity)
    written = builder.add_note(*found.report).write(out)
    screen.print(tr("{id}: {folder}", id=written.id, folder=out), style="good", markup=False)
    return ExitCode.FINE


def read_folder(folder: Path, parameters: InspectParameters) -> list[Pixels]:
    """Read all pictures that lie in a folder, in the package's size.

    Raises:
        ConfigError: there is none, or one cannot be read or is of another size.
    """
    frame = parameters.frame
    shape = Shape(frame.height, frame.width, frame.channels)
    files = sorted(file for pattern in _FILES for file in folder.glob(pattern))
    if not files:
        raise ConfigError(
            tr("There is no picture in {folder}.", folder=folder),
            mend=tr("Name a folder that holds pictures itself, not folders of them."),
        )
    return [open_picture(file).pixels(shape) for file in files]


def _tried(opened: Package, judged: Judged, terms: Terms) -> Int8:
    registration = Plugins.discover().quantiser(terms.use.use).load()
    quantiser = registration(registration.Config.model_validate(terms.use.settings))
    fp32 = opened.graph("fp32")
    numbers = count()
    with tempfile.TemporaryDirectory(prefix="millhand-") as scratch:

        def build(graph: bytes, golden: Sequence[GoldenPair]) -> Package:
            return _with(opened, graph, golden).write(Path(scratch) / str(next(numbers)))

        return try_int8(read_part(opened.path(fp32), fp32), quantiser, judged, terms, build)


def _with(opened: Package, graph: bytes, golden: Sequence[GoldenPair]) -> PackageBuilder:
    builder = PackageBuilder.of(opened).add_graph(graph, "int8")
    for pair in golden:
        builder.add_golden(
            pair.inputs,
            pair.outputs,
            pair.precision,
            absolute=pair.absolute,
            relative=pair.relative,
        )
    return builder
