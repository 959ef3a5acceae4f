"""``python -m millhand.cli`` is ``millhand``."""

from millhand.cli import main

main()
