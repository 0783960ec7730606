"""The README's table is that of the newest kept comparison, and says so when it can't be made."""

import json

import pytest

from bench import readme
from jitnet.errors import InputError


def test_the_readme_shows_the_newest_kept_comparison():
    text = readme.README.read_text(encoding="utf-8")
    path = readme.newest()
    fresh = readme.replaced(text, readme.section(readme.read(path), path.name))
    assert text == fresh, "the README's table is stale: run python bench/readme.py"


def test_another_figure_makes_the_table_stale():
    path = readme.newest()
    record = readme.read(path)
    before = readme.section(record, path.name)
    record["rows"][0]["results"][0]["seconds"]["median"] *= 2
    assert readme.section(record, path.name) != before


def test_a_row_that_jitnet_loses_is_named():
    record = readme.read(readme.newest())
    row = record["rows"][0]
    result = row["results"][1]
    result["ratio"] |= {"median": 0.5, "low": 0.4, "high": 0.6}
    text = readme.section(record, "x.json")
    assert "**0.50** (0.40 to 0.60)" in text
    assert f"Rows that jitnet loses: {result['label']} in “{row['title']}”" in text


def test_the_newest_is_so_by_its_date_and_not_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(readme.records, "FOLDER", tmp_path)
    with pytest.raises(InputError, match="run python bench"):
        readme.newest()
    for name, date in (("compare-a.json", "2026-11-22T00:00:00Z"), ("compare-b.json", "2026-11-21T00:00:00Z")):
        (tmp_path / name).write_text(json.dumps({"date": date}))
    assert readme.newest().name == "compare-a.json"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"benchmark": "kernels", "format": 1}'])
def test_what_is_no_comparison_is_told_in_a_sentence(text, tmp_path, capsys):
    path = tmp_path / "record.json"
    path.write_text(text)
    assert readme.main([str(path)]) == 2
    assert "bench/compare.py wrote" in capsys.readouterr().err


def test_a_readme_without_its_comments_is_left_alone():
    with pytest.raises(InputError, match="no place for the table"):
        readme.replaced("# jitnet\n", "table")
