"""``millhand schema``: the JSON Schema of scenarios, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from millhand.errors import Unavailable
from millhand.messages import tr


@click.command(
    help=tr(
        "Print the JSON Schema of scenario.yaml, with the adapters, agents and plants that are "
        "installed.\n"
        "\n"
        "Editors with a YAML language server then complete and explain while you type:\n"
        "\n"
        "\b\n"
        "  millhand schema --output scenario.schema.json\n"
        "  and as the first line of scenario.yaml:\n"
        "  # yaml-language-server: $schema=scenario.schema.json"
    )
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help=tr("Write it to this file instead.")
)
@click.option("--core-only", is_flag=True, help=tr("Leave out what plugins add."))
def schema(*, output: Path | None, core_only: bool) -> None:
    """Print or write the schema."""
    from millhand.plugins import Plugins
    from millhand.scenario.json_schema import schema as schema_of

    text = json.dumps(
        schema_of(None if core_only else Plugins.discover()), indent=2, ensure_ascii=False
    )
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise Unavailable(
            tr("{file} cannot be written: {reason}.", file=output, reason=error.strerror)
        ) from error
