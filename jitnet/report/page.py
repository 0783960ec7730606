"""The whole page: an overview when there are several runs, then each run."""

from collections.abc import Sequence
from typing import Any

from jitnet.display.tables import cell_text
from jitnet.errors import InputError
from jitnet.history import Run
from jitnet.history.compare import compare
from jitnet.history.curves import ALONG, METRICS, Curve, curves
from jitnet.history.tables import Table
from jitnet.report.chart import chart
from jitnet.report.html import Markup, element, join, table
from jitnet.report.section import section
from jitnet.report.style import SCRIPT, STYLE
from jitnet.report.subject import Subject

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"  # no network
_CHANGES = "In brackets: the difference to the first run."


def page(subjects: list[Subject], made: str, damaged: Sequence[str] = ()) -> str:
    """Return the document; `made` says by what and when, `damaged` which runs could not be read."""
    parts = [section(subject, place, len(subjects) == 1) for place, subject in enumerate(subjects)]
    title = subjects[0].title if len(subjects) == 1 else f"{len(subjects)} runs of jitnet"
    alerts = [element("p", sentence, class_="alert") for sentence in damaged]
    return document(title, [alerts, _overview(subjects) if len(subjects) > 1 else None, parts], made)


def document(title: str, parts: Any, made: str, script: str = "") -> str:
    """Return a whole page of these parts; `script` is run after the one that all pages have."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    button = element("button", "Light or dark", id="theme", type="button", hidden=True)
    body = element(
        "body",
        element("header", element("h1", title), button),
        element("main", parts),
        element("footer", made),
        element("script", Markup(SCRIPT + script)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _overview(subjects: list[Subject]) -> Markup:
    runs = [subject.run for subject in subjects]
    links = [element("li", element("a", each.title, href=f"#run{place}")) for place, each in enumerate(subjects)]
    return element(
        "section",
        element("nav", element("ul", links), aria_label="runs"),
        element("h2", "Side by side"),
        element("div", overlays(runs), class_="columns"),
        [figures_table(each, _CHANGES if each.title == "results" else "") for each in compare(runs)],
    )


def figures_table(figures: Table, caption: str = "") -> Markup:
    """Return a table of figures under its title."""
    rows: list[list[Any]] = [[cell_text(cell) for cell in row] for row in figures.rows]
    return join([element("h3", figures.title), table(caption, list(figures.head), rows, label=figures.title)])


def overlays(runs: list[Run]) -> list[Markup]:
    """Return the charts that have all runs in them."""
    made = []
    for metric, along in (("test_accuracy", "epoch"), ("test_accuracy", "time"), ("train_loss", "epoch")):
        try:
            lines: list[Curve] = curves(runs, metric, along)
        except InputError:  # no run has that
            continue
        made.append(chart(f"all-{metric}-{along}", METRICS[metric], ALONG[along], lines))
    return made
