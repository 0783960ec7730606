"""The driver: hands trials to an executor, watches their folders, and yields whenever something has changed."""

import concurrent.futures
import math
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import asdict
from typing import Any

from jitnet.errors import JitnetError
from jitnet.history.board import CUT, DIVERGED, DONE, FAILED, LOST, PAUSED, STOPPED, WAITING, Board, Row
from jitnet.history.statistics import FIGURES
from jitnet.trials.folder import SweepFolder
from jitnet.trials.plan import Plan, Trial
from jitnet.trials.trial import hash_of_data, prepare, run_trial
from jitnet.trials.watch import Watch

ATTEMPTS = 3  # of a trial whose worker was killed, before it is taken for the reason
TICK_S = 0.5  # between two looks at the folders; longer where there are hundreds
_LOOKS_PER_S = 500  # at folders, so that a shared disk does not notice


def board_of(plan: Plan, folder: SweepFolder) -> Board:
    """Return the table before anything is done, with what earlier commands have left."""
    rows = [Row(trial.name, str(folder.path / trial.name), trial.varied, trial.settings.until) for trial in plan.trials]
    return Board(plan.title, folder.path, rows, plan.epochs)


class Driver:
    """Trains the trials of a plan in a sweep's folder; `stop` says whether they should end."""

    def __init__(
        self,
        plan: Plan,
        folder: SweepFolder,
        board: Board,
        executor: Executor,
        *,
        threads: int | None = 1,
        offline: bool = False,
        argv: list[str] | None = None,
        machines: list[Callable[..., Any]] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ):
        self.plan, self.folder, self.board = plan, folder, board
        self._executor, self._stop = executor, stop
        self._machines = machines or [executor.submit]
        self._common = {
            "folder": str(folder.path.absolute()),
            "token": folder.token,
            "threads": threads,
            "offline": offline,
            "argv": argv or [],
        }
        self._trials = dict(zip((row.name for row in board.rows), plan.trials))
        self._watched: dict[str, Watch] = {}
        self._left: set[str] = set()  # trials that are still to be handed out
        self._wrote = 0.0
        self.stopping = False
        self.lost = ""  # why no trial can be handed out any more

    def run(self) -> Iterator[Row | None]:
        """Yield each row that changed, and None a few times a second. Raises `InputError` before the first trial.

        It returns when all trials are over, or when `stop` has ended those that were running.
        """
        yield from self._require_same_data()
        alive = self.plan.groups
        rows = {row.name: row for row in self.board.rows}
        for row in rows.values():
            self._restore(row)
        rungs = self.plan.rungs or (0,)
        for rung in rungs:
            todo = [rows[t.name] for trials in alive.values() for t in trials if self._is_left(rows[t.name], rung)]
            self._left = {row.name for row in todo}
            if todo and "data_sha256" not in self._common:
                yield from self._prepare()
                self.board.start_clock()
            yield from self._train(todo, rung)
            if self.stopping or self.lost:
                break
            if rung != rungs[-1]:
                alive, dropped = self._better(alive, rung)
                for row in (rows[trial.name] for trials in dropped for trial in trials):
                    if row.status in (PAUSED, STOPPED):
                        row.status, row.message = CUT, f"after {rung} of {row.epochs} epochs"
                        yield row
        self._write(last=True)
        yield None

    def _require_same_data(self) -> Iterator[None]:
        """Refuse trials that an earlier command trained on other data than those that are here now (`InputError`)."""
        if not self.folder.data_of_trials():
            return
        future = self._machines[0](hash_of_data, self._task(self.plan.trials[0], 0))
        while not future.done():
            yield None
            time.sleep(0.05)
        self.folder.require_data(future.result())

    def is_pending(self, row: Row) -> bool:
        """Is this trial handed out, or still to be, so that its status is of a moment or of an earlier command?"""
        return row.name in self._watched or row.name in self._left

    def _prepare(self) -> Iterator[None]:
        """Have data and kernels ready on each machine before trials are handed out."""
        tasks = [self._task(trial, 0) for trial in self.plan.trials]
        futures = [submit(prepare, tasks) for submit in self._machines]
        found = []
        for future in futures:
            while not future.done():
                self.board.compiling = self.folder.compilation()
                yield None
                if self._stop():
                    self.folder.request_stop()
                time.sleep(0.1)
            try:
                found.append(future.result())
            except JitnetError:
                raise
            except BrokenExecutor:
                raise JitnetError(
                    "a worker ended before its first trial: in a script, expected the call of jitnet.sweep under "
                    "`if __name__ == '__main__':`; else look for what killed it (memory?)"
                ) from None
            except Exception as error:
                raise JitnetError(f"no trial was begun, since a worker failed: {_reason(error)}") from error
        self.board.compiling = self.folder.compilation()  # it is over
        yield None
        for message in dict.fromkeys(message for each in found for message in each["notices"]):
            self.board.notices.append(message)
        self._common["data_sha256"] = found[0]["data_sha256"]

    def _task(self, trial: Trial, epochs: int) -> dict[str, Any]:
        return self._common | {
            "name": trial.name,
            "settings": asdict(trial.settings),
            "epochs": epochs or trial.settings.until,
        }

    def _train(self, rows: list[Row], rung: int) -> Iterator[Row | None]:
        """Hand out these rows up to an epoch, until each has come back."""
        pending: dict[Future, Row] = {}
        for row in rows if not self._stop() else ():
            row.status = WAITING
            yield from self._submit(row, rung, pending)
        while pending:
            tick = max(TICK_S, len(pending) / _LOOKS_PER_S)
            over, _ = concurrent.futures.wait(pending, tick, concurrent.futures.FIRST_COMPLETED)
            for future in over:
                row = pending.pop(future)
                if self._record(row, future):
                    yield from self._submit(row, rung, pending)
                yield row
            for row in pending.values():
                if self._watched[row.name].read(row):
                    yield row
            yield None
            if (self._stop() or self.lost) and not self.stopping:
                self.stopping = self._stop()
                self.folder.request_stop()
            self._write()
        self.stopping = self.stopping or self._stop()

    def _submit(self, row: Row, rung: int, pending: dict[Future, Row]) -> Iterator[Row]:
        row.attempts += 1
        self._left.discard(row.name)
        self._watched[row.name] = Watch(self.folder.path / row.name / "events.jsonl")
        try:
            if self.lost:
                raise BrokenExecutor(self.lost)
            pending[self._executor.submit(run_trial, self._task(self._trials[row.name], rung))] = row
        except Exception as error:  # any error of an executor that is gone
            self.lost = self.lost or _reason(error)
            row.status, row.message = LOST, self.lost
            yield row

    def _record(self, row: Row, future: Future) -> bool:
        """Write down what became of a trial; returns whether to try it again."""
        row.fraction = 0.0
        del self._watched[row.name]
        try:
            result = future.result()
        except BrokenExecutor as error:
            row.status, row.message = LOST, "its worker was killed"
            if row.attempts < ATTEMPTS and not self._stop():
                row.status = WAITING
                return True
            row.message += f" {row.attempts} times" if row.attempts > 1 else f" ({_reason(error)})"
        except Exception as error:
            kind = type(error).__name__
            row.status, row.message = LOST, "its worker was killed, again and again"
            if kind in ("CancelledError", "CommClosedError"):
                self.lost = row.message = self.lost or "the scheduler is gone"
            elif kind != "KilledWorker":  # Dask's, after several attempts
                row.status, row.message = FAILED, _reason(error)
        else:
            row.message = ""
            for name, value in result.items():
                setattr(row, name, value)
        return False

    def _restore(self, row: Row) -> None:
        """Fill a row with what an earlier command has left of its trial."""
        epochs = self.folder.epochs_of(row.name)
        row.epoch = len(epochs)
        status = self.folder.status_of(row.name)
        if status:
            row.status = {"done": DONE, "diverged": DIVERGED}.get(status, STOPPED)
        if epochs:
            for name in FIGURES:
                setattr(row, name, epochs[-1].get(name))
            row.seconds = round(epochs[-1].get("elapsed_s") or 0.0, 3)
        kept = self.folder.kept(row.name)
        if row.status in (DONE, DIVERGED) and kept:
            row.weights, row.host, row.message = (kept.get(name, "") for name in ("weights", "host", "message"))
            attempts = kept.get("attempts", "")
            row.attempts = int(attempts) if re.fullmatch("[0-9]{1,9}", attempts) else 0

    def _is_left(self, row: Row, rung: int) -> bool:
        """Has this trial work to do up to a rung (0: its end)?"""
        if row.status in (DONE, DIVERGED, FAILED, LOST):
            return False
        stands = self.folder.status_of(row.name) == "stopped"  # at rest: its rows are those of its checkpoint
        return not (rung and stands and row.epoch >= rung)

    def _better(self, alive: dict[str, list[Trial]], rung: int) -> tuple[dict[str, list[Trial]], list[list[Trial]]]:
        """Return the configurations that continue after a rung, and the others; a mean over seeds decides."""

        def score(trials: list[Trial]) -> float:
            found = []
            for trial in trials:
                rows = self.folder.epochs_of(trial.name)[:rung]
                row = rows[-1] if rows and self.folder.status_of(trial.name) in ("done", "stopped") else {}
                accuracy, loss = row.get("val_accuracy"), row.get("val_loss")
                found.append(accuracy if accuracy is not None else -math.inf if loss is None else -loss)
            return sum(found) / len(found)

        order = sorted(alive, key=lambda group: -score(alive[group]))  # stable: a tie goes to the first
        kept = set(order[: math.ceil(len(order) / self.plan.keep)])
        going = {group: trials for group, trials in alive.items() if group in kept}
        return going, [trials for group, trials in alive.items() if group not in kept]

    def _write(self, last: bool = False) -> None:
        """Write the table down, at most once a second."""
        now = time.monotonic()
        if last or now - self._wrote >= 1.0:
            try:
                self.folder.write_table(self.board.rows)
            except OSError as error:
                if last:
                    self.board.notices.append(f"cannot write the table in {self.folder.path}: {error.strerror}")
            self._wrote = now


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, JitnetError) else f"{type(error).__name__}: {text}"[:200]
