"""Tables of numbers as text: for people, as Markdown, and as CSV."""

import csv
import io
import re

from jitnet.display.format import NONE, duration, number, percent_number, significant
from jitnet.history.tables import Cell, Name, Table
from jitnet.printing import csv_cell, printable

_DIGITS = {"count": 0, "loss": 6, "accuracy": 2, "seconds": 2, "minutes": 2, "rate": 0, "time": 1}


def cell_text(cell: Name | Cell | str) -> str:
    """Return a cell for people: with separators and units, epochs counted from 1.

    >>> cell_text(Cell(1234.0, "count", change=-3.0)), cell_text(Cell(98.5, "accuracy", deviation=0.25))
    ('1,234 (-3)', '98.50 ± 0.25 %')
    """
    if not isinstance(cell, Cell):
        return cell.text if isinstance(cell, Name) else cell
    if cell.value is None:
        return NONE
    text = _written(cell.value, cell.unit)
    if cell.end is not None:
        text += f" to {_written(cell.end, cell.unit)}"
    if cell.deviation is not None:
        text += f" ± {number(cell.deviation, _DIGITS[cell.unit])}"
    text += " %" * (cell.unit == "accuracy")
    if cell.change is not None:
        text += f" ({_change(cell.change, cell.unit)})"
    return text


def _written(value: float, unit: str) -> str:
    match unit:
        case "epoch":
            return number(value + 1)
        case "accuracy":
            return percent_number(value)
        case "seconds":
            return duration(value)
        case "minutes":
            return duration(60 * value)
        case "number":
            return significant(value)
    return number(value, _DIGITS[unit])


def _change(value: float, unit: str) -> str:
    if unit in ("seconds", "minutes", "number"):
        return ("-" if value < 0 else "+") + _written(abs(value), unit)
    return f"{value:+,.{_DIGITS[unit]}f}"


def cell_plain(cell: Name | Cell | str) -> str:
    """Return a cell for programs: the number alone, in the unit that its row is named after, epochs from 0.

    >>> cell_plain(Cell(1234.0, "count", change=-3.0)), cell_plain(Cell(0.5, "minutes")), cell_plain(Cell(3, "epoch"))
    ('1234', '0.50', '3')
    """
    if not isinstance(cell, Cell):
        return cell.plain if isinstance(cell, Name) else cell
    if cell.value is None:
        return NONE
    if cell.unit == "number":
        return significant(cell.value)
    digits = _DIGITS.get(cell.unit, 0)
    text = f"{cell.value:.{digits}f}"
    if cell.end is not None:
        text += f" to {cell.end:.{digits}f}"
    return text + (f" ± {cell.deviation:.{digits}f}" if cell.deviation is not None else "")


def to_markdown(tables: list[Table]) -> str:
    """Return tables as Markdown.

    >>> print(to_markdown([Table("results", ("", "a"), (("test accuracy", Cell(98.5, "accuracy")),))]))
    ### results
    <BLANKLINE>
    |  | a |
    |---|---:|
    | test accuracy | 98.50 % |
    """
    blocks = []
    for table in tables:
        rule = "|---|" + "---:|" * (len(table.head) - 1)
        rows = [table.head, *(tuple(map(cell_text, row)) for row in table.rows)]
        lines = ["| " + " | ".join(map(_markdown, row)) + " |" for row in rows]
        blocks.append("\n".join([f"### {table.title}", "", lines[0], rule, *lines[1:]]))
    return "\n\n".join(blocks)


def _markdown(cell: str) -> str:
    """Return text of which Markdown makes nothing else: no column, tag, link, picture or code."""
    return re.sub(r"([\\|`\[\]!])", r"\\\1", printable(cell)).replace("&", "&amp;").replace("<", "&lt;")


def to_csv(tables: list[Table]) -> str:
    """Return tables as one CSV table whose first column is the title of each row's table; its numbers are plain.

    >>> print(to_csv([Table("results", ("", "a"), (("parameters", Cell(1234, "count", change=3)),))]))
    table,row,a
    results,parameters,1234
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if tables:
        writer.writerow(["table", "row", *map(csv_cell, tables[0].head[1:])])
    writer.writerows(
        [table.title, *(csv_cell(cell_plain(cell)) for cell in row)] for table in tables for row in table.rows
    )
    return out.getvalue().rstrip("\n")
