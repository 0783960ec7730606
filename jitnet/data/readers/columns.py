"""The columns of a CSV file: what separates them, whether the first line names them, which one is the label."""

import re
from dataclasses import dataclass, field
from math import isqrt

import numpy as np

from jitnet.data.labels import MOST_CLASSES, composed
from jitnet.data.readers.fields import fields_of, number, separator_of
from jitnet.errors import InputError

_LABELS = ("label", "labels", "class", "target", "y", "digit", "category", "fine_label", "coarse_label")
_UNNAMED = ("", "unnamed: 0")  # as pandas calls the numbers of rows
_INDEX = (*_UNNAMED, "index", "level_0", "id", "imageid", "image_id", "row_id", "filename", "file_name")
_FEW = 9  # columns: 1, 2, 3 above so few may be data


@dataclass
class Layout:
    """How to take a line apart."""

    separator: str = ","
    skipped: int = 0  # lines at the top: comments, and the header
    header: str = ""
    names: list[str] = field(default_factory=list)
    label: int | None = None  # column of the labels, from 0
    one_hot: range = range(0)  # columns of the labels, of which one in each row is 1
    removed: set[int] = field(default_factory=set)  # columns that are not pixels: the label, what names the rows
    ids: str = ""  # the name of the first column if it names the rows
    notes: list[str] = field(default_factory=list)

    @property
    def label_name(self) -> str:
        """Return the label column's name, or its number from 1."""
        if self.one_hot:
            return f"{self.one_hot.start + 1} to {self.one_hot.stop}"
        if self.label is None:
            return ""
        return self.names[self.label] if self.label < len(self.names) else str(self.label + 1)

    def pixel_names(self, count: int) -> tuple[str, ...]:
        """Return the names of the `count` columns of pixels, none where not each has its own."""
        others = {self.label, *self.one_hot, *self.removed}
        found = tuple(name for place, name in enumerate(self.names) if place not in others)
        return found if len(set(found)) == count == len(found) and all(found) else ()

    def fields(self, line: str) -> list[str]:
        """Return a line's fields, without quotes and spaces."""
        return fields_of(line, self.separator)

    def first(self, line: bytes) -> str:
        """Return the first field of a line."""
        if b'"' in line:
            return self.fields(line.decode("utf-8", "replace"))[0]
        return line.partition(self.separator.encode())[0].decode("utf-8", "replace").strip()

    def cut(self, line: bytes, taken: list[bytes]) -> bytes:
        """Return a line without the removed columns; the label goes to `taken`."""
        if not self.removed:
            return line
        mark, quoted = self.separator.encode(), b'"' in line
        if self.removed == {0} and self.label == 0 and not quoted:
            label, _, rest = line.partition(mark)
            taken.append(label)
            return rest
        parts = [each.encode() for each in self.fields(line.decode())] if quoted else line.rstrip(b"\r\n").split(mark)
        if self.label is not None:
            taken.append(parts[self.label])
        return mark.join(part for place, part in enumerate(parts) if place not in self.removed)

    def from_one_hot(self, table: np.ndarray, where: str) -> tuple[np.ndarray, list[bytes]]:
        """Return a table (N, columns) without its one-hot columns, and the labels; raises `InputError`."""
        before = sum(place < self.one_hot.start for place in self.removed)
        columns = np.arange(self.one_hot.start - before, self.one_hot.stop - before)
        hot = table[:, columns]
        wrong = ((hot != 0) & (hot != 1)).any(axis=1) | (hot.sum(axis=1, dtype=np.int64) != 1)
        if wrong.any():
            raise InputError(
                f"{where} has no single 1 in the columns {self.label_name} of row {int(np.argmax(wrong)) + 1}: "
                "expected one label for each image, as in the rows before"
            )
        named = [self.names[place] for place in self.one_hot] if self.names else []
        if len({name.rpartition("_")[0] for name in named}) == 1:  # label_cat, label_dog, as pandas writes them
            named = [name.rpartition("_")[2] for name in named]
        if len(set(named)) < len(hot[0]):
            named = [str(place) for place in range(len(hot[0]))]
        return np.delete(table, columns, axis=1), [named[place].encode() for place in hot.argmax(axis=1)]

    def choose(self, table: np.ndarray, where: str, pixels: int) -> int | None:
        """Tell the labels in a table (N, columns of the file that are not removed) by its numbers; raises `InputError`.

        It is the first unless the last looks like labels and the first does not.
        """
        width = table.shape[1]
        if width == pixels:
            return None
        first, last = _looks(table[:, 0]), _looks(table[:, -1])
        if first == last == 2 and width > 2 and isqrt(width - 1) ** 2 == width - 1:
            raise InputError(
                f"the first and the last column of {where} both look like labels: expected one, name it by --label 1 "
                f"or --label {width}"
            )
        others = [place for place in range(width) if max(first, last) < 2 and _looks(table[:, place]) == 2]
        if len(others) == 1:
            raise InputError(
                f"neither the first nor the last column of {where} looks like labels, but column {others[0] + 1} does: "
                f"name the right one by --label {others[0] + 1}"
            )
        square = isqrt(width) ** 2 == width and isqrt(width - 1) ** 2 != width - 1
        if square and first < 2 and last < 2 and not pixels:
            return None  # as many as an image has pixels
        column = width - 1 if last > first else 0
        if column:
            self.notes.append(f"the last column of {where} is taken for the label: the first one cannot be it")
        self.label = [place for place in range(width + len(self.removed)) if place not in self.removed][column]
        return column


def _looks(column: np.ndarray) -> int:
    """Return how much a column (N,) looks like labels: 2 like numbers of classes in fair shares, 1 possible, 0 not."""
    values, counts = np.unique(column, return_counts=True)
    if len(values) < 2 or len(values) > MOST_CLASSES or (values != np.trunc(values)).any() or values[0] < 0:
        return 0
    follow = values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1
    return 2 if follow and counts.max() < 0.7 * len(column) and len(values) * 2 <= len(column) else 1


def layout_of(lines: list[str], where: str, label: str, pixels: int) -> Layout:
    """Tell the layout from a file's first lines; raises `InputError` for what cannot be told."""
    if not lines:
        raise InputError(f"{where} has no line of data: expected a label and its pixels in each line")
    layout = Layout(separator_of(lines, where))
    comments = next((place for place, line in enumerate(lines) if not line.startswith("#")), len(lines))
    rows = [layout.fields(line.lstrip("# ") if place < comments else line) for place, line in enumerate(lines)]
    if 0 < comments < len(rows):
        last = rows[comments - 1]  # numpy.savetxt writes the names of the columns so
        comments -= len(last) == len(rows[comments]) and any(number(name) is None for name in last)
        if comments:
            layout.notes.append(f"the lines at the top of {where} that begin with # are not used")
        rows = rows[comments:]
    layout.skipped = comments
    if _is_header(rows):
        layout.skipped, layout.names = comments + 1, [composed(name) for name in rows[0]]
        layout.header = layout.separator.join(rows[0])[:200]
        if all(number(name) is not None for name in rows[0][1:]) and _lost(rows):
            layout.notes.append(f"the first line of {where} is an image that was taken for a header: it is not used")
        elif all(number(name) is not None for name in rows[0]) and not {"0", "1"} & set(rows[0]):
            layout.notes.append(
                f"the first line of {where}, {', '.join(rows[0][:3])}, ..., is taken for names of columns"
            )
        rows = rows[1:]
        if not rows:
            raise InputError(f"{where} has no line of data: expected a label and its pixels in each line")
    width = len(rows[0])
    index = _index_column(layout.names, rows, pixels)
    if index is not None:
        layout.removed.add(index)
        name = layout.names[index] if layout.names else ""
        layout.ids = "" if name.lower() in _UNNAMED else name
        text = f" ({name!r}) names" if layout.ids else " numbers"
        layout.notes.append(f"the first column of {where}{text} the rows: it is not an input")
    if not label and not any(name.lower() in _LABELS for name in layout.names):
        layout.one_hot = _one_hot(rows, width, index is not None)
    if layout.one_hot:
        layout.notes.append(f"the columns {layout.label_name} of {where} are taken for the label, each for a class")
        return layout
    layout.label = _label(layout, rows, width, where, label, pixels)
    if layout.label is not None:
        layout.removed.add(layout.label)
    return layout


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first line names the columns: words, or the numbers 0, 1, 2, ... of pandas."""
    first, rest = rows[0], rows[1:]
    numbers = [number(name) for name in first]
    words = [place for place, value in enumerate(numbers) if value is None]
    if words:  # a column of words below is one of names of classes, and its first line may be data
        return not all(place < len(row) and number(row[place]) is None for place in words for row in rest) or not rest
    if len(first) > _FEW and _count(numbers):
        return True
    return _lost(rows)


def _count(numbers: list[float | None]) -> bool:
    """Whether numbers are some that follow each other, in any order: pandas' names, perhaps sorted as words."""
    found = {value for value in numbers if value is not None}
    start = min(found, default=0.0)
    return len(found) == len(numbers) and found == {start + place for place in range(len(numbers))}


def _lost(rows: list[list[str]]) -> bool:
    """Whether pandas read an image as names and wrote them again, with .1 after those that were not the first."""
    below = rows[1:]
    again = [name for name in rows[0] if re.fullmatch(r"\d+\.[1-9]\d*", name)]
    whole = all(re.fullmatch(r"\d*", each) for row in below[:5] for each in row)
    return bool(below) and whole and len(again) > 0.3 * len(rows[0])


def _index_column(names: list[str], rows: list[list[str]], pixels: int) -> int | None:
    """Return the column that numbers or names the rows, None if there is none."""
    values = [number(row[0]) for row in rows]
    start = values[0]
    counted = start in (0, 1) and values == [start + i for i in range(len(values))]
    if names and names[0].lower() in _INDEX and len(names) == len(rows[0]) and len(rows[0]) > 1:
        left = len(names) - 2  # without it and the label
        image = left + 1 == pixels or (isqrt(left) ** 2 == left and isqrt(left + 1) ** 2 != left + 1)
        return 0 if counted or image or names[0].lower() in _UNNAMED else None
    width = len(rows[0]) - 2
    if not names and counted and len(rows) >= 12 and isqrt(max(width, 0)) ** 2 == width and width != pixels - 1:
        return 0
    return None


def _one_hot(rows: list[list[str]], width: int, index: bool) -> range:
    """Return the last or first columns if they are one-hot and an image is left; an empty range if not."""
    for count in range(2, min(MOST_CLASSES, width - index - 1) + 1):
        if isqrt(width - index - count) ** 2 != width - index - count:
            continue
        for found in (range(width - count, width), range(index, index + count)):
            hot = [[number(cell) for cell in row[found.start : found.stop]] for row in rows]
            ones = {tuple(cells) for cells in hot if sorted(cells, key=str) == [0.0] * (count - 1) + [1.0]}
            if len(ones) > 1 and all(tuple(cells) in ones for cells in hot):
                return found
    return range(0)


def place_of(names: list[str], given: str) -> int | None:
    """Return the place of a column that is given by its name, in any case, or a number from 1 (from the end, -1).

    >>> [place_of(["a", "B"], given) for given in ("a", "b", "2", "-2", "3")]
    [0, 1, 1, 0, None]
    """
    given = composed(given)
    for known, wanted in ((names, given), ([name.lower() for name in names], given.lower())):
        if wanted in known:
            return known.index(wanted)
    place = int(given) if re.fullmatch(r"-?\d+", given) else 0
    place += len(names) + 1 if place < 0 else 0
    return place - 1 if 1 <= place <= len(names) else None


def find_label(names: list[str], where: str, given: str = "") -> int | None:
    """Return the place of the column of labels: the `given` one, by name or number, or else one that is called so.

    None if no column is called so. Raises `InputError` if there is no such column, or if several are called so.
    """
    if given:
        if (place := place_of(names, given)) is not None:
            return place
        raise InputError(
            f"--label is {given!r}: expected a column of {where}, by its name or a number from 1 to {len(names)}"
        )
    lower = [name.lower() for name in names]
    named = [place for name in _LABELS for place, other in enumerate(lower) if other == name]
    if len(named) > 1:
        shown = " and ".join(repr(names[place]) for place in named[:2])
        raise InputError(f"{where} has the columns {shown}: expected one, name it by --label COLUMN")
    return named[0] if named else None


def _label(layout: Layout, rows: list[list[str]], width: int, where: str, given: str, pixels: int) -> int | None:
    names = layout.names
    named = find_label(names or [""] * width, where, given)
    if named is not None:
        return named
    words = [c for c in range(width) if c not in layout.removed and all(_is_word(row[c : c + 1]) for row in rows)]
    if len(words) == 1:
        return words[0]
    left = width - len(layout.removed)
    by_number = all(number(name) is not None for name in names[1:] or ["0"])
    if names and not by_number and left != pixels and isqrt(left) ** 2 != left:
        raise InputError(
            f"the header of {where} names no column of labels ({names[0]!r} to {names[-1]!r}): expected one called "
            "label, class, target, y or digit; name it by --label COLUMN"
        )
    return None


def _is_word(fields: list[str]) -> bool:
    """Whether a field, if it is there, is a word: neither a number nor several."""
    return all(text and not all(number(each) is not None for each in text.split()) for text in fields)
