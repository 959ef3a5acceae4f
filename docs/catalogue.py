"""Keep the message catalogues in step with the sources: ``python docs/catalogue.py [--check]``.

Extracts every text that goes through ``tr`` and ``trn`` in all our distributions into
``locale/millhand.pot``, carries the translations along, and compiles them. What was not translated
yet is shown in English.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "core" / "millhand" / "locale"
TEMPLATE = LOCALE / "millhand.pot"
SOURCES = ("core/millhand", "plugins", "hardware_adapters")
METHODS = [("**/tests/**", "ignore"), ("**.py", "python"), ("**.html.j2", "jinja2")]
KEYWORDS = {"tr": None, "trn": (1, 2), "_": None}


def extracted() -> Catalog:
    """Collect the texts of all sources, sorted, so that only texts and not lines count."""
    catalog = Catalog(
        project="Millhand",
        copyright_holder="the Millhand authors",
        charset="utf-8",
        fuzzy=False,
    )
    for source in SOURCES:
        found = extract_from_dir(
            ROOT / source, METHODS, keywords=KEYWORDS, comment_tags=("Translators:",)
        )
        for _file, _line, message, comments, context in found:
            catalog.add(message, auto_comments=comments, context=context)
    return catalog


def as_text(catalog: Catalog) -> bytes:
    """Write a catalogue without dates, so that equal texts give equal files."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=100, sort_output=True, omit_header=True)
    header = (
        'msgid ""\n'
        'msgstr ""\n'
        '"Project-Id-Version: Millhand\\n"\n'
        f'"Language: {catalog.locale_identifier or ""}\\n"\n'
        f'"Plural-Forms: {catalog.plural_forms}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    return header.encode() + buffer.getvalue()


def languages() -> list[Path]:
    """List the translations that there are."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/millhand.po"))


def updated(file: Path, template: Catalog) -> Catalog:
    """Carry a translation along: new texts come in empty, those that are gone go."""
    with file.open("rb") as stream:
        catalog = read_po(stream, locale=file.parents[1].name)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def compiled(catalog: Catalog) -> bytes:
    """Compile a catalogue as gettext reads it."""
    buffer = io.BytesIO()
    # Without a date babel writes the time of day, and the file would differ each minute.
    catalog.revision_date = catalog.creation_date = datetime(2026, 1, 1, tzinfo=UTC)
    write_mo(buffer, catalog)
    return buffer.getvalue()


def wanted() -> dict[Path, bytes]:
    """Say what each file should hold."""
    template = extracted()
    files = {TEMPLATE: as_text(template)}
    for file in languages():
        catalog = updated(file, template)
        text = as_text(catalog)
        files[file] = text
        files[file.with_suffix(".mo")] = compiled(
            read_po(io.BytesIO(text), locale=file.parents[1].name)
        )
    return files


def main(arguments: list[str]) -> int:
    """Write the files again, or with ``--check`` tell which are out of date."""
    stale = [
        file for file, content in wanted().items()
        if not file.exists() or file.read_bytes() != content
    ]  # fmt: skip
    if "--check" in arguments:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is out of date; run: python dev.py docs")
        return 1 if stale else 0
    for file, content in wanted().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
