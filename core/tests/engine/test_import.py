"""The engine comes up fast: what only some cells need is imported where they need it."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_engine_is_light() -> None:
    script = (
        "import sys, millhand.engine;"
        "heavy = ('numpy', 'PIL', 'alembic', 'sqlalchemy', 'cryptography', 'markdown_it');"
        "print([name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
