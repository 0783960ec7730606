"""Text on its way out: what an encoding lacks, what a spreadsheet would compute, what JSON has no number for."""

import io
import sys

import pytest

from jitnet.display.tables import to_csv
from jitnet.history.tables import Cell, Table
from jitnet.printing import csv_cell, encodable, json_text, say

TEXT = "é ± 数 x"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "utf-8", None])
def test_no_character_is_lost_that_an_encoding_lacks(encoding):
    shown = encodable(TEXT, encoding)
    assert shown.encode(encoding or "utf-8")
    for character in TEXT:
        escaped = character.encode("unicode_escape").decode()
        assert character in shown or escaped in shown
    assert (shown == TEXT) == (encoding in ("utf-8", None))


def test_each_line_is_one_line_in_the_encoding_of_its_stream(monkeypatch):
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, "ascii"))
    say("a\nb", "数")
    assert content.getvalue().splitlines() == [b"a\\nb", b"\\u6570"]


@pytest.mark.parametrize(
    "number", ["1", "-1", "+0.5", "-1,234.5", "-1e-05", "-0.5 ± 0.25", "-1.5 to -0.5", "-1 to 2 ± 0.1", "-", ""]
)
def test_a_number_is_a_cell_as_it_is(number):
    assert csv_cell(number) == number


@pytest.mark.parametrize(
    "formula", ["=1", "-1 +cmd|' /C calc'!A0", "+1 -1", "-1+1", "-A1", "-1 to A1", "@x", "--1", "- 1", "-1 ± =2", "-1 "]
)
def test_a_formula_is_a_text(formula):
    assert csv_cell(formula) == "'" + formula


def test_a_figure_that_is_not_known_is_a_dash():
    table = Table("results", ("", "a", "b"), (("loss", Cell(None, "loss"), Cell(-0.5, "loss", deviation=0.25)),))
    assert to_csv([table]).splitlines() == ["table,row,a,b", "results,loss,-,-0.500000 ± 0.250000"]


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": -float("inf")}])
def test_what_is_no_number_is_not_written_as_json(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(value)
