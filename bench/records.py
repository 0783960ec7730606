"""Results as files: one JSON a run, named by date and kind of machine."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bench import machine

FOLDER = Path(__file__).resolve().parent / "results"
FORMAT = 1  # of the records; a reader refuses another


def started() -> str:
    """Return the present time in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write(record: dict, out: Path | None) -> Path:
    """Write a record to `out`, a file or a folder, or else to bench/results/; return where it is."""
    name = f"{record['benchmark']}-{record['date'][:10]}-{machine.kind(record['machine'])}.json"
    place = FOLDER / name if out is None else out / name if out.is_dir() else out
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return place
