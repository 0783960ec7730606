"""One run's part of the page."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jitnet.errors import InputError
from jitnet.history import Run
from jitnet.history.curves import ALONG, METRICS, Curve, curves
from jitnet.model.architecture import Conv, Shape, forward_macs, operations, parameter_count
from jitnet.report.chart import chart
from jitnet.report.featuremaps import feature_maps
from jitnet.report.html import Markup, element, join, number, table
from jitnet.report.measure import Measured, Mistake
from jitnet.report.pictures import image_bytes, picture, signed, tiles
from jitnet.report.reliability import diagram


@dataclass(frozen=True)
class Subject:
    """A run with what could be found out about it; `missing` says why there is nothing measured."""

    run: Run
    network: tuple[Shape, ...]
    tensors: dict[str, np.ndarray]
    measured: Measured | None
    images: np.ndarray  # (n, H, W, C) of the test set, or none of it
    missing: str = ""
    rmse: float | None = None  # of a regression, on its test rows


def section(subject: Subject, place: int, alone: bool = False) -> Markup:
    """Return everything about one run; `place` tells its ids from those of other runs, `alone` that there are none."""
    run, measured = subject.run, subject.measured
    parts: list[Any] = [element("h2", "Result" if alone else run.name), _lead(run), _alerts(subject), _figures(subject)]
    parts.append(element("div", _charts(run, place), class_="columns"))
    if measured is not None:
        parts += [element("h3", "Confusion matrix"), _confusion(measured)]
        parts += [element("h3", "Each class"), _classes(measured)]
        parts += [element("h3", "Can its probabilities be trusted?"), diagram(measured)]
        parts += [element("h3", "The worst errors"), _mistakes(subject, measured)]
    if any(isinstance(shape.layer, Conv) for shape in subject.network):
        parts += [element("h3", "Filters and feature maps"), _convolutions(subject)]
    parts += [element("h3", "Network"), _network(subject), element("h3", "Epochs"), _epochs(run)]
    parts += [
        element("div", _pairs("Settings", run.settings), _pairs("Environment", _environment(run)), class_="columns")
    ]
    parts += [element("h3", "Again"), _again(run)]
    return element("section", parts, id=f"run{place}", aria_label=run.name)


def _lead(run: Run) -> Markup:
    """Return in a line what was trained, on what, how."""
    s = run.settings
    batch = "one image a step" if s["batch_size"] == 1 else f"batches of {s['batch_size']}"
    what = f"{s['architecture'] or s['network']} on {run.meta['data']}"
    how = f"{s['optimizer']}, {batch}, learning rate {s['lr']:g} ({s['schedule']}), seed {s['seed']}"
    return element("p", f"{what}: {how}. {str(run.meta['created'])[:10]}.", class_="note")


def _alerts(subject: Subject) -> list[Markup]:
    run, notes = subject.run, []
    if run.meta["data"] == "synthetic":
        notes.append("Trained on jitnet's built-in synthetic digits, not on MNIST: its accuracy is not MNIST's.")
    if run.status != "done":
        notes.append(f"This run is {run.status}: its figures are those of its newest checkpoint.")
    if run.meta.get("stop_reason"):
        notes.append(f"It stopped before its last epoch: {run.meta['stop_reason']}.")
    for event in run.events("Warned"):
        if str(event.get("message", "")).startswith("the network has learnt nothing"):
            notes.append(event["message"][:1].upper() + event["message"][1:] + ".")
    if subject.missing:
        notes.append(f"Nothing is measured on test images here: {subject.missing}.")
    return [element("p", note, class_="alert") for note in notes]


def _figures(subject: Subject) -> Markup:
    run, measured = subject.run, subject.measured
    accuracy = measured.accuracy if measured else run.last("test_accuracy")
    loss = measured.loss if measured else run.last("test_loss")
    seconds = run.last("elapsed_s")
    rates = [row["images_per_s"] for row in run.epochs if row.get("images_per_s")]
    rmse = subject.rmse if subject.rmse is not None else run.last("test_rmse")
    if rmse is None and loss is not None and run.settings.get("target"):
        rmse = loss**0.5
    result = ("test accuracy", f"{number(accuracy, 2)} %")
    if run.settings.get("target"):
        result = (f"test RMSE of {run.settings['target']}", number(rmse, 4))
    figures = [
        result,
        ("test loss", number(loss, 4)),
        ("epochs", str(len(run.epochs))),
        ("parameters", f"{parameter_count(subject.network):,}"),
        ("minutes", number(None if seconds is None else seconds / 60, 2)),
        ("images/s", number(sum(rates) / len(rates) if rates else None, 0)),  # type: ignore[arg-type]
    ]
    if measured:
        figures.insert(1, (f"errors in {measured.images:,}", f"{measured.errors:,}"))
    return element(
        "dl",
        [element("div", element("dt", name), element("dd", value)) for name, value in figures],
        class_="key-figures",
    )


def _charts(run: Run, place: int) -> list[Markup]:
    def one(title: str, metrics: dict[str, str], along: str, kind: str) -> Markup | None:
        lines: list[Curve] = []
        for metric, name in metrics.items():
            try:
                lines.append(Curve(name, curves([run], metric, along)[0].points))
            except InputError:  # not computed in this run
                continue
        return chart(f"run{place}-{kind}-{along}", title, ALONG[along], lines, kind) if lines else None

    made = [
        one("accuracy %", {"test_accuracy": "test", "val_accuracy": "validation"}, "epoch", "accuracy"),
        one("loss", {"train_loss": "training", "test_loss": "test", "val_loss": "validation"}, "epoch", "loss"),
        one("loss of single calls", {"step_loss": "training"}, "step", "loss"),
        one(METRICS["lr"], {"lr": "learning rate"}, "epoch", "lr"),
    ]
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
            count = int(measured.confusion[label, other])
            share = f"--share:{0.45 * count / most:.3f}" if other != label and count else None
            cells.append(
                element("td", f"{count:,}" if count else "", class_="right" if other == label else None, style=share)
            )
        rows.append(element("tr", element("th", measured.name_of(label), scope="row"), cells))
    head = element(
        "tr", element("th", "true \\ taken for", scope="col"), [element("th", measured.name_of(n), scope="col") for n in labels]
    )
    caption = (
        f"{measured.images:,} test images of {measured.data}: a row is a true class, a column what it was taken for."
    )
    made = element(
        "table", element("caption", caption), element("thead", head), element("tbody", rows), class_="matrix"
    )
    return element("div", made, class_="wide", tabindex="0", role="region", aria_label="confusion matrix")


def _classes(measured: Measured) -> Markup:
    rows: list[list[Any]] = [
        [
            measured.name_of(each.label), f"{each.images:,}", number(100 * each.recall, 2), number(100 * each.precision, 2),
            number(100 * each.f1, 2), ", ".join(f"{measured.name_of(other)} ({count})" for other, count in each.confused_with) or "–",
        ]
        for each in measured.classes
    ]  # fmt: skip
    head = ["class", "images", "recall %", "precision %", "F1 %", "most often taken for"]
    caption = "Recall: of its images, found. Precision: of what was taken for it, right."
    return table(caption, head, rows, class_="figures classes")


def _mistakes(subject: Subject, measured: Measured) -> Markup:
    if not measured.mistakes:
        return element("p", "There are none.")
    items = [_mistake(each, subject.images[each.index], measured.name_of) for each in measured.mistakes]
    shown = f"The {len(items)} of {measured.errors:,} errors with the largest loss, and the three likeliest classes."
    return join([element("p", shown, class_="note"), element("ul", items, class_="mistakes")])


def _mistake(mistake: Mistake, image: np.ndarray, name_of: Callable[[int], str]) -> Markup:
    ranked = sorted(range(len(mistake.probabilities)), key=lambda label: -mistake.probabilities[label])[:3]
    labels = ranked if mistake.label in ranked else [*ranked[:2], mistake.label]
    bars = []
    for label in labels:
        share = mistake.probabilities[label]
        kind = "true" if label == mistake.label else "wrong" if label == mistake.predicted else None
        bar = element("i", style=f"--share:{share:.4f}")
        bars.append(element("span", name_of(label), element("b", bar), f"{100 * share:.1f} %", class_=kind))
    label, predicted = name_of(mistake.label), name_of(mistake.predicted)
    text = f"{label} taken for {predicted}, loss {mistake.loss:.2f}, test image {mistake.index}"
    alt = f"a {label} that is taken for a {predicted}"
    return element("li", picture(image_bytes(image), alt, 76), element("div", bars, class_="bars"), element("p", text))


def _convolutions(subject: Subject) -> Markup:
    sheets = []
    for shape in subject.network:
        if isinstance(shape.layer, Conv):
            weight = subject.tensors[f"{shape.name}.weight"]
            first = shape.inputs[-1] == 1
            pictures = [
                weight[..., 0, o] if first else np.abs(weight[..., o]).mean(axis=-1) for o in range(weight.shape[-1])
            ]
            most = max(float(np.abs(each).max()) for each in pictures)
            sheet = tiles([signed(each, most) for each in pictures], 16)
            what = "its weights: orange above 0, blue below" if first else "mean size of its weights over the inputs"
            sheets.append(_sheet(f"{shape.name}: {len(pictures)} filters 3x3", what, sheet, 12 if first else 8))
    if len(subject.images):
        sheets.append(_sheet("an image of the test set", "what the maps below see", image_bytes(subject.images[0]), 4))
        for name, maps in feature_maps(subject.network, subject.tensors, subject.images[0]):
            scale = 255 / (maps.max() or 1.0)
            pictures = [(maps[..., c] * scale).astype(np.uint8) for c in range(maps.shape[-1])]
            what = f"{len(pictures)} maps of {maps.shape[0]}x{maps.shape[1]} behind the ReLU, white is most"
            sheets.append(_sheet(f"{name}: what it sees", what, tiles(pictures, 16), max(2, 56 // maps.shape[1])))
    return element("div", sheets, class_="sheets")


def _sheet(title: str, what: str, sheet: np.ndarray, scale: int) -> Markup:
    caption = element("figcaption", element("strong", title), element("span", what, class_="note"))
    return element("figure", caption, picture(sheet, f"{title}, {what}", min(scale * sheet.shape[1], 1032)))


def _network(subject: Subject) -> Markup:
    rows: list[list[Any]] = [list(row) for row in operations(subject.network)]
    total = f"{parameter_count(subject.network):,}", f"{forward_macs(subject.network):,}"
    head = ["operation", "input", "output", "parameters", "MACs"]
    return table("One image, one pass forward.", head, [*rows, ["total", "", "", *total]])


def _epochs(run: Run) -> Markup:
    names = [
        name for name in (run.epochs[0] if run.epochs else {}) if any(row.get(name) is not None for row in run.epochs)
    ]
    digits = {
        "epoch": 0,
        "step": 0,
        "images_per_s": 0,
        "test_accuracy": 2,
        "val_accuracy": 2,
        "train_s": 2,
        "elapsed_s": 1,
    }
    rows: list[list[Any]] = [[number(row.get(name), digits.get(name, 6)) for name in names] for row in run.epochs]
    if not rows:
        return element("p", "No epoch is done.")
    return table("A row an epoch, as in metrics.csv.", [name.replace("_", " ") for name in names], rows)


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
    rows: list[list[Any]] = [[name, "–" if value is None else str(value)] for name, value in values.items()]
    return element("div", element("h3", title), table(title, ["", "value"], rows, class_="text"))


def _again(run: Run) -> Markup:
    path = shlex.quote(str(run.path))
    lines = [f"# the same bits again\njitnet train --config {path}/config.toml"]
    argv = run.meta.get("argv")
    if isinstance(argv, list) and argv:
        lines.append(f"# as it was typed\n{shlex.join(map(str, argv))}")
    lines += [f"# this measurement, this page\njitnet eval {path}\njitnet report {path}"]
    return element("pre", "\n".join(lines), tabindex="0")
