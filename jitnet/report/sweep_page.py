"""A sweep's page: its statistics, the curves of each configuration, and a line for each trial."""

import shlex

from jitnet.history.curves import ALONG, METRICS, Curve
from jitnet.history.statistics import CONFIDENCE, Summary
from jitnet.history.sweep_record import Sweep
from jitnet.history.tables import statistics_tables, trials_table
from jitnet.report.chart import chart
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
    parts = [
        element("p", f"{sweep.title}: {_statuses(sweep)}. {_INTERVAL}", class_="note"),
        *(element("p", sentence, class_="alert") for sentence in sweep.damaged),
        element("div", _charts(statistics), class_="columns"),
        [figures_table(each) for each in every],
        figures_table(trials) if trials else None,
        element("h3", "Command"),
        element("pre", shlex.join(sweep.record.get("argv") or []), tabindex="0"),
    ]
    return document(f"jitnet: {sweep.name}", element("section", parts), made)


def _statuses(sweep: Sweep) -> str:
    statuses = [line.get("status", "") for line in sweep.table]
    counts = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "no trial has begun"


def _charts(statistics: dict[str, list[Summary]]) -> list[Markup]:
    """Return the mean of each configuration along the epochs; of a single one its range too."""
    made = []
    for figure in ("val_accuracy", "test_accuracy", "train_loss", "test_loss"):
        lines = []
        for group, rows in statistics.items():
            points = [(row.epoch + 1.0, row) for row in rows if row.figure == figure]
            parts = [(group or "mean", "mean")]
            if len(statistics) == 1 and any(row.n > 1 for _, row in points):
                parts += [("lowest", "min"), ("highest", "max")]
            lines += [Curve(name, tuple((x, getattr(row, part)) for x, row in points)) for name, part in parts]
        lines = [line for line in lines if line.points]
        lines.sort(key=lambda line: line.points[-1][1], reverse="accuracy" in figure)
        if lines:
            title = METRICS[figure] + (f", the {_MOST} best of {len(lines)}" if len(lines) > _MOST else "")
            made.append(chart(f"sweep-{figure}", title, ALONG["epoch"], lines[:_MOST]))
    return made
