"""Reading a day of deliveries from YAML."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.scenario.document import LARGEST_FILE, read_document
from millhand.scenario.problems import problems_of
from millhand_logistics.routes.model import Day


def day_text(text: str, file: str = "day.yaml") -> Day:
    """Read a day from YAML text.

    Raises:
        ConfigError: something in it is wrong; carries every problem found, with its line.
    """
    document = read_document(text, file)
    try:
        return Day.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError.of(problems_of(error, Day, document)) from None


def day_bytes(content: bytes, file: str) -> Day:
    """Read a day from a document's bytes.

    Raises:
        ConfigError: it is too large or no text, or something in it is wrong.
    """
    if len(content) > LARGEST_FILE:
        raise ConfigError(tr("{path} is too large.", path=file))
    try:
        return day_text(content.decode("utf-8-sig"), file)
    except UnicodeDecodeError as error:
        raise ConfigError(
            tr("{path} cannot be read: {why}.", path=file, why=error),
            mend=tr("Save it as UTF-8."),
        ) from error


def load_day(path: Path) -> Day:
    """Read a day from a file.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(tr("{path} is too large.", path=path))
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            tr("{path} cannot be read: {why}.", path=path, why=error),
            mend=tr("Give the path of a day of deliveries in YAML."),
        ) from error
    return day_text(text, str(path))
