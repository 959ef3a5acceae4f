"""Write what of the reference follows from the sources: ``python docs/generate_reference.py``.

Scenario keys come from the JSON Schema with the options of our own plugins, hooks from the hook
specifications, contracts and journal records from the records themselves, errors from their tree.
With ``--check`` only tells which pages are out of date.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["LANGUAGE"] = "en"
sys.path.insert(0, str(Path(__file__).resolve().parent))

from generator import conformance, contracts, errors, hooks, passports, records, scenario

REFERENCE = Path(__file__).resolve().parent / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "scenario.md": scenario.page,
    "hooks.md": hooks.page,
    "contracts.md": contracts.page,
    "records.md": records.page,
    "errors.md": errors.page,
    "conformance.md": conformance.page,
    "distil-plans.md": passports.plan_page,
    "packages.md": passports.package_page,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` say which are out of date."""
    stale = {
        REFERENCE / name: text
        for name, page in PAGES.items()
        if (text := page()) != _read(REFERENCE / name)
    }
    for file, text in stale.items():
        if "--check" in arguments:
            print(f"docs/reference/{file.name} is out of date; run: python dev.py docs")
        else:
            file.write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
