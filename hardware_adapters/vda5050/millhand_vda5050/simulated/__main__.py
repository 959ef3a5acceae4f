"""``python -m millhand_vda5050.simulated --config fleets.json``: run simulated fleets."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from millhand_vda5050.simulated.fleets import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="millhand_vda5050.simulated", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file of the fleets")
    sys.exit(main(parser.parse_args().config))
