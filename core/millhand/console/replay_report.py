"""The report of a replay as one HTML file: what turned, with pictures, then and now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from millhand import __version__
from millhand.console.pages import environment, write_page
from millhand.console.pictures import PictureSource, picture_of
from millhand.journal.records import Intent
from millhand.messages import tr, trn
from millhand.replay import Comparison, Replayed

LARGEST_CASES = 200
"""More turned decisions than this are counted, not shown."""


def write_replay_report(
    file: Path,
    comparison: Comparison,
    packages: Mapping[str, str],
    *,
    cell: str,
    agent: str,
    pictures: PictureSource | None = None,
    command: str = "",
) -> None:
    """Write the report to ``file``, whole or not at all.

    Args:
        file: where the report goes; its folder is made where it is missing.
        comparison: what the replay came to.
        packages: package ids by role (and product) that decided now.
        cell: whose journal was replayed.
        agent: who decided.
        pictures: gives the pixels of a frame; without it the report has no pictures.
        command: what makes this report again, for its foot.
    """

    def picture(one: Replayed, *, now: bool) -> object:
        intent = one.entry.record
        assert isinstance(intent, Intent)
        return picture_of(intent.observation, one.now if now else one.then, pictures)

    text = (
        environment()
        .get_template("replay_report.html.j2")
        .render(
            comparison=comparison,
            headline=headline(comparison),
            shown=comparison.turned[:LARGEST_CASES],
            picture=picture,
            packages=packages,
            cell=cell,
            agent=agent,
            command=command,
            version=__version__,
        )
    )
    write_page(file, text)


def headline(comparison: Comparison) -> str:
    """Say in a sentence what the replay came to."""
    decisions = trn("{count} decision", "{count} decisions", comparison.replayed)
    if comparison.replayed == comparison.same:
        return tr("{decisions} decided again, every one the same bit for bit.",
                  decisions=decisions)  # fmt: skip
    if not comparison.turned:
        return tr("{decisions} decided again; no verdict turned.", decisions=decisions)
    return tr("{decisions} decided again; {turned} verdicts turned.",
              decisions=decisions, turned=len(comparison.turned))  # fmt: skip
