"""The output of a comparison: its table, its progress on a terminal, and plain lines elsewhere."""

import time

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bench.race import Result
from bench.rows import Row

Measured = list[tuple[Row, list[Result]]]


def console(stderr: bool = False) -> Console:
    """Return the console; a pipe gets a width that fits the tables."""
    made = Console(stderr=stderr)
    return made if made.is_terminal else Console(stderr=stderr, width=120)


def progress(console: Console) -> Progress:
    """Return a bar with the time left, drawn on request: a drawing thread would take the core of the kernel."""
    columns = (
        BarColumn(30),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    return Progress(*columns, console=console, auto_refresh=False, transient=True)


def duration(seconds: float) -> str:
    """Return a time with three digits and its unit.

    >>> duration(0.00010634), duration(5.5), duration(25000)
    ('106 µs', '5.50 s', '6.94 h')
    """
    for limit, unit, size in ((1e-3, "µs", 1e-6), (1.0, "ms", 1e-3), (120.0, "s", 1.0), (7200.0, "min", 60.0)):
        if seconds < limit:
            return f"{digits(seconds / size)} {unit}"
    return f"{digits(seconds / 3600)} h"


def digits(value: float) -> str:
    """Return a number with three digits."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def faster(result: Result) -> str:
    """Return how many times faster jitnet is, or the reason why no ratio is given."""
    if result.problem:
        return result.problem
    if result.peer == "jitnet":
        return "1"
    if result.ratio is not None:
        low, high = digits(result.ratio.low), digits(result.ratio.high)
        return f"{digits(result.ratio.median)}  ({low} to {high})"
    if result.compared == 0:
        return "no ratio: jitnet was not run"
    if result.agrees and result.disturbed:
        return "no ratio: far slower than its own trials"
    return f"no ratio: losses differ by {result.difference:.2g}"


def table(measured: Measured) -> Table:
    """Draw all rows measured so far, each a section under its title."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    drawn.add_column("", no_wrap=True)
    drawn.add_column("as")
    for name in ("per image", "±", "all"):
        drawn.add_column(name, justify="right", no_wrap=True)
    drawn.add_column("jitnet is faster by")
    for row, results in measured:
        drawn.add_row(Text(row.title, "bold"))
        for place, result in enumerate(results):
            loses = result.ratio is not None and result.ratio.median < 1
            style = "cyan" if result.peer == "jitnet" else "yellow" if loses or result.problem else ""
            first, *others = cells(row, result)
            drawn.add_row(f"  {first}", *others, style=style)
            if place == len(results) - 1:
                drawn.add_row("")
    return drawn


def cells(row: Row, result: Result) -> tuple[str, ...]:
    """Return the text of a result's columns."""
    if result.seconds is None:
        return (result.label, "", "", "", "", faster(result))
    seconds = result.seconds.median
    total = 10000 if row.infers else 60000
    how = [f"{result.threads} thread{'s' * (result.threads > 1)}"]
    if result.how:
        how.append(result.how)
    if row.infers and result.peer != "jitnet" and result.batch > 1:
        how.append(f"batch {result.batch}")
    return (
        result.label,
        ", ".join(how),
        duration(seconds),
        f"{100 * result.seconds.spread:.0f} %",
        ("~" if result.images < total else "") + duration(total * seconds),
        faster(result),
    )


def notes(record: dict) -> list[str]:
    """Return the sentences below the table."""
    lines = [
        f"per image: median of n = {record['options']['rounds']} runs in turn; ±: half of slowest minus fastest; "
        "faster by: the median of the rounds' ratios, with the lowest and highest.",
        "all: 60,000 images of training or 10,000 of inference; ~ is extrapolated from shorter runs, for the plain "
        "loops from single images.",
        f"float32 but for the loops (float64), biases per position, data {record['data']['name']} "
        f"({100 * record['data']['zeros']:.0f} % of the pixels are 0). Every run starts at the same weights and first "
        "image. A ratio is shown only if the first losses agree: see tolerance and difference in the JSON.",
    ]
    lines += _next_to_busy(record)
    for peer in record["peers"].values():
        if "absent" in peer:
            lines.append(f"{peer['label']} is not installed here; to compare with it: {peer['install']}")
    results = [result for row in record["rows"] for result in row["results"]]
    left_out = {(one["label"], trial["problem"]) for one in results for trial in one["trials"] if "problem" in trial}
    lines += [f"{label}: a variant was excluded: {problem}" for label, problem in sorted(left_out)]
    if not record["options"]["compiled"]:
        lines.append("Variants that take long to compile, as by torch.compile, were not tried.")
    versions = [
        f"{peer['label']}: " + ", ".join(f"{name} {version}" for name, version in peer["versions"].items())
        for peer in record["peers"].values()
        if "versions" in peer
    ]
    return [*lines, "; ".join(versions), record["machine_text"], record["context"]["text"]]


def _next_to_busy(record: dict) -> list[str]:
    """Return a sentence for each row that was also measured next to busy processes."""
    count = record["options"].get("busy", 0)
    if not count:
        return []
    lines = []
    for row in record["rows"]:
        factors = [(one["label"], one["slowdown"]) for one in row["results"] if one.get("slowdown")]
        times = ", ".join(f"{label} {factor:.2f}" for label, factor in sorted(factors, key=lambda pair: pair[1]))
        lines.append(f"{row['title']}, times as long next to {count} busy process{'es' * (count > 1)}: {times}")
    return lines


class Screen:
    """A growing table, a bar and the time left; plain lines if the output is not a terminal.

    Only the main thread draws, between runs: a drawing thread would take a core from the measured program.
    """

    def __init__(self, console: Console):
        self.console = console
        self.measured: Measured = []
        self._started = time.perf_counter()
        self._last = ""
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> "Screen":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live:
            self._live.stop()

    def progress(self, text: str, done: float) -> None:
        """Show the present work and the share that is done, from 0 to 1."""
        if self._live:
            self._live.update(self._frame(text, done), refresh=True)
        elif text != self._last and not text.endswith(tuple("23456789")):
            self.console.print(f"{100 * done:3.0f} %  {text}", highlight=False)
        self._last = text

    def row(self, row: Row, results: list[Result]) -> None:
        """Add a finished row."""
        self.measured.append((row, results))
        if self._live is None:
            for result in results:
                values = "  ".join(value for value in cells(row, result)[1:] if value)
                self.console.print(f"       {row.name}  {result.label}: {values}", highlight=False)

    def _frame(self, text: str, done: float) -> Group:
        spent = time.perf_counter() - self._started
        left = f"about {duration(spent / done * (1 - done))} left" if done > 0.05 else ""
        line = Table.grid(padding=(0, 2))
        line.add_row(ProgressBar(total=1.0, completed=done, width=30), f"{100 * done:.0f} %", left, Text(text, "dim"))
        return Group(*([table(self.measured), ""] if self.measured else []), line)
