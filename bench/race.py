"""One row of the comparison: start every peer, compare its losses with those of jitnet, tune it, time it in turn."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench import measure, rows
from bench.busy import busy_processes
from bench.measure import Timing
from bench.peers import JITNET, Entry
from bench.peers.process import PeerError, PeerProcess
from bench.rows import Row

_TRIALS, _FEWEST = 5, 3  # runs of a variant at the most, and if they are long; the median counts, as in the race
_DISTURBED = 2.0  # a peer this many times slower than its own best trial was disturbed
# Before a run. The pools of some programs spin for a while after their work: next after scikit-learn, jitnet took 1.3
# times as long.
_PAUSE_S = 0.25
_SLOW_CHECK = 2  # steps of a peer that needs seconds for them


@dataclass(frozen=True)
class Options:
    """Length and number of the runs."""

    rounds: int = 7
    seconds: float = 0.2  # aimed length of one timed run
    images: int = 60000  # a run uses no more
    threads: tuple[int, ...] = (1, 2)  # that each peer may choose from
    compiled: bool = True  # whether variants are tried that take half a minute to compile
    busy: int = 0  # busy processes next to which every run is measured once more


@dataclass
class Result:
    """The result of one peer in one row."""

    peer: str
    label: str
    slow: bool = False
    how: str = ""
    threads: int = 0
    batch: int = 0
    images: int = 0  # of one timed run
    difference: float = 0.0  # largest between its losses and jitnet's
    compared: int = 0  # number of losses compared
    agrees: bool = False
    disturbed: bool = False  # it ran far slower than in its trials: no ratio, it would flatter jitnet
    problem: str = ""  # why it has no figure
    trials: list[dict] = field(default_factory=list)
    seconds: Timing | None = None  # per image
    ratio: Timing | None = None  # its time over jitnet's, round by round
    busy_seconds: Timing | None = None  # per image, next to busy processes
    slowdown: float | None = None  # by them: the median of the busy times over that of the others


class Pool:
    """The peers' processes, each started when it is first needed; all but the one that is timed are idle."""

    def __init__(self, pythons: dict[str, str]):
        self.pythons = pythons
        self._processes: dict[tuple[str, int], PeerProcess] = {}

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self._processes.values():
            process.close()

    def get(self, entry: Entry, threads: int) -> PeerProcess:
        """Return the peer's process for that number of threads, a new one after a crash."""
        key = (entry.name, threads)
        if key in self._processes and self._processes[key].ended():
            self._processes.pop(key).close()
        if key not in self._processes:
            self._processes[key] = PeerProcess(entry, threads, self.pythons.get(entry.name))
        return self._processes[key]

    def presence(self, entries: Iterable[Entry]) -> dict[str, dict]:
        """Start every peer with one thread; return their versions, or the reason why one is absent."""
        found = {}
        for entry in entries:
            record: dict = {"label": entry.label, "install": entry.install}
            try:
                process = self.get(entry, 1)
                record |= {"absent": process.absent} if process.absent else {"versions": process.versions}
            except PeerError as error:
                record["absent"] = str(error)
            found[entry.name] = record
        return found


@dataclass
class _Contender:
    """A peer that is ready to be timed: its process, and the request for one run."""

    process: PeerProcess
    request: dict
    images: int
    problem: str = ""

    def run(self) -> float:
        """Return the seconds per image of one run; NaN after the peer has failed, so that the others continue."""
        if not self.problem:
            try:
                return self.process.ask(**self.request)["seconds"] / self.images
            except PeerError as error:
                self.problem = str(error)
        return float("nan")


def takes_part(entry: Entry, row: Row) -> bool:
    """Return whether a peer can do the work of a row: plain loops have no batches, some peers have no convolutions."""
    return (entry.trunk or not row.network.startswith("conv")) and not (entry.slow and row.batch > 1)


def run_row(
    row: Row, entries: list[Entry], pool: Pool, folder: Path, options: Options, report: Callable[[str, float], None]
) -> list[Result]:
    """Measure one row. `report` gets a text and the share of the row that is done."""
    results = {entry.name: Result(entry.name, entry.label, entry.slow) for entry in entries}
    contenders: dict[str, _Contender] = {}
    expected: np.ndarray | None = None
    for place, entry in enumerate(entries):
        result = results[entry.name]
        try:
            contenders[entry.name], losses = _tune(
                row, entry, pool, folder, options, result,
                lambda text, place=place: report(text, 0.5 * place / len(entries)),
            )  # fmt: skip
        except PeerError as error:
            result.problem = str(error)
            continue
        if entry.name == JITNET:
            expected = losses
        _compare(result, losses, expected, row)

    parts = 2 if options.busy else 1
    steps = parts * options.rounds * max(1, len(contenders))
    done = 0

    def after(name: str, seconds: float) -> None:
        nonlocal done
        done += 1
        report(f"round {-(-done // len(contenders))} of {parts * options.rounds}", 0.5 + 0.5 * done / steps)

    runs = {name: one.run for name, one in contenders.items()}
    timings = measure.in_turn(runs, options.rounds, after, _PAUSE_S)
    busy = {}
    if options.busy:
        with busy_processes(options.busy):
            busy = measure.in_turn(runs, options.rounds, after, _PAUSE_S)
    for name, contender in contenders.items():
        results[name].problem, results[name].images = contender.problem, contender.images
        if not contender.problem:
            result, timing = results[name], timings[name]
            result.seconds = timing
            if name in busy:
                result.busy_seconds, result.slowdown = busy[name], busy[name].median / timing.median
            best = min(trial["seconds_per_image"] for trial in result.trials if "problem" not in trial)
            result.disturbed = timing.median > _DISTURBED * best
    own = results.get(JITNET)
    for result in results.values():
        fair = result.agrees and not result.disturbed
        if fair and result.seconds and own and own.seconds and result is not own:
            result.ratio = measure.ratio(result.seconds, own.seconds)
    return list(results.values())


def _tune(
    row: Row, entry: Entry, pool: Pool, folder: Path, options: Options, result: Result, report: Callable[[str], None]
) -> tuple[_Contender, np.ndarray]:
    """Build every variant of a peer, try each for a moment, and return the fastest with its first losses."""
    best: tuple[float, int, dict, dict] | None = None
    failures: list[PeerError] = []
    for threads in options.threads if entry.threaded else (1,):
        process = pool.get(entry, threads)
        if process.absent:
            raise PeerError(f"not here: {entry.install}")
        variants = process.ask("variants", network=row.network)["variants"]
        for variant in variants if options.compiled else [one for one in variants if not one.get("compiled")]:
            for batch in _batches(row, entry, options):
                process = pool.get(entry, threads)
                report(f"{entry.label}: preparing, {threads} thread{'s' * (threads > 1)}")
                trial: dict = {"threads": threads, "batch": batch, **variant}
                result.trials.append(trial)
                build = {
                    "network": row.network,
                    "tensors": str(rows.weights_file(folder, row.network)),
                    "images": str(folder / "images.npz"),
                    "batch": batch,
                    "variant": variant,
                }
                try:
                    answer = process.ask("build", **build)
                    per_image, images, losses = _try(row, entry, process, batch, options)
                except PeerError as error:  # as without a C++ compiler; the other variants continue
                    trial["problem"] = str(error)
                    failures.append(error)
                    continue
                trial |= {"seconds_per_image": per_image, "images": images}
                if best is None or per_image < best[0]:
                    best = (per_image, threads, build, {"detail": answer["detail"], "losses": losses})
    if best is None:
        raise failures[0]
    per_image, result.threads, build, found = best
    process = pool.get(entry, result.threads)  # the one that was tried, unless a later variant has ended it
    result.how, result.batch = found["detail"], build["batch"]
    process.ask("build", **build)
    images = _images(row, entry, result.batch, per_image, options)
    contender = _Contender(process, _request(row, images, result.batch), images)
    if not entry.slow:
        contender.run()  # warm: JAX compiles once more for another number of steps
    return contender, found["losses"]


def _batches(row: Row, entry: Entry, options: Options) -> tuple[int, ...]:
    """Return the batch sizes to choose from: that of the row; for inference several."""
    if not row.infers:
        return (row.batch,)
    return (1,) if entry.slow else tuple(batch for batch in rows.INFERENCE_BATCHES if batch <= options.images)


def _try(row: Row, entry: Entry, process: PeerProcess, batch: int, options: Options) -> tuple[float, int, np.ndarray]:
    """Return seconds per image of a short run, its images, and the first losses."""
    # With few images, as in a quick run, fewer whole steps are checked.
    check = min(row.check if not entry.slow else _SLOW_CHECK, options.images // max(1, row.batch))
    images = check * max(1, row.batch)
    answer = process.ask(**_request(row, images, batch))
    losses = np.array(answer["losses"])
    if entry.slow:
        return answer["seconds"] / images, images, losses
    if row.infers:
        images = min(row.images, options.images, max(batch, 512))
    per_image = _trials(row, images, process, batch, options)
    longer = _images(row, entry, batch, per_image, options)
    if longer > images and not row.infers:  # a run of a few milliseconds, too short for a second core to wake up
        images = longer
        process.ask(**_request(row, images, batch))  # warm: JAX compiles once more for another number of steps
        per_image = _trials(row, images, process, batch, options)
    return per_image, images, losses


def _trials(row: Row, images: int, process: PeerProcess, batch: int, options: Options) -> float:
    """Return the median seconds per image of some runs."""
    times: list[float] = []
    while len(times) < _TRIALS and (len(times) < _FEWEST or sum(times) < options.seconds):
        times.append(process.ask(**_request(row, images, batch))["seconds"])
    return statistics.median(times) / images


def _images(row: Row, entry: Entry, batch: int, per_image: float, options: Options) -> int:
    """Return how many images make a run of about the length aimed at, in whole steps."""
    most = min(row.images, options.images)
    if entry.slow:
        return 1
    if row.infers:  # all of them, unless that takes far too long
        return most if most * per_image < 4 * options.seconds else max(batch, int(options.seconds / per_image))
    steps = max(1, min(most // batch, round(options.seconds / per_image / batch)))
    return steps * batch


def _request(row: Row, images: int, batch: int) -> dict:
    if row.infers:
        return {"do": "predict", "images": images, "batch": batch}
    return {"do": "train", "steps": images // batch, "batch": batch, "lr": row.lr}


def _compare(result: Result, losses: np.ndarray, expected: np.ndarray | None, row: Row) -> None:
    """Note whether a peer's first losses are jitnet's; without jitnet nothing is compared."""
    if expected is None:
        return
    result.compared = min(row.check, len(losses), len(expected))
    differences = np.abs(losses[: result.compared] - expected[: result.compared])
    result.difference = float(differences.max()) if np.isfinite(differences).all() else float("inf")
    result.agrees = result.compared > 0 and result.difference <= row.tolerance
