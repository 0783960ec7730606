"""The fields of a line of a table: what separates them, which are numbers."""

import csv
import re

from jitnet.errors import InputError


def number(text: str) -> float | None:
    """Return a field as a number, None if it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def fields_of(line: str, separator: str) -> list[str]:
    """Return a line's fields, without quotes and spaces; a separator in quotes belongs to its field.

    >>> fields_of(' 7, "a, b" ,"1"', ",")
    ['7', 'a, b', '1']
    """
    if '"' not in line:
        return [each.strip() for each in line.split(separator)]
    found = next(csv.reader([line.strip("\r\n")], delimiter=separator, skipinitialspace=separator != "\t"), [])
    return [each.strip() for each in found]


def separator_of(lines: list[str], where: str) -> str:
    """Return what separates the columns: a comma, or a semicolon or tab if there are no commas."""
    data = lines[len(lines) // 2] if len(lines) > 1 else lines[0]
    if "," in data and ";" not in data and "\t" not in data:
        return ","
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if mark in data:
            if re.search(rf"(^|{mark})\s*-?\d+,\d+\s*({mark}|$)", data):
                raise InputError(
                    f"{where} has decimal commas, and {name} between its columns: expected 0.5 and not 0,5, export it "
                    "with decimal points"
                )
            return mark
    if re.match(r"\S+ +\d+:\S", data):
        raise InputError(
            f"{where} is in the format of libsvm: expected a table; load it by sklearn.datasets.load_svmlight_file, "
            "and save its arrays by np.savez"
        )
    if "," not in data and len(data.split()) > 1 and all(number(each) is not None for each in data.split()):
        raise InputError(f"{where} has spaces between its columns: expected commas, semicolons or tabs, export it so")
    return ","


def require_width(fields: list[str], width: int, where: str, line: int) -> None:
    """Refuse a line with another number of fields than the lines before (`InputError`)."""
    if len(fields) != width:
        found = f"{len(fields)} column{'s' * (len(fields) != 1)}"
        raise InputError(f"{where} has {found} in line {line}: expected {width} as in the lines before")
