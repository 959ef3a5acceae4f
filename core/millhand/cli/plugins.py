"""``millhand plugins``: what is installed, what it registers, what it may do."""

from __future__ import annotations

import click
from rich.text import Text

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.messages import tr


@click.command(
    help=tr(
        "List the plugins that are installed, what each registers and what it does to the world.\n"
        "\n"
        "A plugin that cannot be used is listed with the reason; the exit code is then 1.\n"
        "\n"
        "\b\n"
        "  millhand plugins\n"
        "  millhand plugins --json"
    )
)
@json_option
def plugins(*, as_json: bool) -> ExitCode:
    """Print the report on all plugins."""
    from millhand.plugins import Plugins, report

    found = Plugins.discover()
    broken = any(plugin.error for plugin in found.found)
    if as_json:
        show_json(report.as_json(found))
        return ExitCode.PROBLEMS if broken else ExitCode.FINE
    unusable = {plugin.name for plugin in found.found if plugin.error}
    lines, before = [], ""
    for row in report.rows(found):
        repeated = row.plugin == before
        before = row.plugin
        lines.append(
            (
                "" if repeated else Text(f"{row.plugin} {row.version}", style="strong"),
                row.kind,
                row.name,
                Text(row.summary, style="bad" if row.plugin in unusable else ""),
                "" if repeated else Text(row.touches, style="quiet"),
            )
        )
    headings = (tr("Plugin"), tr("Kind"), tr("Name"), tr("What it is"), tr("May"))
    if lines:
        console().print(table(*headings, rows=lines))
    else:
        click.echo(tr("No plugin is installed. Start with: pip install millhand-quality"))
    return ExitCode.PROBLEMS if broken else ExitCode.FINE
