"""The whole page: an overview when there are several runs, then each run."""

from collections.abc import Sequence
from typing import Any

from jitnet import history
from jitnet.errors import InputError
from jitnet.history.compare import compare
from jitnet.history.curves import ALONG, METRICS, Curve, curves
from jitnet.report.chart import chart
from jitnet.report.html import Markup, element, join, table
from jitnet.report.section import Subject, section
from jitnet.report.style import SCRIPT, STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"  # no network


def page(subjects: list[Subject], made: str, damaged: Sequence[str] = ()) -> str:
    """Return the document; `made` says by what and when, `damaged` which runs could not be read."""
    names = [subject.run.name for subject in subjects]
    parts = [section(subject, place, len(subjects) == 1) for place, subject in enumerate(subjects)]
    overview = _overview(subjects) if len(subjects) > 1 else None
    alerts = [element("p", sentence, class_="alert") for sentence in damaged]
    return document(f"jitnet: {', '.join(names)}", [alerts, overview, parts], made)


def document(title: str, parts: Any, made: str) -> str:
    """Return a whole page of these parts."""
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
        element("script", Markup(SCRIPT)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _overview(subjects: list[Subject]) -> Markup:
    runs = [subject.run for subject in subjects]
    links = [element("li", element("a", run.name, href=f"#run{place}")) for place, run in enumerate(runs)]
    tables = [
        join(
            [
                element("h3", each.title),
                table(
                    "In brackets: the difference to the first run." if each.title == "results" else each.title,
                    list(each.head),
                    [list(row) for row in each.rows],
                ),
            ]
        )
        for each in compare(runs)
    ]
    return element(
        "section",
        element("nav", element("ul", links), aria_label="runs"),
        element("h2", "Side by side"),
        element("div", overlays(runs), class_="columns"),
        tables,
    )


def overlays(runs: list[history.Run]) -> list[Markup]:
    """Return the charts that have all runs in them."""
    made = []
    for metric, along in (("test_accuracy", "epoch"), ("test_accuracy", "time"), ("train_loss", "epoch")):
        try:
            lines: list[Curve] = curves(runs, metric, along)
        except InputError:  # no run has that
            continue
        kind = "accuracy" if "accuracy" in metric else "loss"
        made.append(chart(f"all-{metric}-{along}", METRICS[metric], ALONG[along], lines, kind))
    return made
