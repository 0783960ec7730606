"""A sweep's folder read back: what was planned, its trials as runs, and its table."""

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jitnet.errors import InputError
from jitnet.history.read import Run, read_or_damaged
from jitnet.history.statistics import Summary, summarise
from jitnet.printing import brief, printable
from jitnet.run import schema
from jitnet.run.names import check_name, entries, find_run, is_run

RECORD = "sweep.json"
SCHEMA = 1
_RULES = {
    "schema": schema.whole(1, SCHEMA),
    "title": schema.TEXT,
    "argv": schema.TEXTS,
    "trials": schema.Rule(
        "a list of objects", lambda x: isinstance(x, list) and all(isinstance(each, dict) for each in x)
    ),
}


@dataclass(frozen=True)
class Sweep:
    """A sweep and those of its trials that have begun, damaged ones included."""

    path: Path
    title: str
    record: dict[str, Any]
    table: tuple[dict[str, str], ...]  # table.csv by column
    runs: dict[str, list[Run]]  # by configuration, "" if there is one alone

    @property
    def damaged(self) -> list[str]:
        """The sentences of the trials that cannot be read."""
        return [run.damage for runs in self.runs.values() for run in runs if run.damage]

    @property
    def name(self) -> str:
        """The folder's name, as it can be printed."""
        return printable(self.path.absolute().name)

    def statistics(self) -> dict[str, list[Summary]]:
        """Return the statistics of each configuration."""
        return {group: summarise([run.epochs for run in runs]) for group, runs in self.runs.items()}


def is_sweep(path: str | Path) -> bool:
    """Is this the folder of a sweep?"""
    return os.path.isfile(Path(path) / RECORD)


def find_sweep(name: str, runs_dir: str | Path) -> Path | None:
    """Return the folder of a sweep that is called `name`, or is at that path; None if there is none."""
    return next((path for path in (Path(runs_dir) / name, Path(name)) if is_sweep(path)), None)


def list_sweeps(runs_dir: str | Path) -> list[Path]:
    """Return the folders of the sweeps in `runs_dir`, the latest started or continued first."""
    found = [entry for entry in entries(runs_dir) if is_sweep(entry)]
    try:
        return sorted(found, key=lambda path: (path / RECORD).stat().st_mtime, reverse=True)
    except OSError:  # removed since
        return []


def read_sweep(path: Path) -> Sweep:
    """Read a sweep. Raises `InputError` if its record is damaged or too new."""
    try:
        record = schema.read_json(path / RECORD)
        if not isinstance(record, dict):
            raise ValueError(f"it holds {brief(record)}: expected an object")
        version = record.get("schema")
        if type(version) is int and version > SCHEMA:
            raise InputError(f"{path / RECORD} has schema {version}, this jitnet reads {SCHEMA}: update jitnet")
        schema.check(record, _RULES, ("schema", "title", "trials"))
        for trial in record["trials"]:
            schema.check(trial, {"name": schema.TEXT, "group": schema.TEXT}, ("name", "group"))
            check_name(trial["name"])
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{path / RECORD} is damaged ({error}), so the sweep cannot be used") from None
    runs: dict[str, list[Run]] = {}
    for trial in record["trials"]:
        if is_run(path / trial["name"]):
            runs.setdefault(trial["group"], []).append(read_or_damaged(path / trial["name"]))
    return Sweep(path, record["title"], record, tuple(read_table(path / "table.csv")), runs)


def expand(names: list[str], runs_dir: str | Path, done: bool = False) -> list[Run]:
    """Return runs by name, and for the name of a sweep all of its runs, or those that are `done`; damaged ones too.

    Raises `InputError` for a run that is not there, or a sweep whose record is damaged.
    """
    found = []
    for name in names:
        sweep = find_sweep(name, runs_dir)
        if sweep is None:
            found.append(read_or_damaged(find_run(name, runs_dir)))
        else:
            every = (run for runs in read_sweep(sweep).runs.values() for run in runs)
            found += [run for run in every if run.damage or run.status == "done" or not done]
    return found


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the lines of a table.csv by column, none if there is no such file or it is damaged."""
    try:
        lines = csv.DictReader(io.StringIO(schema.read_small(path).decode("utf-8"), newline=""))
        return [{name: cell or "" for name, cell in line.items() if name} for line in lines]
    except (OSError, InputError, ValueError, csv.Error):
        return []
