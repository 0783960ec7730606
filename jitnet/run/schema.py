"""What the files of a run may hold: types and ranges, checked here for everyone who reads one.

meta.json, config.toml, metrics.csv, the logs, a checkpoint's metadata and a sweep's record are all read by these rules.
A file that breaks one raises `InputError`, one sentence with the file and the reason, so the other runs can be shown.
"""

import json
import math
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

from jitnet import setting
from jitnet.config import Settings
from jitnet.data.record import DataRecord
from jitnet.errors import InputError
from jitnet.events import EpochDone, Event
from jitnet.model import architecture
from jitnet.printing import brief
from jitnet.storage import checkpoint
from jitnet.storage.checkpoint import Metadata, Tensors

SCHEMA = 1  # of meta.json
LARGEST = 2**63 - 1
LONGEST_LINE = 1 << 24  # bytes of a line of a log; ours have at most about 100,000

Record = dict[str, Any]


class Rule(NamedTuple):
    """What a value must be, in words and as a test."""

    what: str
    holds: Callable[[Any], bool]


def whole(least: int, most: int = LARGEST) -> Rule:
    """Return the rule of a whole number between two bounds."""
    limit = "2**63 - 1" if most == LARGEST else str(most)
    return Rule(f"a whole number from {least} to {limit}", lambda x: type(x) is int and least <= x <= most)


def number(least: float = -math.inf, most: float = math.inf) -> Rule:
    """Return the rule of a finite number between two bounds."""
    bounds = f" from {least:g}" * (least > -math.inf) + f" to {most:g}" * (most < math.inf)
    return Rule(f"a finite number{bounds}", lambda x: is_finite(x) and least <= x <= most)


def is_finite(value: Any) -> bool:
    """Is this a number, no bool, that a float can hold?"""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number of 400 digits
        return False


TEXT = Rule("a text", lambda x: isinstance(x, str))
TEXTS = Rule("a list of texts", lambda x: isinstance(x, list) and all(isinstance(each, str) for each in x))

META = {
    "schema": whole(0, SCHEMA),
    "status": Rule("a word", lambda x: isinstance(x, str) and len(x) <= 20),  # a longer one would fill a list of runs
    **dict.fromkeys(("title", "data", "created", "stop_reason", "cpu", "layer", "host"), TEXT),
    **dict.fromkeys(("data_source", "data_sha256", "parent", "imported", "sweep"), TEXT),
    "argv": TEXTS,
    "versions": Rule(
        "an object of texts", lambda x: isinstance(x, dict) and all(isinstance(each, str) for each in x.values())
    ),
    "threads": whole(1),
    "pid": whole(1),
    "seed": whole(0),
    "image": Rule(
        "three whole numbers above 0",
        lambda x: isinstance(x, list) and len(x) == 3 and all(whole(1, 1 << 20).holds(each) for each in x),
    ),
    "classes": whole(1, 1 << 20),
    "drawing_s": number(0),
    "tags": TEXTS,
    "cwd": TEXT,
    "note": TEXT,
}
METRICS = {
    "epoch": whole(0),
    "step": whole(0),
    "lr": number(0),
    **dict.fromkeys(("train_loss", "val_loss", "test_loss"), number()),
    **dict.fromkeys(("val_accuracy", "test_accuracy"), number(0, 100)),
    **dict.fromkeys(("train_s", "eval_s", "images_per_s", "elapsed_s"), number(0)),
}
_STEPS = {
    "epoch": whole(0), "step": whole(0), "loss": number(), "lr": number(0), "t": number(0), "accuracy": number(0, 100),
}  # fmt: skip
_CHECKPOINT = {"elapsed_s": number(0), "train_s": number(0), "val_accuracy": number(0, 100)}


def check(values: Record, rules: dict[str, Rule], required: tuple[str, ...] = ()) -> None:
    """Raise `ValueError` for the first value that breaks its rule, or is required and not there; null is not there."""
    for name, rule in rules.items():
        value = values.get(name)
        if value is None and name in required:
            raise ValueError(f"there is no {name}: expected {rule.what}")
        if value is not None and not rule.holds(value):
            raise ValueError(f"{name} is {brief(value)}: expected {rule.what}")


def require_regular(path: Path) -> None:
    """Raise `InputError` for a folder, a pipe or a device in a file's place: reading it may never end."""
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            return
    except (OSError, ValueError):  # opening it says why it cannot be read
        return
    raise InputError(f"{path} is damaged: expected a regular file")


def read_small(path: Path) -> bytes:
    """Return the content of a small file. Raises `InputError`, `OSError`, and `ValueError` if it is not small."""
    require_regular(path)
    return setting.read_small(path)


def read_json(path: Path) -> Any:
    """Return a small file's JSON, strictly: no NaN, no infinity. Raises `InputError`."""
    try:
        return parse_json(read_small(path))
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the file and its permissions") from None
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}), so {path.parent.name} cannot be used") from None


def parse_json(content: bytes) -> Any:
    """Return the value of JSON text in UTF-8. Raises `ValueError`, also for NaN, infinities and deep nesting."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not a number")

    def finite(text: str) -> float:
        if math.isinf(value := float(text)):
            raise ValueError(f"{text[:20]} is too large a number")
        return value

    try:
        return json.loads(content.decode("utf-8"), parse_constant=refuse, parse_float=finite)
    except RecursionError:
        raise ValueError("its nesting is too deep") from None


def read_meta(path: Path) -> Record:
    """Return the contents of a run folder's meta.json. Raises `InputError` if it is damaged or too new."""
    file = path / "meta.json"
    meta = read_json(file)
    try:
        if not isinstance(meta, dict):
            raise ValueError(f"it holds {brief(meta)}: expected an object")
        schema = meta.get("schema", 0)  # the first runs did not say; what they lack has a default where it is read
        if type(schema) is int and schema > SCHEMA:
            raise InputError(f"{file} has schema {brief(schema)}, and this jitnet reads 0 to {SCHEMA}: update jitnet")
        meta = {name: value for name, value in meta.items() if value is not None}  # null is as good as not there
        check(meta, META, ("status", "title", "data", "created"))
        DataRecord.from_dict(meta.get("record"))
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{file} is damaged ({error}), so {path.name} cannot be used") from None
    return meta


def read_settings(path: Path) -> Settings:
    """Return the settings in a run folder's config.toml. Raises `InputError`."""
    file = path / "config.toml"
    require_regular(file)
    settings = Settings.from_toml(file)
    try:
        architecture.parse(settings.architecture)
    except InputError as error:
        raise InputError(f"{file} is damaged ({error}), so {path.name} cannot be used") from None
    return settings


def checkpoint_figures(metadata: Metadata) -> dict[str, float]:
    """Return elapsed_s, train_s and val_accuracy from a checkpoint's metadata, as far as they are there.

    Raises `ValueError` for one that is not a number in its range.
    """
    figures: dict[str, float] = {}
    for name, rule in _CHECKPOINT.items():
        if name in metadata:
            try:
                figures[name] = float(metadata[name])
            except ValueError:
                raise ValueError(f"its {name} is {brief(metadata[name])}: expected {rule.what}") from None
    try:
        check(figures, _CHECKPOINT)
    except ValueError as error:
        raise ValueError(f"its {error}") from None
    return figures


def read_checkpoint(path: Path) -> tuple[Tensors, Metadata]:
    """Read a checkpoint as `checkpoint.load` does, and check the figures in its metadata. Raises `InputError`."""
    tensors, metadata = checkpoint.load(path)
    try:
        checkpoint_figures(metadata)
    except ValueError as error:
        raise InputError(f"{path} is not a usable checkpoint: {error}") from None
    return tensors, metadata


def step_record(line: bytes) -> Record:
    """Return a line of steps.jsonl. Raises `ValueError`."""
    record = _object(line)
    check(record, _STEPS, ("step",))
    return record


def event_record(line: bytes) -> Record:
    """Return a line of events.jsonl: its known fields have their types, unknown ones may be anything.

    Raises `ValueError`.
    """
    record = _object(line)
    if not isinstance(record.get("event"), str):
        raise ValueError("it has no event")
    kind = _EVENTS.get(record["event"])
    for item in fields(kind) if kind else ():
        if item.name not in record:
            if item.name in ("epoch", "step") and item.default is MISSING:
                raise ValueError(f"there is no {item.name}")
        elif not _fits(record[item.name], item.type):
            raise ValueError(f"{item.name} is {brief(record[item.name])}")
    rows = record.get("confusion") or []
    if any(len(row) != len(rows) for row in rows):
        raise ValueError("confusion is not square")
    return record


_EVENTS: dict[str, Any] = {kind.__name__: kind for kind in get_args(Event)}


def _object(line: bytes) -> Record:
    record = parse_json(line)
    if not isinstance(record, dict):
        raise ValueError(f"it holds {brief(record)}: expected an object")
    return record


def _fits(value: Any, kind: Any) -> bool:
    """May a field of an event, of this type, have been written as this JSON value?"""
    if get_origin(kind) is tuple:
        return isinstance(value, list) and all(_fits(each, get_args(kind)[0]) for each in value)
    if kind is int:
        return whole(0).holds(value)
    if kind is float or kind == float | None:  # null: not computed, or no number
        return value is None or is_finite(value)
    if kind is EpochDone:
        return isinstance(value, dict)
    return isinstance(value, kind)


class DamagedLineError(ValueError):
    """A whole line of a log that is not one of its records; the message names the file and the line."""


def log_lines(path: Path, record_of: Callable[[bytes], Record]) -> Iterator[tuple[bytes, Record]]:
    """Yield the lines of a log with their records, up to a last one that a kill has torn; none without a file.

    `record_of` is `step_record` or `event_record`. Raises `DamagedLineError` at a line that is not such a record, and
    for a file that cannot be read.
    """
    try:
        require_regular(path)
        with open(path, "rb") as file:
            for count, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
                if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
                    return
                try:
                    record = record_of(line)
                except ValueError as error:
                    raise DamagedLineError(f"line {count} of {path} is damaged ({error})") from None
                yield line, record
    except FileNotFoundError:
        return
    except InputError as error:
        raise DamagedLineError(str(error)) from None
    except OSError as error:
        raise DamagedLineError(f"cannot read {path}: {error.strerror}") from None
