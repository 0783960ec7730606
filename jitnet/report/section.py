"""One run's part of the page."""

import shlex
from collections.abc import Callable
from typing import Any

import numpy as np

from jitnet.config import SETTINGS
from jitnet.display.format import (
    CLASS_HEAD,
    EPOCH_COLUMNS,
    NONE,
    class_rows,
    count,
    duration,
    epoch_cells,
    epoch_columns,
    number,
    percentage,
    significant,
)
from jitnet.errors import InputError
from jitnet.history import Run
from jitnet.history.curves import ALONG, METRICS, Curve, curves, smoothed
from jitnet.model.architecture import Conv, forward_macs, operations, parameter_count
from jitnet.report.chart import chart
from jitnet.report.convolutions import convolutions
from jitnet.report.html import Markup, element, join, preformatted, table
from jitnet.report.measure import Measured, Mistake
from jitnet.report.pictures import image_bytes, picture
from jitnet.report.regression import Residuals, regression
from jitnet.report.reliability import diagram
from jitnet.report.subject import Subject
from jitnet.setting import show


def section(subject: Subject, place: int, alone: bool = False) -> Markup:
    """Return everything about one run; `place` tells its ids from those of other runs, `alone` that there are none."""
    run, measured = subject.run, subject.measured
    parts: list[Any] = [element("h2", "Result" if alone else subject.title)]
    parts += [element("p", subject.sentence), _lead(run), _alerts(subject), _figures(subject)]
    if subject.play:
        parts.append(element("p", element("a", "Draw for this network, watch it and train it", href=subject.play)))
    parts.append(element("div", _charts(run, place), class_="columns"))
    if isinstance(measured, Residuals):
        parts.append(regression(measured))
    elif measured is not None:
        parts += [element("h3", "Confusion matrix"), _confusion(measured)]
        parts += [element("h3", "Each class"), _classes(measured)]
        parts += [element("h3", "Can its probabilities be trusted?"), diagram(measured)]
        parts += [element("h3", "The worst errors"), _mistakes(subject, measured)]
    if any(isinstance(shape.layer, Conv) for shape in subject.network):
        parts += [element("h3", "Filters and feature maps"), convolutions(subject)]
    parts += [element("h3", "Network"), _network(subject), element("h3", "Epochs"), _epochs(run)]
    parts += [
        element("div", _pairs("Settings", _settings(run)), _pairs("Environment", _environment(run)), class_="columns")
    ]
    parts += [element("h3", "Commands"), _commands(run)]
    return element("section", parts, id=f"run{place}", aria_label=run.name)


def _lead(run: Run) -> Markup:
    """Return in a line what was trained, on what, how."""
    s = run.settings
    item = "row" if s["target"] else "image"
    batch = {0: f"all {item}s a step", 1: f"one {item} a step"}.get(s["batch_size"], f"batches of {s['batch_size']}")
    what = f"{s['architecture'] or s['network']} on {run.meta['data']}"
    how = f"{s['optimizer']}, {batch}, learning rate {s['lr']:g} ({s['schedule']}), seed {s['seed']}"
    return element("p", f"{what}: {how}. {str(run.meta['created'])[:10]}.", class_="note")


_OLD_ADVICE = "the network has learnt nothing"  # what version 0.1.0 warned of at the end


def _alerts(subject: Subject) -> list[Markup]:
    run, notes = subject.run, []
    if run.meta["data"] == "synthetic":
        notes.append("Trained on jitnet's built-in synthetic digits, not on MNIST: its accuracy is not MNIST's.")
    if run.status != "done":
        notes.append(f"This run is {run.status}: its figures are those of its newest checkpoint.")
    if run.meta.get("stop_reason"):
        notes.append(f"It stopped before its last epoch: {run.meta['stop_reason']}.")
    said = [event for event in run.events("Warned") if str(event.get("message", "")).startswith(_OLD_ADVICE)]
    for event in [*said, *run.events("Advised")][-1:]:
        message = str(event.get("message", ""))
        notes.append(f"{message[:1].upper()}{message[1:]}.")
    if subject.missing:
        notes.append(f"Nothing is measured on test data here: {subject.missing}.")
    return [element("p", note, class_="alert") for note in notes]


def _figures(subject: Subject) -> Markup:
    run = subject.run
    rates = [rate for row in run.epochs if (rate := row.get("images_per_s"))]
    figures = [
        subject.result,
        *_loss_and_errors(subject),
        ("epochs", number(len(run.epochs))),
        ("parameters", number(parameter_count(subject.network))),
        ("time", duration(run.last("elapsed_s"))),
        ("rows/s" if subject.target else "images/s", number(sum(rates) / len(rates) if rates else None)),
    ]
    return element(
        "dl",
        [element("div", element("dt", name), element("dd", value)) for name, value in figures],
        class_="key-figures",
    )


def _loss_and_errors(subject: Subject) -> list[tuple[str, str]]:
    measured = subject.measured
    if isinstance(measured, Residuals):
        return [("mean absolute error", significant(measured.mean_error)), ("test rows", number(measured.rows))]
    if measured is None:
        return [("test loss", number(subject.run.last("test_loss"), 4))]
    return [(f"errors in {number(measured.images)}", number(measured.errors)), ("test loss", number(measured.loss, 4))]


def _charts(run: Run, place: int) -> list[Markup]:
    def one(title: str, metrics: dict[str, str], along: str, name: str, steps: bool = False) -> Markup | None:
        lines: list[Curve] = []
        for metric, label in metrics.items():
            try:
                points = curves([run], metric, along)[0].points
                lines.append(smoothed(Curve(label, points), 0.1) if metric == "step_accuracy" else Curve(label, points))
            except InputError:  # not computed in this run
                continue
        if steps:  # that of the first epoch is drawn from its start
            lines = [Curve(line.name, ((line.points[0][0] - 1, line.points[0][1]), *line.points)) for line in lines]
        return chart(f"run{place}-{name}-{along}", title, ALONG[along], lines, steps=steps) if lines else None

    def per_step() -> Markup | None:
        try:
            raw = Curve("each call", curves([run], "step_loss", "step")[0].points)
        except InputError:
            return None
        lines = [raw, Curve("smoothed", smoothed(raw).points)]
        return chart(f"run{place}-loss-step", "training loss per step", ALONG["step"], lines, faint=1)

    made = [
        one(
            "accuracy %", {"test_accuracy": "test", "val_accuracy": "validation", "step_accuracy": "training"}, "epoch",
            "accuracy",
        ),
        one(METRICS["test_rmse"], {"test_rmse": "test"}, "epoch", "rmse"),
        one("loss", {"train_loss": "training", "test_loss": "test", "val_loss": "validation"}, "epoch", "loss"),
        per_step(),
        one(METRICS["lr"], {"lr": "learning rate"}, "epoch", "lr", steps=True),
    ]  # fmt: skip
    return [each for each in made if each is not None]


def _confusion(measured: Measured) -> Markup:
    labels = range(len(measured.confusion))
    off = measured.confusion.copy()
    np.fill_diagonal(off, 0)
    most = max(1, int(off.max()))
    rows = []
    for label in labels:
        cells = []
        for other in labels:
            images = int(measured.confusion[label, other])
            share = f"--share:{0.45 * images / most:.3f}" if other != label and images else None
            cells.append(
                element("td", number(images) if images else "", class_="right" if other == label else None, style=share)
            )
        rows.append(element("tr", element("th", measured.name_of(label), scope="row"), cells))
    head = element(
        "tr",
        element("th", "true \\ taken for", scope="col"),
        [element("th", measured.name_of(n), scope="col") for n in labels],
    )
    caption = (
        f"{count(measured.images, 'test image')} of {measured.data}: "
        "a row is a true class, a column what it was taken for."
    )
    made = element(
        "table", element("caption", caption), element("thead", head), element("tbody", rows), class_="matrix"
    )
    return element("div", made, class_="wide", tabindex="0", role="region", aria_label="confusion matrix")


def _classes(measured: Measured) -> Markup:
    rows: list[list[Any]] = [list(cells) for cells in class_rows(measured.confusion.tolist(), measured.name_of)]
    caption = "Recall: of its images, found. Precision: of what was taken for it, right."
    return table(caption, list(CLASS_HEAD), rows, class_="figures classes")


def _mistakes(subject: Subject, measured: Measured) -> Markup:
    if not measured.mistakes:
        return element("p", "There are none.")
    items = [_mistake(each, subject.images[each.index], measured.name_of) for each in measured.mistakes]
    of = count(measured.errors, "error")
    shown = f"{len(items)} of {of}, the largest losses first, with the three likeliest classes."
    return join([element("p", shown, class_="note"), element("ul", items, class_="mistakes")])


def _mistake(mistake: Mistake, image: np.ndarray, name_of: Callable[[int], str]) -> Markup:
    ranked = sorted(range(len(mistake.probabilities)), key=lambda label: -mistake.probabilities[label])[:3]
    labels = ranked if mistake.label in ranked else [*ranked[:2], mistake.label]
    bars = []
    for label in labels:
        share = mistake.probabilities[label]
        kind = "true" if label == mistake.label else "wrong" if label == mistake.predicted else None
        bar = element("i", style=f"--share:{share:.4f}")
        bars.append(element("span", name_of(label), element("b", bar), percentage(100 * share, 1), class_=kind))
    true, taken = name_of(mistake.label), name_of(mistake.predicted)
    text = f"{true} taken for {taken}, loss {mistake.loss:.2f}, test image {mistake.index}"
    alt = f"a {true} that is taken for a {taken}"
    return element("li", picture(image_bytes(image), alt, 76), element("div", bars, class_="bars"), element("p", text))


def _network(subject: Subject) -> Markup:
    rows: list[list[Any]] = [list(row) for row in operations(subject.network, bool(subject.target))]
    total = number(parameter_count(subject.network)), number(forward_macs(subject.network))
    head = ["operation", "input", "output", "parameters", "MACs"]
    caption = f"One {'row' if subject.target else 'image'}, one pass forward."
    return table(caption, head, [*rows, ["total", "", "", *total]])


def _epochs(run: Run) -> Markup:
    rows = run.epochs
    if not rows:
        return element("p", "No epoch is done.")
    names = epoch_columns(rows)
    cells: list[list[Any]] = [epoch_cells(row, names) for row in rows]
    caption = f"{count(len(rows))}, the first is 1; in metrics.csv it is 0."
    return table(caption, [EPOCH_COLUMNS[name].heading for name in names], cells)


def _settings(run: Run) -> dict[str, Any]:
    """Return the settings that say how the run learned, then those at their defaults; without empty ones."""
    given = {name: value for name, value in run.settings.items() if value != "" and _applies(name, run.settings)}
    changed = {name: value for name, value in given.items() if name in _FIRST or value != SETTINGS[name].default}
    first = {name: given[name] for name in _FIRST if name in given}
    return first | changed | given


_FIRST = ("network", "architecture", "optimizer", "lr", "schedule", "batch_size", "epochs", "init", "shuffle", "seed")


def _applies(name: str, settings: dict[str, Any]) -> bool:
    """Whether a setting has an effect, given the others."""
    if name == "momentum":
        return settings["optimizer"] in ("momentum", "nesterov")
    if name == "until":
        return settings["until"] != settings["epochs"]
    return name in SETTINGS


def _environment(run: Run) -> dict[str, Any]:
    names = ("created", "cpu", "threads", "layer", "data", "data_source", "data_sha256")
    versions = run.meta.get("versions")
    found = {name: run.meta.get(name) for name in names} | (versions if isinstance(versions, dict) else {})
    record = run.meta.get("record")
    if isinstance(record, dict):
        shown = ("class_names", "label_column", "columns", "polarity", "orientation", "split", "notes")
        found |= {name.replace("_", " "): _short(record.get(name)) for name in shown if record.get(name)}
    return found


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _pairs(title: str, values: dict[str, Any]) -> Markup:
    rows: list[list[Any]] = [[name, _said(name, value)] for name, value in values.items()]
    return element("div", element("h3", title), table("", ["", "value"], rows, class_="text", label=title))


def _said(name: str, value: Any) -> str:
    if name == "created":
        return str(value)[:19].replace("T", " ")
    return NONE if value is None else show(value) if isinstance(value, bool | float) else str(value)


def _commands(run: Run) -> Markup:
    path = shlex.quote(str(run.path))
    lines = ["# the same result, bit for bit", f"jitnet train --config {path}/config.toml"]
    argv = run.meta.get("argv")
    if argv:
        lines += ["# as it was started", shlex.join(argv)]
    lines += ["# this measurement, this page", f"jitnet eval {path}", f"jitnet report {path}"]
    lines += ["# a page on which one draws, watches and trains it", f"jitnet play {path}"]
    return element("pre", preformatted(lines), tabindex="0")
