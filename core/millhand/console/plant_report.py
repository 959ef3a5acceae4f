"""The report of a run whose plant itself says what came of it, as one HTML file."""

from __future__ import annotations

from pathlib import Path

from millhand import __version__
from millhand.console.pages import environment, write_page
from millhand.contracts.plant import PlantOutcome


def write_plant_report(file: Path, cell: str, outcome: PlantOutcome, command: str = "") -> None:
    """Write the report to ``file``, whole or not at all.

    Args:
        file: where the report goes; its folder is made where it is missing.
        cell: the scenario's name.
        outcome: what the plant says; its pictures are SVG that the plant made.
        command: what makes this report again, for its foot.
    """
    template = environment().get_template("plant_report.html.j2")
    text = template.render(cell=cell, outcome=outcome, command=command, version=__version__)
    write_page(file, text)
