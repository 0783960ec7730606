"""README.md and docs/speed.md show the newest kept records; a record that can't be read is refused in one sentence."""

import json

import pytest

from bench import generated, readme, recipes_page, records
from jitnet.errors import InputError


def record():
    """Return the newest kept comparison."""
    return records.read(readme.newest("compare"), "compare")


def test_the_documents_show_the_newest_kept_records():
    assert generated.stale(readme.sections()) == [], "run python bench/readme.py"


def test_the_documents_show_the_kept_runs_of_the_recipes(monkeypatch):
    assert generated.stale(recipes_page.sections()) == [], "run python bench/recipes_page.py"
    monkeypatch.setattr(recipes_page, "accuracies", lambda name: [90.0, 91.0])
    assert generated.stale(recipes_page.sections()) == ["docs/claims.md", "README.md"]


def test_another_figure_makes_the_tables_stale():
    changed = record()
    changed["rows"][0]["results"][0]["seconds"]["median"] *= 2
    assert readme.comparison(changed, "x.json") != readme.comparison(record(), "x.json")
    assert readme.short_comparison(changed) != readme.short_comparison(record())


def test_a_row_in_which_a_peer_is_faster_is_named():
    changed = record()
    row = changed["rows"][0]
    result = row["results"][1]
    result["ratio"] |= {"median": 0.5, "low": 0.4, "high": 0.6}
    text = readme.comparison(changed, "x.json")
    assert "**0.50** (0.40 to 0.60)" in text
    for shown in (text, readme.short_comparison(changed)):
        assert f"in which a peer is faster: {result['label']} in “{row['title']}”" in shown


def test_a_row_that_was_not_measured_is_named():
    changed = next(iter(readme.newest_of_each_processor("compare").values()))  # with all rows
    assert "Not measured" not in readme.short_comparison(changed)
    left = changed["rows"].pop()
    for shown in (readme.comparison(changed, "x.json"), readme.short_comparison(changed)):
        assert f"Not measured: {left['title']}." in shown


def test_the_newest_record_is_found_by_its_date_and_not_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(readme.records, "FOLDER", tmp_path)
    with pytest.raises(InputError, match=r"run python bench/compare\.py"):
        readme.newest("compare")
    for name, date in (("compare-a.json", "2026-11-22T00:00:00Z"), ("compare-b.json", "2026-11-21T00:00:00Z")):
        (tmp_path / name).write_text(json.dumps({"date": date}))
    assert readme.newest("compare").name == "compare-a.json"


def test_each_kind_of_processor_has_its_newest_record(tmp_path, monkeypatch):
    monkeypatch.setattr(readme.records, "FOLDER", tmp_path)
    base = {"benchmark": "compare", "format": readme.records.FORMAT}
    for name, date, tile, kind, results in (
        ("a", "2026-11-20", "avx2", "znver3", 3),
        ("b", "2026-11-22", "avx2", "znver3", 1),
        ("c", "2026-11-23", "avx512", "icelake-server", 1),
        ("d", "2026-11-21", "avx512", "znver5", 2),
        ("e", "2026-11-24", "avx512", "emeraldrapids", 2),
    ):
        rows = [{"results": [{}] * results}]
        record = base | {"date": date, "machine": {"tile": tile, "cpu_kind": kind}, "rows": rows}
        (tmp_path / f"compare-{name}.json").write_text(json.dumps(record))
    found = readme.newest_of_each_processor("compare")
    assert list(found) == [f"compare-{name}.json" for name in "edcb"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"benchmark": "kernels", "format": 1}'])
def test_a_file_that_is_not_a_comparison_is_refused_in_a_sentence(text, tmp_path, capsys):
    path = tmp_path / "record.json"
    path.write_text(text)
    assert readme.main([str(path)]) == 2
    assert "bench/compare.py wrote" in capsys.readouterr().err
