"""`jitnet ensemble`: predictions of several runs' networks by the mean of their probabilities."""

import argparse
from typing import Any

import numpy as np

from jitnet.commands.support import listing, options, trained_run
from jitnet.commands.support.damaged import readable
from jitnet.commands.support.json_answer import data_fields, figures, model_fields, print_json
from jitnet.commands.support.progress_bar import Waiting
from jitnet.data import Dataset
from jitnet.data.record import short_list
from jitnet.data.split import with_channels
from jitnet.display.format import count
from jitnet.errors import InputError
from jitnet.history.sweep_record import expand
from jitnet.history.tables import Cell, Line, Table
from jitnet.model.network import Network
from jitnet.model.scores import probabilities, score
from jitnet.printing import warn
from jitnet.run.trained import Trained

Score = tuple[float, float | None]  # loss, accuracy in percent


def run(args: argparse.Namespace) -> int:
    """Measure the members and their mean on the test images, and return the exit code."""
    runs = {each.path.resolve(): each for each in readable(expand(args.run_names, args.runs_dir, done=True))}
    if len(runs) < 2:
        raise InputError(f"{count(len(runs), 'run')} given: expected two or more that are done, or a sweep")
    kind = options.kind_of(args)
    members, scores = [], []
    loaded = []
    for path, each in runs.items():
        try:
            loaded.append((each.name, *trained_run.load_trained(str(path), args.runs_dir, kind)))
        except InputError as error:
            warn(error)
    if len(loaded) < 2:
        raise InputError(f"{len(loaded)} of {len(runs)} runs can be read: expected two or more with a valid checkpoint")
    _, first, trained, _ = loaded[0]
    data, _ = trained_run.load_test(first, trained, args.data, args.offline)
    total: Any = 0.0
    regression = data.y_test.ndim == 2
    with Waiting() as waiting:
        for place, (name, network, member, epoch) in enumerate(loaded):
            waiting.report("measuring", place / len(loaded))
            logits = trained_run.logits(network, _images(data, first, network, member, trained), waiting.report)
            total = total + (logits.astype(np.float64) if regression else probabilities(logits))
            scores.append(score(logits, data.y_test, network.loss))
            members.append((name, Cell(epoch, "count"), *_figures(scores[-1], data.unit)))
    mean = total / len(members)
    combined = score(mean if regression else np.log(np.maximum(mean, 1e-300)), data.y_test, first.loss)
    average: Any = tuple(None if None in column else sum(column) / len(column) for column in zip(*scores))
    best = min(scores, key=lambda each: each[0] if each[1] is None else -each[1])
    mark = trained_run.mark(data, trained, args.data)
    if args.json:
        by_member = [
            model_fields(member, epoch) | _measured(found, data.unit)
            for (_, _, member, epoch), found in zip(loaded, scores, strict=True)
        ]
        results = {"mean": average, "best": best, "ensemble": combined}
        print_json(
            "ensemble", data=data_fields(data, len(data.y_test), mark), members=by_member,
            **{name: _measured(found, data.unit) for name, found in results.items()},
        )  # fmt: skip
        return 0
    rows: tuple[Line, ...] = (
        *members,
        ("mean of the members", "", *_figures(average, data.unit)),
        ("best member", "", *_figures(best, data.unit)),
        (f"ensemble of {len(members)}", "", *_figures(combined, data.unit)),
    )
    title = f"{count(len(data.y_test), 'test row' if regression else 'test image')} of {data.name}{mark}"
    listing.print_tables([Table(title, ("", "epochs", "loss", "RMSE" if regression else "accuracy"), rows)])
    return 0


def _images(data: Dataset, first: Network, network: Network, trained: Trained, of_first: Trained) -> np.ndarray:
    """Return the test images (n, H, W, C); raises `InputError` if a member takes others, or has other classes."""
    names, expected = (trained_run.record_of(each).class_names for each in (trained, of_first))
    if names != expected:
        raise InputError(
            f"{trained.path} has the classes {short_list(names)}: expected {short_list(expected)}, as the first run, "
            "to average their predictions"
        )
    if (network.image, network.classes, network.loss) != (first.image, first.classes, first.loss):
        raise InputError(
            f"{trained.path} was trained for images of {network.image} in {network.classes} classes by {network.loss}: "
            f"expected {first.image} in {first.classes} by {first.loss}, as the first run, to average their predictions"
        )
    if trained.settings.target and _scales(trained) != _scales(of_first):
        raise InputError(
            f"{trained.path} approximates {trained.settings.target!r} from other columns or in other units: expected "
            f"{of_first.settings.target!r} of the table of the first run, to average their predictions"
        )
    return with_channels(data.x_test)


def _scales(trained: Trained) -> tuple[Any, ...]:
    """Return what the numbers of a regression mean: its columns, and how they were scaled."""
    record = trained_run.regression_record(trained)
    return trained.settings.target, record.columns, record.means, record.deviations


def _measured(found: Score, unit: float) -> dict[str, float | None]:
    return figures(found[0] * unit, found[1])


def _figures(found: Score, unit: float) -> tuple[Cell, Cell]:
    loss, accuracy = found[0] * unit, found[1]
    return Cell(loss, "loss"), Cell(loss**0.5, "number") if accuracy is None else Cell(accuracy, "accuracy")
