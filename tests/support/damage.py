"""Ways to damage a run folder or a sweep's folder, one field or one file at a time; each is a name and a function."""

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jitnet.storage import checkpoint
from jitnet.storage.checkpoint import _encode

Damage = tuple[str, Callable[[Path], None]]

JSON = (  # tokens in place of a value; what is none of JSON is damage too
    "null", "true", "0", "-1", "-0.0", "1.5", "1e999", "-1e999", "Infinity", "-Infinity", "NaN", "1" * 400, "9" * 5000,
    "9223372036854775807", "9223372036854775808", '""', '"nine"', '"\\ud800"', '"\\u001b[2J\\u202e"',
    '"' + "x" * 200_000 + '"', "[]", "[[]]", '["a", {}]', "[1, -1, 1e999]",
    "[" * 5000 + "]" * 5000, "{}", '{"a": {"b": [null]}}',
)  # fmt: skip
TOML = ("true", "0", "-1", "1.5", "inf", "-inf", "nan", "1" * 400, "9" * 5000, "9223372036854775808", '""', '"nine"',
        '"\\u001b[2J"', '"' + "x" * 200_000 + '"', "[]", '["a", 1]', "{a = 1}", "[" * 5000 + "]" * 5000,
        "1979-05-27T07:32:00Z", "conv16")  # fmt: skip
CELLS = ("", " ", "x", "-1", "0.5", "nan", "inf", "-inf", "1e999", "1" * 400, "9" * 5000, "x" * 200_000, '"', "a,b",
         "\x1b[2J", "[]", "9223372036854775808")  # fmt: skip
TEXTS = ("", "x", "nan", "inf", "-1", "1" * 400, "[]", "{}")
RECORD = ("kind", "class_names", "numbers", "columns", "means", "channels", "image", "style", "scale", "notes")
FILES = ("meta.json", "config.toml", "metrics.csv", "steps.jsonl", "events.jsonl", "last.safetensors",
         "previous.safetensors", ".lock")  # fmt: skip


def in_run() -> Iterator[Damage]:
    """Yield every way to damage a run folder that `jitnet train` has left."""
    for token in JSON:
        for name in ("schema", "status", "title", "data", "created", "stop_reason", "argv", "versions", "cpu",
                     "threads", "layer", "pid", "host", "image", "classes", "data_sha256", "data_source", "parent",
                     "drawing_s", "unknown", "cwd", "tags", "note", "record", ("argv", 0), ("image", 1),
                     ("versions", "numpy"), *(("record", name) for name in RECORD),
                     *(("record", "style", name) for name in ("prepared", "side", "farthest")),
                     *(("record", "scale", name) for name in ("full", "whole", "dtype")), None):  # fmt: skip
            yield _named("meta.json", name, token), _json_field("meta.json", name, token)
        for name in ("event", "epoch", "step", "confusion", "test_accuracy", "sample_predictions", "unknown",
                     ("confusion", 0), ("confusion", 1, 1), None):  # fmt: skip
            yield _named("events.jsonl", name, token), _line_field("events.jsonl", "EpochDone", name, token)
        for name in ("step", "loss", "t", "epoch", "lr", None):
            yield _named("steps.jsonl", name, token), _line_field("steps.jsonl", "", name, token)
    for token in TOML:
        for name in ("architecture", "epochs", "until", "lr", "momentum", "seed", "data", "network", "bias", "val",
                     "max_minutes", "batch_size", "shuffle", "target", "unknown"):  # fmt: skip
            yield _named("config.toml", name, token), _toml_field(name, token)
    for token in CELLS:
        for column in range(12):
            yield _named("metrics.csv", column, token), _cell(1, column, token)
        yield _named("metrics.csv", "header", token), _cell(0, 3, token)
        yield _named("metrics.csv", "first", token), _cell(0, 0, token)
    for name in ("elapsed_s", "train_s", "jitnet", "format", "title"):
        for token in (None, *TEXTS):
            yield _named("last.safetensors", name, token), _metadata(name, token)
    for name in FILES:
        for what, change in WHOLE.items():
            yield f"{name}: {what}", _file(name, change)


def in_sweep() -> Iterator[Damage]:
    """Yield every way to damage the record and the table of a sweep."""
    for token in JSON:
        for name in ("schema", "title", "argv", "trials", "rungs", ("trials", 0), ("trials", 0, "name"),
                     ("trials", 0, "group"), ("argv", 0), None):  # fmt: skip
            yield _named("sweep.json", name, token), _json_field("sweep.json", name, token)
    for name in ("sweep.json", "table.csv"):
        for what, change in WHOLE.items():
            yield f"{name}: {what}", _file(name, change)
    for token in CELLS:
        for column in range(8):
            yield _named("table.csv", column, token), _cell(1, column, token, "table.csv")
        yield _named("table.csv", "header", token), _cell(0, 1, token, "table.csv")


def _named(file: str, field: Any, token: str | None) -> str:
    return f"{file}: {field} = {(token or 'absent')[:24]!r}"


def _replaced(value: Any, field: Any, token: str) -> str:
    """Return JSON text of a value in which a field, by name or path, is a token; None is the whole."""
    if field is None:
        return token
    path = field if isinstance(field, tuple) else (field,)
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = "@@TOKEN@@"
    return json.dumps(value).replace('"@@TOKEN@@"', token)


def _json_field(file: str, field: Any, token: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / file
        path.write_text(_replaced(json.loads(path.read_text()), field, token))

    return damage


def _line_field(file: str, event: str, field: Any, token: str) -> Callable[[Path], None]:
    """Change the first line of a kind."""

    def damage(folder: Path) -> None:
        path = folder / file
        lines = path.read_text().splitlines()
        at = next(i for i, line in enumerate(lines) if json.loads(line).get("event", "") == event)
        lines[at] = _replaced(json.loads(lines[at]), field, token)
        path.write_text("\n".join(lines) + "\n")

    return damage


def _toml_field(name: str, token: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "config.toml"
        lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{name} =")]
        path.write_text("\n".join([*lines, f"{name} = {token}"]) + "\n")

    return damage


def _cell(row: int, column: int, token: str, file: str = "metrics.csv") -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / file
        lines = path.read_text().splitlines()
        cells = next(csv.reader([lines[row]]))
        cells[min(column, len(cells) - 1)] = token
        lines[row] = ",".join(cells)
        path.write_text("\n".join(lines) + "\n")

    return damage


def _metadata(name: str, text: str | None) -> Callable[[Path], None]:
    """Change an entry of both checkpoints' metadata; None takes it away. Their hashes are right."""

    def damage(folder: Path) -> None:
        for kind in ("last", "previous"):
            path = folder / f"{kind}.safetensors"
            tensors, metadata = checkpoint.load(path)
            own = {key: value for key, value in metadata.items() if key not in ("sha256", "format", name)}
            content = _encode(tensors, own if text is None or name == "format" else own | {name: text})
            path.write_bytes(content)

    return damage


def _file(name: str, change: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda folder: change(folder / name)


def _gone(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _other(path: Path) -> Path:
    """Return a file that no command may change, next to the folder of runs."""
    other = path.parent.parent.parent / "precious"
    other.write_text("precious\n")
    return other


def _sparse(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(60 << 30)


def _then(make: Callable[[Path], Any]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        _gone(path)
        make(path)

    return change


WHOLE: dict[str, Callable[[Path], None]] = {
    "gone": _gone,
    "empty": _then(lambda path: path.write_bytes(b"")),
    "a folder": _then(Path.mkdir),
    "a pipe": _then(os.mkfifo),
    "a dangling link": _then(lambda path: path.symlink_to("nowhere")),
    "a looping link": _then(lambda path: path.symlink_to(path.name)),
    "a link to another file": _then(lambda path: path.symlink_to(_other(path))),
    "60 GB": _then(lambda path: _sparse(path)),
    "not UTF-8": _then(lambda path: path.write_bytes(b"\xff\xfe\x80\n" * 9)),
    "zeros": _then(lambda path: path.write_bytes(bytes(4096))),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "an escape code in front": lambda path: path.write_bytes(b"\x1b]0;x\x07" + path.read_bytes()),
}
