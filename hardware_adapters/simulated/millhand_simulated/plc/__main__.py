"""``python -m millhand_simulated.plc --config cell.json``: run the simulated PLC by itself."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from millhand_simulated.plc.server import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="millhand_simulated.plc", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file of the cell")
    sys.exit(main(parser.parse_args().config))
