"""A sweep's folder read back: what was planned, its trials as runs, and its table."""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jitnet.errors import InputError
from jitnet.history.read import Run, read_run
from jitnet.history.statistics import Summary, summarise

RECORD = "sweep.json"
SCHEMA = 1


@dataclass(frozen=True)
class Sweep:
    """A sweep and those of its trials that have begun."""

    path: Path
    title: str
    record: dict[str, Any]
    table: tuple[dict[str, str], ...]  # table.csv by column
    runs: dict[str, list[Run]]  # by configuration, "" if there is one alone

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.absolute().name

    def statistics(self) -> dict[str, list[Summary]]:
        """Return the statistics of each configuration."""
        return {group: summarise([run.epochs for run in runs]) for group, runs in self.runs.items()}


def is_sweep(path: str | Path) -> bool:
    """Is this the folder of a sweep?"""
    return os.path.isfile(Path(path) / RECORD)


def find_sweep(name: str, runs_dir: str | Path) -> Path | None:
    """Return the folder of a sweep that is called `name`, or is at that path; None if there is none."""
    return next((path for path in (Path(runs_dir) / name, Path(name)) if is_sweep(path)), None)


def read_sweep(path: Path) -> Sweep:
    """Read a sweep. Raises `InputError` if its record is damaged or too new."""
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
        if record["schema"] > SCHEMA:
            raise InputError(
                f"{path / RECORD} has schema {record['schema']}, this jitnet reads {SCHEMA}: update jitnet"
            )
        planned = [(str(trial["name"]), str(trial["group"])) for trial in record["trials"]]
        title = str(record["title"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path / RECORD} is damaged ({error}), so the sweep cannot be used") from None
    runs: dict[str, list[Run]] = {}
    for name, group in planned:
        if (path / name / "meta.json").exists():
            runs.setdefault(group, []).append(read_run(path / name, path))
    return Sweep(path, title, record, tuple(read_table(path / "table.csv")), runs)


def expand(names: list[str], runs_dir: str | Path, done: bool = False) -> list[Run]:
    """Return runs by name, and for the name of a sweep all of its runs, or those that are `done`.

    Raises `InputError`.
    """
    found = []
    for name in names:
        sweep = find_sweep(name, runs_dir)
        if sweep is None:
            found.append(read_run(name, runs_dir))
        else:
            every = (run for runs in read_sweep(sweep).runs.values() for run in runs)
            found += [run for run in every if run.status == "done" or not done]
    return found


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the lines of a table.csv by column, none if there is no such file."""
    try:
        with open(path, encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except (OSError, ValueError):
        return []
