"""The command ``millhand``."""

from __future__ import annotations


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from millhand.cli.program import program

    program(prog_name="millhand")
