"""Parquet files, read by pyarrow: tables as CSV has them, and those of Hugging Face with a picture in each row."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from jitnet.data.labels import named
from jitnet.data.readers import tables
from jitnet.data.readers.columns import find_label
from jitnet.data.readers.images import colour_note, decode
from jitnet.data.readers.tables import Table
from jitnet.errors import InputError
from jitnet.printing import brief


def read_path(path: Path, label: str = "") -> Table:
    """Read a file: pixels (N, D) of a table, or (N, H, W) of pictures, and labels (N,) of str.

    Labels that the file names, as those of Hugging Face do, are their names; there are none if no row has one. `label`
    is the column of the labels.

    Raises `InputError` if pyarrow is missing, the file is damaged, or its columns are no images and labels.
    """
    table = _table(path)
    pictures = _pictures(table)
    if not pictures:
        return tables.decode(_csv(table, path), str(path), label=label)
    others = ["" if name in pictures else name for name in table.column_names]
    found = find_label(others, str(path), label)
    if len(pictures) != 1 or found is None:
        raise InputError(
            f"{path} has the columns {', '.join(table.column_names)}: expected one of pictures and one of labels, "
            "name the latter by --label COLUMN"
        )
    contents = [(row or {}).get("bytes") or b"" for row in table.column(pictures[0]).to_pylist()]
    coloured: list[str] = []
    images = [decode(content, f"{path}, row {n}", coloured=coloured) for n, content in enumerate(contents, 1)]
    if len({image.shape for image in images}) != 1:
        raise InputError(f"{path} has pictures of different sizes: expected one size, resize them")
    column = table.column_names[found]
    labels = table.column(column).to_pylist()
    texts = None if set(labels) <= {None, -1} else named(labels, _class_names(table.schema.metadata, column), str(path))
    notes = colour_note(coloured, str(path))
    return Table(np.stack(images), None if texts is None else np.array(texts), label_column=column, notes=notes)


def as_csv(path: Path) -> bytes:
    """Return a file's table as a CSV file of it would be; raises `InputError` as `read_path`, and for pictures."""
    table = _table(path)
    if pictures := _pictures(table):
        raise InputError(f"{path} has pictures in the column {pictures[0]!r}: expected a table of numbers")
    return _csv(table, path)


def _table(path: Path) -> Any:
    """Return a file as a table of pyarrow; raises `InputError`."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise InputError(
            f"{path} is a Parquet file, which needs pyarrow: pip install 'jitnet[parquet]', or export it as CSV"
        ) from None
    try:
        return parquet.read_table(path)
    except Exception as error:  # pyarrow has many kinds
        raise InputError(f"{path} is not a usable Parquet file ({brief(error)}): get it again") from None


def _csv(table: Any, path: Path) -> bytes:
    from pyarrow import csv

    content = io.BytesIO()
    try:
        csv.write_csv(table, content)
    except Exception as error:  # a column of lists, which CSV cannot hold
        raise InputError(
            f"{path} has columns that are not numbers or text ({brief(error)}): export it as CSV"
        ) from None
    return content.getvalue()


def _pictures(table: Any) -> list[str]:
    """Return the columns of pictures."""
    return [field.name for field in table.schema if _holds_pictures(field.type)]


def _holds_pictures(kind: Any) -> bool:
    """Whether a column's type is the structure of files that Hugging Face writes: {bytes, path}."""
    names = [kind.field(place).name for place in range(kind.num_fields)] if str(kind).startswith("struct") else []
    return "bytes" in names


def _class_names(metadata: dict[bytes, bytes] | None, column: str) -> list[str]:
    """Return the names of the classes that Hugging Face keeps in a file, [] if there are none."""
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (KeyError, TypeError, ValueError):
        return []
