"""CSV: one image a line, its pixels row by row, and its label in a column that the header names or the numbers show."""

import io
import itertools
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jitnet.data.content import Report, silent
from jitnet.data.readers.columns import Layout, layout_of
from jitnet.data.readers.fields import number, require_width
from jitnet.data.readers.kinds import require_narrow
from jitnet.data.readers.names import IMAGES
from jitnet.data.readers.pixel_columns import in_sequence
from jitnet.errors import InputError

_BOM = b"\xef\xbb\xbf"
_SOME = 500  # lines between two reports
_SAMPLE = 60  # lines that show the layout


@dataclass
class Table:
    """What a CSV file holds."""

    pixels: np.ndarray  # (N, D) uint8, or float64 where they are others than bytes
    labels: np.ndarray | None  # (N,) of str; None if the table has none
    header: str = ""  # its first line, cut short
    label_column: str = ""  # name, or number from 1
    columns: tuple[str, ...] = ()  # names of the pixel columns (D,), where each has its own
    ids: list[str] = field(default_factory=list)  # what the rows (N,) are called, if a column says it; not kept
    ids_column: str = ""  # the name of that column
    notes: list[str] = field(default_factory=list)


def decode(content: bytes, where: str, report: Report = silent, label: str = "", pixels: int = 0) -> Table:
    """Read a CSV file from its bytes, and report the progress.

    Parameters
    ----------
    content, where : the file, and what to call it in an error
    label : the column of the labels, by name or number from 1; else it is found
    pixels : in how many columns the pixels are, if that is known: a table of just that many has no labels

    Raises
    ------
    InputError : a value that is not a number (its line and column are named), lines of different lengths, no line of
        data, or no way to tell which column is the label
    """
    content = as_utf8(content, where)
    sample = [line for line in content[: 1 << 22].splitlines() if line.strip()][:_SAMPLE]
    layout = layout_of([line.decode("utf-8", "replace") for line in sample], where, label, pixels)
    taken: list[bytes] = []
    table = _numbers(content, layout, where, report, taken)
    if layout.one_hot:
        table, taken = layout.from_one_hot(table, where)
    elif layout.label is None:  # neither a header nor an option says it
        column = layout.choose(table, where, pixels)
        if column is not None:
            values = table[:, column].tolist()
            taken = [b"%d" % value if value == int(value) else repr(float(value)).encode() for value in values]
            table = np.delete(table, column, axis=1)
    if table.shape[1] < 1 or (layout.label is not None and not taken):
        raise InputError(f"{where} has one column: expected a label and then the pixels, separated by commas")
    columns = layout.pixel_names(table.shape[1])
    order, note = in_sequence(columns, where)
    if order is not None:
        table, columns = table[:, order], tuple(columns[place] for place in order)
        layout.notes.append(note)
    labels = np.array([each.decode("utf-8", "replace").strip() for each in taken]) if taken else None
    if labels is not None and (labels == "").any():
        raise InputError(
            f"{where} has no label in line {layout.skipped + 1 + int(np.argmax(labels == ''))}: expected one"
        )
    made = Table(np.ascontiguousarray(table), labels, layout.header, layout.label_name, columns, notes=layout.notes)
    if layout.ids:
        made.ids = [layout.first(line) for _, line in _lines(content, layout, where, silent)]
        made.ids_column = layout.ids
    return made


def as_utf8(content: bytes, where: str) -> bytes:
    """Return a text in UTF-8, which begins with a mark if it is in another encoding; raises `InputError`."""
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return content.decode("utf-16").encode()
        require_narrow(content, where)
        content = content.removeprefix(_BOM)
        if not content.isascii():
            content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{where} is not text in {error.encoding.upper()}, in line {line}: expected UTF-8, save it so"
        ) from None
    return content if b"\n" in content else content.replace(b"\r", b"\n")  # as Macs wrote texts once


def require_unbroken(content: bytes, where: str) -> None:
    """Refuse a table with a blank line between others (`InputError`): is it a row, which would have an answer?"""
    lines = [line.strip() for line in io.BytesIO(as_utf8(content, where))]
    rows = [place for place, line in enumerate(lines, 1) if line and not line.startswith(b"#")]
    blank = next((place for place in range(rows[0], rows[-1]) if not lines[place - 1]), 0) if rows else 0
    if blank:
        raise InputError(f"{where} has nothing in line {blank}, between its rows: expected a row, fill or remove it")


def _numbers(content: bytes, layout: Layout, where: str, report: Report, taken: list[bytes]) -> np.ndarray:
    """Return the numbers (N, columns) without the columns that the layout takes out; `taken` receives the labels."""
    for dtype in (np.uint8, np.float64):
        rows = itertools.count()
        taken.clear()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # what numpy would bend into range, or pass as empty, is an error here
                lines = (layout.cut(line, taken).decode() for _, line in _lines(content, layout, where, report))
                counted = (line for line, _ in zip(lines, rows))
                table = np.loadtxt(counted, dtype, delimiter=layout.separator, comments=None, ndmin=2)
            if len(table) == next(rows) and (dtype == np.uint8 or np.isfinite(table).all()):  # numpy skips empty lines
                return table
        except (ValueError, Warning, IndexError):
            continue
    taken.clear()
    return _line_by_line(content, layout, where, report, taken)


def _lines(content: bytes, layout: Layout, where: str, report: Report) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of data with their numbers from 1 and their ends, and report the share of them now and then."""
    done, header = 0, layout.skipped
    for place, line in enumerate(io.BytesIO(content), 1):
        if place % _SOME == 1:
            report(f"reading {where}", done / len(content))
        done += len(line)
        if line.strip() and not (header and (header := header - 1) >= 0):
            yield place, line
    report(f"reading {where}", 1.0)


def _line_by_line(content: bytes, layout: Layout, where: str, report: Report, taken: list[bytes]) -> np.ndarray:
    """Read what numpy refused: slower, but it takes "5" and 5.0, and knows the line of what is wrong."""
    rows: list[np.ndarray] = []
    width = 0
    for place, line in _lines(content, layout, where, report):
        fields = layout.fields(line.decode("utf-8", "replace"))
        require_width(fields, width or len(fields), where, place)
        width = len(fields)
        if layout.label is not None and layout.label < width:
            taken.append(fields[layout.label].encode())
        values = []
        for column, text in enumerate(fields):
            if column in layout.removed:
                continue
            value = number(text)
            if value is None or not np.isfinite(value):
                raise InputError(_not_a_number(where, text, place, column + 1))
            values.append(value)
        rows.append(np.array(values))
    if not rows:
        raise InputError(f"{where} has no line of data: expected a label and its pixels in each line")
    table = np.stack(rows)
    whole = (table >= 0) & (table <= 255) & (table == np.trunc(table))
    return table.astype(np.uint8) if whole.all() else table


def _not_a_number(where: str, text: str, line: int, column: int) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in text[:20])
    place = f"{where} has {shown!r} in line {line}, column {column}"
    if not text:
        return f"{place}: expected a number; a value is missing"
    if Path(text).suffix.lower() in IMAGES:
        return f"{place}: it is a list of images; put these into a folder for each class, and give the folder of them"
    if re.fullmatch(r"[\d.\s]+", text) and len(text.split()) > 1:
        return f"{place}: expected one number in each column, these are {len(text.split())}; write a column for each"
    return f"{place}: expected a number, correct the file; labels may be names in a column called label"
