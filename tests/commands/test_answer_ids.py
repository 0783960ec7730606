"""Ids: what a table calls its rows is kept in their answers, and in submissions."""

from pathlib import Path

import pytest
from test_table_answers import answers, folder, here, written  # noqa: F401 (fixtures)

IDS = {
    "from 0": range(12),
    "as the test set of Kaggle": range(28000, 28012),
    "words": [f"img_{n}.png" for n in range(12)],
}
IDS["in quotes"] = [f'"a, {n}"' for n in range(12)]


@pytest.mark.parametrize("column", ["id", "ImageId", "Image_ID", "index", "filename"])
@pytest.mark.parametrize("kind", IDS)
def test_answers_keep_the_ids_of_a_table_and_their_name(capsys, kind, column):
    names = ",".join([column, *(f"p{place}" for place in range(36))])
    rows = [f"{name},{row}" for name, row in zip(IDS[kind], Path("rows.csv").read_text().splitlines())]
    Path("ids.csv").write_text("\n".join([names, *rows]))
    plain = answers(capsys, "run", "--csv", "rows.csv")
    ids = [str(name).strip('"') for name in IDS[kind]]
    assert answers(capsys, "run", "--csv", "ids.csv") == [each | {"id": name} for each, name in zip(plain, ids)]
    head, *rows = written("run", "--csv", "ids.csv")
    assert head == ["row", column, "predicted", "probability"]
    assert [row[:3] for row in rows] == [
        [str(n), name, each["class"]] for n, (name, each) in enumerate(zip(ids, plain), 1)
    ]
    capsys.readouterr()
    head, *rows = written("run", "--csv", "ids.csv", "--submission")
    assert head == [column, "Label"] and rows == [[name, each["class"]] for name, each in zip(ids, plain)]
    assert f"({column!r}) names the rows: it is not an input" in capsys.readouterr().err


@pytest.mark.parametrize("column", ["", "Unnamed: 0"])
def test_numbers_of_rows_without_a_name_are_no_ids(capsys, column):
    names = ",".join([column, *(f"p{place}" for place in range(36))])
    rows = [f"{n},{row}" for n, row in enumerate(Path("rows.csv").read_text().splitlines())]
    Path("ids.csv").write_text("\n".join([names, *rows]))
    assert answers(capsys, "run", "--csv", "ids.csv") == answers(capsys, "run", "--csv", "rows.csv")
    head, *rows = written("run", "--csv", "ids.csv", "--submission")
    assert head == ["ImageId", "Label"] and [row[0] for row in rows] == [str(n) for n in range(1, 13)]


def test_ids_are_no_formulas_for_a_spreadsheet(capsys):
    names = ",".join(["id", *(f"p{place}" for place in range(36))])
    rows = [f"=1+{n},{row}" for n, row in enumerate(Path("rows.csv").read_text().splitlines())]
    Path("ids.csv").write_text("\n".join([names, *rows]))
    for words in ([], ["--submission"]):
        assert all(
            any(cell == f"'=1+{n}" for cell in row)
            for n, row in enumerate(written("run", "--csv", "ids.csv", *words)[1:])
        )
