"""A sweep's page: its statistics, the curves of each configuration, and a line for each trial."""

import shlex

from jitnet.display.format import count, percentage, significant
from jitnet.history import Run
from jitnet.history.curves import ALONG, METRICS, Curve
from jitnet.history.statistics import CONFIDENCE, Summary
from jitnet.history.sweep_record import Sweep
from jitnet.history.tables import best_run, rank, statistics_tables, trials_table
from jitnet.report.chart import chart
from jitnet.report.heatmap import heat_maps
from jitnet.report.html import Markup, element
from jitnet.report.page import document, figures_table

_MOST = 6  # curves in a chart: as many as there are colours

_INTERVAL = (
    f"The interval holds the mean of all such runs with {100 * CONFIDENCE:.0f} % confidence (Student's t); "
    "the deviation is that of single runs."
)


def sweep_page(sweep: Sweep, made: str) -> str:
    """Return the document; `made` says by what and when."""
    statistics = sweep.statistics()
    every = statistics_tables(statistics, every=True)
    trials = trials_table(sweep)
    maps = heat_maps(sweep)
    parts = [
        element("p", _winner(sweep)),
        element("p", f"{sweep.title}: {_statuses(sweep)}. {_INTERVAL}", class_="note"),
        *(element("p", sentence, class_="alert") for sentence in sweep.damaged),
        [element("h3", "Which settings work"), maps] if maps else None,
        element("div", _charts(statistics), class_="columns"),
        [figures_table(each) for each in every],
        figures_table(trials) if trials else None,
        element("h3", "Command"),
        element("pre", shlex.join(sweep.record.get("argv") or []), tabindex="0"),
    ]
    best = best_run(sweep)
    title = sweep.name if best is None else f"{sweep.name}: best {_result(best)}"
    return document(title, element("section", parts), made)


def _result(run: Run) -> str:
    """Return what a run has reached: its accuracy, of a regression its error."""
    accuracy, error = run.last("test_accuracy"), run.last("test_rmse")
    if accuracy is not None:
        return f"test accuracy {percentage(accuracy)}"
    return f"test loss {significant(run.last('test_loss'))}" if error is None else f"test RMSE {significant(error)}"


def _winner(sweep: Sweep) -> str:
    """Return the sentence on top: which run is best, and by how much."""
    best = best_run(sweep)
    if best is None:
        return "No trial has finished an epoch."
    group = next(group for group, runs in sweep.runs.items() if best in runs)
    of = f"{best.name}{f' ({group})' if group and group not in best.name else ''}"
    return f"The best of {count(len(sweep.record['trials']), 'trial')} is {of} with {_result(best)}."


def _statuses(sweep: Sweep) -> str:
    statuses = [line.get("status", "") for line in sweep.table]
    counts = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "no trial has begun"


def _charts(statistics: dict[str, list[Summary]]) -> list[Markup]:
    """Return the mean of each configuration along the epochs, the best first; of a single one its range too."""
    made = []
    last = {group: {row.figure: row.mean for row in rows} for group, rows in statistics.items()}
    ranked = sorted(statistics, key=lambda group: rank(last[group]))  # one colour in all charts
    for figure in ("val_accuracy", "test_accuracy", "test_rmse", "train_loss", "test_loss"):
        lines = []
        for group in ranked:
            points = [(row.epoch + 1.0, row) for row in statistics[group] if row.figure == figure]
            parts = [(group or "mean", "mean")]
            if len(statistics) == 1 and any(row.n > 1 for _, row in points):
                parts += [("lowest", "min"), ("highest", "max")]
            lines += [Curve(name, tuple((x, getattr(row, part)) for x, row in points)) for name, part in parts]
        lines = [line for line in lines if line.points]
        if lines:
            title = METRICS[figure] + (f", the {_MOST} best of {len(lines)}" if len(lines) > _MOST else "")
            made.append(chart(f"sweep-{figure}", title, ALONG["epoch"], lines[:_MOST]))
    return made
