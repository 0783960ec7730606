"""The answers of a network to the rows of a CSV file: classes, or the numbers of a regression; also to given rows."""

import argparse
import csv
import dataclasses
import io
from pathlib import Path

import numpy as np

from jitnet.commands.support import standard_input, trained_run
from jitnet.commands.support.json_answer import class_fields, model_fields, print_json
from jitnet.data.content import read_file, unzipped
from jitnet.data.pictures.style import other_polarity
from jitnet.data.pixels import as_trained
from jitnet.data.readers import parquet, regression, tables
from jitnet.data.readers.kinds import is_parquet
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.model.network import Network
from jitnet.model.scores import probabilities
from jitnet.printing import csv_cell, say, warn
from jitnet.run.trained import Trained
from jitnet.storage.atomic import replace_text

_SHOWN = 10  # rows printed where no file is written


def answer(args: argparse.Namespace, network: Network, trained: Trained, about: str, epoch: int) -> int:
    """Predict each row of `args.csv`, or of the words `args.images`; print or write that; return the exit code."""
    record = trained_run.record_of(trained)
    content = _content(args.csv) if args.csv else b""
    args.csv = standard_input.NAME if args.csv == args.stdin else str(args.csv)
    tables.require_unbroken(content, args.csv)
    answers: list[dict[str, object]] = []
    if trained.settings.target:
        record = trained_run.regression_record(trained)
        if args.images:
            rows = regression.scaled(_numbers(args.images, record, trained), record)
        else:
            rows = regression.rows_like(content, args.csv, record, trained.settings.target, warn)
        outputs = trained_run.logits(network, rows)[:, 0].astype(np.float64)
        head: tuple[str, ...] = ("row", f"predicted {trained.settings.target}")
        numbers = outputs * record.deviations[-1] + record.means[-1]
        lines: list[tuple[object, ...]] = [(n, f"{value:.6g}") for n, value in enumerate(numbers, 1)]
        answers = [{"row": n, "value": value} for n, value in enumerate(numbers, 1)]
        if args.submission:
            raise InputError("--submission is given with a regression: expected a run that learns labels")
    else:
        table = _table(args, content, network, trained)
        images = _images(table, args.csv, network, record)
        chances = probabilities(trained_run.logits(network, images))
        best = chances.argmax(axis=1)
        head = ("row", "predicted", "probability")
        names = [csv_cell(record.name_of(int(label))) for label in best]
        answers = [{"row": n} | class_fields(row, record.name_of) for n, row in enumerate(chances, 1)]
        lines = [(n, name, f"{row.max():.4f}") for n, (name, row) in enumerate(zip(names, chances), 1)]
        ids: list[object] = [csv_cell(each) for each in table.ids]
        if args.submission:  # the labels as the training files have them
            head, known = (csv_cell(table.ids_column) or "ImageId", "Label"), record.numbers or record.class_names
            labels = [known[label] if label < len(known) else label for label in best]
            lines = list(zip(ids or range(1, len(labels) + 1), labels))
        elif ids:
            head = ("row", csv_cell(table.ids_column), *head[1:])
            lines = [(n, name, *others) for name, (n, *others) in zip(ids, lines)]
            answers = [{"row": n, "id": name} | each for n, (name, each) in enumerate(zip(table.ids, answers), 1)]
    if args.json:
        print_json("predict", model=model_fields(trained, epoch), answers=answers)
        return 0
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines if args.out else lines[:_SHOWN])
    if args.out:
        try:
            replace_text(args.out, out.getvalue())
        except OSError as error:
            raise InputError(f"cannot write {args.out}: {error.strerror}; choose another --out") from None
        say(f"written: {args.out}, {len(lines):,} rows, by {about}")
        return 0
    say(*out.getvalue().splitlines())
    if len(lines) > _SHOWN:
        say(f"... {len(lines) - _SHOWN:,} more: --out FILE writes all of them")
    say(f"by {about}")
    return 0


def _content(path: Path) -> bytes:
    """Return a table as the bytes of a CSV file; raises `InputError`."""
    return parquet.as_csv(path) if is_parquet(path) else unzipped(read_file(path), str(path))


def _numbers(words: list[str], record: DataRecord, trained: Trained) -> np.ndarray:
    """Return the rows (N, D) float64 that were given as words: `1,2,3` each, or one of `1 2 3`; raises `InputError`."""
    rows = [word.split(",") for word in words] if any("," in word for word in words) else [words]
    wanted = f"expected a number for each of {', '.join(record.columns)}, as 1,2,3, or --csv FILE"
    try:
        numbers = [[float(field) for field in row] for row in rows]
    except ValueError:
        what = f"{trained.path} approximates {trained.settings.target!r} from numbers"
        raise InputError(f"{what}, not from {' '.join(words)}: {wanted}") from None
    for row in numbers:
        if len(row) != len(record.columns) or not np.isfinite(row).all():
            raise InputError(f"{len(row)} numbers are given, {' '.join(map(str, row))}: {wanted}")
    return np.array(numbers)


def _table(args: argparse.Namespace, content: bytes, network: Network, trained: Trained) -> tables.Table:
    """Return a table of as many pixels as the network takes, in the order of the training data's."""
    height, width, channels = network.image
    wanted = height * width * channels
    table = tables.decode(content, args.csv, label=args.label or "", pixels=wanted)
    if table.pixels.shape[1] != wanted:
        raise InputError(
            f"{args.csv} has {table.pixels.shape[1]} pixels in a row: expected {wanted} = {height} x {width}"
            + (f" x {channels}" if channels > 1 else "")
            + ", as in training"
        )
    for note in table.notes:
        warn(note)
    order = trained_run.order_like(table.columns, args.csv, trained_run.record_of(trained), str(trained.path))
    return table if order is None else dataclasses.replace(table, pixels=table.pixels[:, order])


def _images(table: tables.Table, where: str, network: Network, record: DataRecord) -> np.ndarray:
    """Return the rows of a table as images (N, H, W, C): uint8 by the training data's rule, or float32 as they are."""
    images, note = table.pixels.astype(np.float32), ""
    if not record.as_given:
        images, note = as_trained(table.pixels, record.scale, where)
    if note:
        warn(note)
    images = images.reshape(-1, *network.image)
    if other := other_polarity(images, record.polarity):
        warn(f"the rows of {where} are {other}, and the training images were {record.polarity}: invert them")
    if record.orientation != "upright":
        warn(f"the rows of {where} are taken for images on their side, as the training data's were")
        images = np.ascontiguousarray(images.swapaxes(1, 2))
    return images
