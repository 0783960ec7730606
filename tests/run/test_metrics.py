"""metrics.csv is read by its own header, with any columns, and a resume keeps them."""

import csv
import math

import pytest
from run_folders import HEADER

from jitnet.errors import InputError
from jitnet.run import metrics

ROWS = "0,10,0.1,2.0,,,0.5,90.0,1.0,0.5,60.0,1.5\n1,20,0.1,1.0,,,0.25,95.0,1.0,0.5,60.0,3.0\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(f"{HEADER}\n{ROWS}")
    return path


def rewritten(file, change):
    table = [change(dict(row)) for row in csv.DictReader(file.read_text().splitlines())]
    file.write_text("\n".join([",".join(table[0]), *(",".join(row.values()) for row in table)]) + "\n")


@pytest.mark.parametrize("column", [name for name in metrics.COLUMNS if name != "epoch"])
def test_any_column_may_be_missing(file, column):
    whole = metrics.read_epochs(file, 2, "d")
    rewritten(file, lambda row: {name: cell for name, cell in row.items() if name != column})
    rows = [row.values for row in metrics.read(file)]
    assert len(rows) == 2 and all(column not in row and row["epoch"] == place for place, row in enumerate(rows))
    epochs = metrics.rewind(file, 2, "d")
    for before, after in zip(whole, epochs):
        for name in metrics.COLUMNS:
            if name != column:
                assert getattr(after, name) == getattr(before, name)
        lost = getattr(after, column)
        assert lost is None or lost == 0 or math.isnan(lost)
    with open(file, "a") as lines:  # a further epoch has all of them
        lines.write(metrics.row_text(whole[1], metrics.columns_of(file)).replace("1,", "2,", 1))
    assert metrics.columns_of(file)[-1] == column


def test_additional_columns_in_any_order_are_kept(file):
    rewritten(file, lambda row: {"note": '"a, b"', **dict(reversed(row.items())), "more": "1"})
    assert [row.values["test_accuracy"] for row in metrics.read(file)] == [90.0, 95.0]
    (epoch,) = metrics.rewind(file, 1, "d")
    assert (epoch.epoch, epoch.test_accuracy, epoch.elapsed_s) == (0, 90.0, 1.5)
    (row,) = csv.DictReader(file.read_text().splitlines())
    assert row["note"] == "a, b" and row["more"] == "1" and row["test_loss"] == "0.5"
    line = metrics.row_text(epoch, metrics.columns_of(file))
    assert line.count(",") == 13 and line.startswith(",") and line.endswith(",\n")


def test_columns_that_have_no_epoch_or_come_twice_are_refused(file):
    for header in ("step,lr", "epoch,lr,lr", "", "\x00"):
        file.write_text(f"{header}\n0,1,2\n")
        with pytest.raises(InputError, match=r"line 1 of .*metrics\.csv is damaged"):
            list(metrics.read(file))


def test_epochs_out_of_order_are_refused(file):
    file.write_text(f"{HEADER}\n{ROWS}{ROWS}")
    with pytest.raises(InputError, match=r"line 4 .*epoch 0 follows epoch 1"):
        list(metrics.read(file))


def test_a_torn_last_line_is_dropped_unless_it_is_needed(file):
    file.write_text(f"{HEADER}\n{ROWS}"[:-5])
    assert len(list(metrics.read(file))) == 1
    assert len(metrics.rewind(file, 1, "d")) == 1
    file.write_text(f"{HEADER}\n{ROWS}"[:-5])
    with pytest.raises(InputError, match="line 3"):
        metrics.rewind(file, 2, "d")
