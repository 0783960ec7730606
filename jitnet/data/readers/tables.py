"""CSV: one image a line, its label first, then its pixels row by row; the first line may name the columns."""

import io
import warnings
from collections.abc import Iterator

import numpy as np

from jitnet.data.content import Report, silent
from jitnet.errors import InputError

_BOM = b"\xef\xbb\xbf"
_SOME = 500  # lines between two reports


def decode(content: bytes, where: str, report: Report = silent) -> tuple[np.ndarray, np.ndarray]:
    """Read a CSV file from its bytes, and report how far that is.

    Returns
    -------
    pixels : (N, columns - 1) uint8, C-contiguous
    labels : (N,) uint8

    Raises
    ------
    InputError : a value that is not a whole number from 0 to 255 (its line and column are named), lines of
        different lengths, or no line of data
    """
    content = content.removeprefix(_BOM)
    header = int(_number(content[:200].split(b"\n")[0].split(b",")[0]) is None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what numpy would bend into range, or pass as empty, is an error here
            table = np.loadtxt(
                (line.decode() for line in _lines(content, where, report)),
                np.uint8,
                delimiter=",",
                comments=None,
                skiprows=header,
                ndmin=2,
            )
    except (ValueError, Warning):
        table = _line_by_line(content, header, where, report)
    if table.shape[1] < 2:
        raise InputError(f"{where} has one column: expected a label and then the pixels, separated by commas")
    return np.ascontiguousarray(table[:, 1:]), np.ascontiguousarray(table[:, 0])


def _lines(content: bytes, where: str, report: Report) -> Iterator[bytes]:
    """Yield the lines with their ends, and report the share of them now and then."""
    done = 0
    for number, line in enumerate(io.BytesIO(content)):
        if number % _SOME == 0:
            report(f"reading {where}", done / len(content))
        done += len(line)
        yield line
    report(f"reading {where}", 1.0)


def _line_by_line(content: bytes, header: int, where: str, report: Report) -> np.ndarray:
    """Read what numpy refused: slower, but it takes "5" and 5.0, and knows the line of what is wrong."""
    rows: list[np.ndarray] = []
    for number, line in enumerate(_lines(content, where, report), 1):
        line = line.rstrip(b"\r\n")
        if number <= header or not line.strip():
            continue
        fields = line.split(b",")
        values = [_number(field) for field in fields]
        for column, value in enumerate(values, 1):
            if value is None or not (0 <= value <= 255 and value == int(value)):
                shown = fields[column - 1][:20].decode("ascii", "replace").strip()
                raise InputError(
                    f"{where} has {shown!r} in line {number}, column {column}: expected a whole "
                    "number from 0 to 255, "
                    "correct the file"
                )
        if rows and len(values) != len(rows[0]):
            raise InputError(
                f"{where} has {len(values)} columns in line {number}: expected {len(rows[0])} as in the lines before"
            )
        rows.append(np.array(values, np.uint8))
    if not rows:
        raise InputError(f"{where} has no line of data: expected a label and its pixels in each line")
    return np.stack(rows)


def _number(field: bytes) -> float | None:
    try:
        return float(field.strip(b' \t\r"'))
    except ValueError:
        return None
