"""A sweep's folder: the plan, the table, and a run folder for each trial, on a disk that its workers share."""

import contextlib
import csv
import io
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jitnet.errors import InputError
from jitnet.events import Compiling
from jitnet.history.board import Row
from jitnet.history.read import read_or_damaged
from jitnet.history.statistics import FIGURES, Summary, summarise
from jitnet.history.sweep_record import RECORD, SCHEMA, read_table
from jitnet.printing import csv_cell
from jitnet.run.lock import Lock
from jitnet.run.names import check_name, is_run
from jitnet.run.schema import read_settings
from jitnet.storage.atomic import replace_file, replace_text
from jitnet.trials.plan import Plan, Trial

STOP = ".stop"  # while it is there, every trial ends with a checkpoint
COMPILING = ".compiling"  # the newest event of a worker that compiles kernels
_COLUMNS = ("epochs_done", *FIGURES, "seconds", "host", "attempts", "weights", "message")


class SweepFolder:
    """The folder `path` of a plan, locked against a second driver; `with` gives the lock back."""

    def __init__(self, path: Path, plan: Plan, argv: list[str]):
        """Make or find it. Raises `InputError` if it is another sweep's, in use, or cannot be written."""
        check_name(path.name)
        self.path = path
        self.plan = plan
        self.token = secrets.token_hex(8)  # by which a worker knows that it sees this very folder
        try:
            if is_run(path):
                raise InputError(f"{path} is a run: choose another --name for the sweep")
            path.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(path)
            try:
                self._check()
                self._kept = {line["trial"]: line for line in read_table(path / "table.csv") if "trial" in line}
                for name in (STOP, COMPILING):
                    (path / name).unlink(missing_ok=True)
                self._write_record(argv)
            except BaseException:
                self._lock.release()
                raise
        except OSError as error:
            raise InputError(
                f"cannot make a sweep in {path}: {error.strerror}; choose another folder with --runs-dir DIR"
            ) from error

    def __enter__(self) -> "SweepFolder":
        return self

    def __exit__(self, *exception: object) -> None:
        self._lock.release()

    def request_stop(self) -> None:
        """Ask every trial, wherever it runs, to end with a checkpoint."""
        with contextlib.suppress(OSError):
            (self.path / STOP).touch()

    def compilation(self) -> Compiling | None:
        """Return the newest event of a worker that compiles, None if there is none."""
        try:
            return Compiling(**json.loads((self.path / COMPILING).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def epochs_of(self, name: str) -> list[dict[str, float | None]]:
        """Return a trial's rows of metrics.csv; none if it has not begun or is damaged."""
        return list(read_or_damaged(self.path / name).epochs)

    def status_of(self, name: str) -> str:
        """Return what a trial's meta.json says, "" if it has not begun or is damaged."""
        return str(read_or_damaged(self.path / name).meta.get("status", ""))

    def data_of_trials(self) -> dict[str, str]:
        """Return the content hash of the data of each trial that has begun, as far as its meta.json says it."""
        read = {trial.name: read_or_damaged(self.path / trial.name).meta for trial in self._begun()}
        return {name: str(meta["data_sha256"]) for name, meta in read.items() if meta.get("data_sha256")}

    def require_data(self, sha256: str) -> None:
        """Raise `InputError` for a trial that was trained on data of another content hash."""
        for name, digest in self.data_of_trials().items():
            if digest != sha256:
                raise InputError(
                    f"{self.path / name} was trained on other data than what is here now (content hash {digest[:12]}, "
                    f"now {sha256[:12]}): choose another --name for this sweep, or remove that folder"
                )

    def kept(self, name: str) -> dict[str, str]:
        """Return a trial's line of the table that an earlier command left, {} if there is none."""
        return self._kept.get(name, {})

    def write_table(self, rows: list[Row]) -> None:
        """Write table.csv: a line for each trial. Raises `OSError`."""
        varied = list(rows[0].varied)
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["trial", "status", *varied, *_COLUMNS])
        for row in rows:
            figures = {name: getattr(row, name) for name in FIGURES} | {"epochs_done": row.epoch}
            cells = figures | {name: getattr(row, name) for name in _COLUMNS if name not in figures}
            values = (*row.varied.values(), *(cells[name] for name in _COLUMNS))
            writer.writerow([row.name, row.status, *map(_cell, values)])
        replace_text(self.path / "table.csv", out.getvalue())

    def write_statistics(self) -> dict[str, list[Summary]]:
        """Write statistics.csv, a line for each configuration, figure and epoch, and return it. Raises `OSError`."""
        found = {
            group: summarise([self.epochs_of(t.name) for t in trials]) for group, trials in self.plan.groups.items()
        }
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["configuration", *Summary._fields])
        for group, rows in found.items():
            writer.writerows([csv_cell(group), *map(_cell, row)] for row in rows)
        replace_text(self.path / "statistics.csv", out.getvalue())
        return found

    def _check(self) -> None:
        """Refuse a folder whose trials of these names have other settings; a damaged one is left to its worker."""
        for trial in self._begun():
            try:
                kept = read_settings(self.path / trial.name)
            except InputError:
                continue
            if kept.replace(until=0) != trial.settings.replace(until=0):
                raise InputError(
                    f"{self.path / trial.name} was trained with other settings: choose another --name for this sweep"
                )

    def _begun(self) -> Iterator[Trial]:
        return (trial for trial in self.plan.trials if is_run(self.path / trial.name))

    def _write_record(self, argv: list[str]) -> None:
        plan = self.plan
        record: dict[str, Any] = {
            "schema": SCHEMA,
            "kind": plan.kind,
            "title": plan.title,
            "argv": argv,
            "token": self.token,
            "rungs": list(plan.rungs),
            "trials": [{"name": trial.name, "group": trial.group, "varied": trial.varied} for trial in plan.trials],
        }
        replace_file(self.path / RECORD, (json.dumps(record, indent=1) + "\n").encode())


def _cell(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else csv_cell(value)
