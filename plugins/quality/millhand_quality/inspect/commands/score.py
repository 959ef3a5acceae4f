"""``millhand inspect score``: judge pictures with a package."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.contracts import Verdict
from millhand.errors import PackageError
from millhand.messages import tr
from millhand.models.files import read_part
from millhand.models.package import open_package
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.judge import judge
from millhand_quality.inspect.overview import heat_overlay
from millhand_quality.inspect.parameters import TASK, InspectParameters, read_parameters
from millhand_quality.inspect.pictures import Shape, UnreadablePicture, open_picture

_STYLES = {Verdict.OK: "good", Verdict.NOT_OK: "bad", Verdict.NOT_DECIDABLE: "unsure"}


def _open(folder: Path) -> tuple[InspectParameters, GraphRunner]:
    package = open_package(folder)
    if package.manifest.task != TASK:
        raise PackageError(
            tr(
                "{id} is for {task}, not for inspection.", id=package.id, task=package.manifest.task
            ),
            fault="task",
            mend=tr("Name a package made by `millhand inspect fit`."),
        )
    part = package.graph("fp32")
    graph = read_part(package.path(part), part)
    return read_parameters(package.manifest.parameters), GraphRunner(graph)


@click.command(
    help=tr(
        "Judge pictures with a package: verdict, score and why. Nothing is sent anywhere.\n"
        "\n"
        "\b\n"
        "  millhand inspect score models/impeller part-17.png part-18.png\n"
        "  millhand inspect score models/impeller *.png --heat maps/   where the trouble is\n"
        "\n"
        "Ends with 1 when a picture is not OK or not decidable."
    )
)
@click.argument("package", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--heat", type=click.Path(path_type=Path), help=tr("Write pictures with heat maps there.")
)
@click.option("--resize", is_flag=True, help=tr("Take pictures of another size."))
@json_option
def score(
    package: Path, images: tuple[Path, ...], heat: Path | None, resize: bool, as_json: bool
) -> None:
    """Judge each picture; an unreadable one is said and makes no other fail."""
    parameters, runner = _open(package)
    wanted = Shape(parameters.frame.height, parameters.frame.width, parameters.frame.channels)
    results = [_judge(path, parameters, runner, wanted, heat, resize) for path in images]
    if as_json:
        for result in results:
            show_json(result)
    else:
        rows = [
            (
                result["image"],
                Text(result["verdict"], style=_STYLES[Verdict(result["verdict"])]),
                result["score"],
                result["reason"],
            )
            for result in results
        ]
        heads = (tr("picture"), tr("verdict"), tr("score"), tr("why"))
        console().print(table(*heads, rows=rows, right=(2,)))
    if any(result["verdict"] != Verdict.OK for result in results):
        raise click.exceptions.Exit(ExitCode.PROBLEMS)


def _judge(
    path: Path,
    parameters: InspectParameters,
    runner: GraphRunner,
    wanted: Shape,
    heat: Path | None,
    resize: bool,
) -> dict[str, str]:
    try:
        picture = open_picture(path)
    except UnreadablePicture as error:
        return _result(path, Verdict.NOT_DECIDABLE, "", error.message)
    if picture.shape != wanted and not resize:
        reason = tr(
            "The picture is {own}; the model was fitted on {wanted}.",
            own=picture.shape,
            wanted=wanted,
        )
        return _result(path, Verdict.NOT_DECIDABLE, "", reason)
    pixels = picture.pixels(wanted)
    reading = runner(pixels)
    verdict, reason = judge(parameters, reading.score, reading.novelty)
    if heat is not None:
        heat.mkdir(parents=True, exist_ok=True)
        overlay = heat_overlay(pixels, reading.heat, parameters.reject_above)
        overlay.save(heat / f"{path.stem}-heat.png")
    return _result(path, verdict, f"{reading.score:.3f}", reason)


def _result(path: Path, verdict: Verdict, score: str, reason: str) -> dict[str, str]:
    return {"image": str(path), "verdict": verdict.value, "score": score, "reason": reason}
