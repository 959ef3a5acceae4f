"""Makes click speak the reader's language too, out of our own catalogue.

click looks its few texts up in gettext's default domain. In the process of the command line that
domain is ours to set; an embedding program never imports this module.
"""

from __future__ import annotations

import gettext

from millhand import messages


def translate_click() -> None:
    """Point gettext's default domain at our catalogue."""
    gettext.bindtextdomain("millhand", str(messages.LOCALE_DIRECTORY))
    gettext.textdomain("millhand")


def _(message: str) -> str:
    """Mark a text of click for the catalogue."""
    return message


CLICK_TEXTS = (
    _("Usage:"),
    _("Options"),
    _("Positional arguments"),
    _("Error: {message}"),
    _("Show this message and exit."),
    _("Show the version and exit."),
    _("%(prog)s, version %(version)s"),
    _("Try '{command} {option}' for help."),
    _("No such command {name!r}."),
    _("No such option {name!r}."),
    _("No such option: {name}"),
    _("Did you mean {possibility}?"),
    _("Missing command."),
    _("Missing argument"),
    _("Missing option"),
    _("Missing parameter"),
    _("Invalid value: {message}"),
    _("Invalid value for {param_hint}: {message}"),
    _("Option {name!r} requires an argument."),
    _("{name} {filename!r} does not exist."),
    _("default: {default}"),
    _("required"),
    _("file"),
    _("directory"),
    _("path"),
    _("File"),
    _("Directory"),
    _("Path"),
    _("Argument {name!r} takes {nargs} values."),
    _("Option {name!r} does not take a value."),
    _("{value!r} is not a valid {number_type}."),
    _("{value} is not in the range {range}."),
    _("{name} {filename!r} is a directory."),
    _("{name} {filename!r} is a file."),
    _("deprecated"),
)
"""Texts of click that our commands can show."""
