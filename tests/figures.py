"""Where the campaigns put what they counted: docs/reliability.json, from which the README's box is made.

Only `python -m tests.campaign` sets JITNET_FIGURES; in an ordinary run of the tests nothing is written.
"""

import json
import os
from pathlib import Path


def note(row: str, **counted) -> None:
    """Add what a campaign counted under its row's name."""
    if place := os.environ.get("JITNET_FIGURES"):
        path = Path(place)
        known = json.loads(path.read_text()) if path.exists() else {}
        known[row] = known.get(row, {}) | counted
        path.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
