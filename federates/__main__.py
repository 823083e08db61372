"""Entry of a federate process: `python -m federates --config FILE`.

Lean on purpose: only what the chosen federate needs is imported, because five processes start at
the same time on two cores.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from federates.process import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m federates", description="Run one federate.")
    parser.add_argument("--config", type=Path, default=None, help="federate configuration, JSON")
    parser.add_argument("--parent", type=int, default=None, help="exit when this process is gone")
    arguments = parser.parse_args()
    sys.exit(main(arguments.config, parent_pid=arguments.parent))
