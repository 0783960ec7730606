"""Results as files: one JSON a run, named by date and kind of machine."""

import json
from datetime import UTC, datetime
from pathlib import Path

from bench import machine
from jitnet.errors import InputError

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


def read(path: Path, benchmark: str) -> dict:
    """Return a record of a benchmark. Raises `InputError`."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{path} can't be read as JSON: expected a record that bench/{benchmark}.py wrote") from None
    if not isinstance(record, dict) or (record.get("benchmark"), record.get("format")) != (benchmark, FORMAT):
        raise InputError(
            f"{path} is not a {benchmark} record of format {FORMAT}: expected one that bench/{benchmark}.py wrote"
        )
    return record
