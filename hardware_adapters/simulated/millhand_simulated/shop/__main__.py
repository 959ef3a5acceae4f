"""``python -m millhand_simulated.shop --config shop.json``: run simulated shops by themselves."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from millhand_simulated.shop.server import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="millhand_simulated.shop", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file of the shop")
    sys.exit(main(parser.parse_args().config))
