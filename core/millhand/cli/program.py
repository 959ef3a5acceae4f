"""The command ``millhand``: its words, and where each of them lives."""

from __future__ import annotations

import click

from millhand import __version__
from millhand.cli.exits import ExitCode
from millhand.cli.language import translate_click
from millhand.cli.lazy import Program, Word
from millhand.messages import tr

translate_click()


def _words() -> dict[str, Word]:
    return {
        "demo": Word("millhand.cli.demo:demo", tr("Run a simulated cell and report on it.")),
        "check": Word(
            "millhand.cli.check:check", tr("Check a scenario without touching hardware.")
        ),
        "run": Word("millhand.cli.run:run", tr("Run a scenario on its real devices.")),
        "status": Word("millhand.cli.status:status", tr("Say how a cell is, from its journal.")),
        "connect": Word(
            "millhand.cli.connect:connect", tr("Try to reach a device; say what is in the way.")
        ),
        "discover": Word(
            "millhand.cli.discover:discover", tr("List what a device offers, ready for a scenario.")
        ),
        "new": Word(
            "millhand.cli.new:new", tr("Write a plugin, an adapter or a scenario to start from.")
        ),
        "plugins": Word(
            "millhand.cli.plugins:plugins", tr("List what is installed and what it may do.")
        ),
        "journal": Word(
            "millhand.cli.journal:journal", tr("Read, verify and export the record of decisions.")
        ),
        "review": Word(
            "millhand.cli.review:review",
            tr("Answer what agents ask; tell them where they were wrong."),
        ),
        "andon": Word("millhand.cli.andon:andon", tr("See who was called, and answer the call.")),
        "models": Word("millhand.cli.models:models", tr("Look at model packages; verify them.")),
        "replay": Word(
            "millhand.cli.replay:replay", tr("Decide again what was decided; compare models.")
        ),
        "report": Word(
            "millhand.cli.report:report", tr("Write what a cell has done, and what it cost.")
        ),
        "schema": Word(
            "millhand.cli.schema:schema", tr("Print the JSON Schema of scenarios, for editors.")
        ),
        "bench": Word(
            "millhand.cli.bench:bench", tr("Measure a model package on the accelerators present.")
        ),
        "distil": Word(
            "millhand.cli.distil:distil", tr("Make a small student from a big teacher, by a plan.")
        ),
        "service": Word(
            "millhand.cli.service:service", tr("Run a cell as a service of this computer.")
        ),
        "backup": Word("millhand.cli.backup:backup", tr("Write a whole cell to one file.")),
        "restore": Word("millhand.cli.backup:restore", tr("Bring a cell back from a backup.")),
        "doctor": Word(
            "millhand.cli.doctor:doctor", tr("Say what is wrong with a cell, and the mend.")
        ),
        "sbom": Word("millhand.cli.sbom:sbom", tr("Write what is installed: CycloneDX.")),
        "audit": Word(
            "millhand.cli.sbom:audit", tr("Look up known weaknesses of what is installed.")
        ),
        "attack": Word(
            "millhand.cli.attack:attack", tr("Attack a copy of a cell; tell what was held.")
        ),
        "completion": Word(
            "millhand.cli.completion:completion", tr("Set up completion for your shell.")
        ),
    }


def _contributed() -> dict[str, click.Command]:
    from millhand.cli.contributed import contributed_commands

    return contributed_commands()


def _epilog() -> str:
    codes = "\n".join(f"  {code.value:>3}  {code.meaning}" for code in ExitCode)
    return "\b\n" + tr("Exit codes:") + "\n" + codes


program = Program(
    name="millhand",
    words=_words(),
    more=_contributed,
    help=tr(
        "Industrial agents for small factories: distilled models with hands on real hardware.\n"
        "\n"
        "\b\n"
        "Start here:\n"
        "  millhand demo                 a simulated line, inspected for real\n"
        "  millhand check my-cell/       is my scenario right?\n"
        "  millhand run my-cell/         run it; agents only watch until you say otherwise\n"
        "\n"
        "Each command explains itself: millhand COMMAND --help."
    ),
    epilog=_epilog(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
program.params.append(
    click.Option(["--verbose", "-v"], is_flag=True, help=tr("Log what happens, to standard error."))
)
program = click.version_option(__version__, prog_name="millhand")(program)
