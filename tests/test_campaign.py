"""README box and list of mutants are what the campaigns counted, and what they would count of the tests of today."""

import json

import campaign
import figures
import mutation
import planted
import pytest
import test_crowd
import test_fuzz
import test_races
from processes import ROOT

FOUND = json.loads(campaign.FIGURES.read_text())


def test_the_documents_are_made_from_the_figures():
    for path, text in campaign.documents(FOUND).items():
        assert path.read_text() == text, f"{path.name}: run `python -m tests.campaign box`"


@pytest.mark.parametrize("row", FOUND)
def test_figures_are_as_a_campaign_wrote_them(row):
    assert figures.seal(FOUND[row]) == FOUND[row]["seal"], "count them with `python -m tests.campaign`"
    assert FOUND[row]["date"] and FOUND[row]["machine"] and figures.counted(FOUND[row])


def test_each_row_of_the_box_has_been_counted():
    assert len(list(campaign.lines(FOUND))) == len(campaign.ROWS)


def test_it_was_the_long_form_of_what_the_tests_are_today():
    assert FOUND["kills"]["SIGKILL"]["moments"] == FOUND["kills"]["SIGKILL"]["exact"] == 1000
    assert FOUND["planted"]["caught"] == FOUND["planted"]["faults"] == len(planted.FAULTS)
    assert FOUND["races"]["kernels"] == len(test_races.parallel_kernels()) and FOUND["races"]["schedules"] == 200
    assert {kind: row["inputs"] for kind, row in figures.counted(FOUND["fuzz"]).items()} == {
        kind: long for kind, (_, long) in test_fuzz.KINDS.items()
    }
    for crowd in figures.counted(FOUND["crowd"]).values():
        assert (crowd["processes"], crowd["rounds"]) == (test_crowd.CROWD, 20)
    assert (FOUND["downloads"]["kills"], FOUND["names"]["names"]) == (30, 10_000)
    assert {row for row in FOUND if row.startswith("mutation")} == {f"mutation {file}" for file in mutation.TARGETS}
    assert min(FOUND["coverage"]["lines"], FOUND["coverage"]["branches"]) >= 95


@pytest.mark.parametrize("file", mutation.TARGETS)
def test_each_mutant_that_lives_has_a_reason(file):
    row = FOUND[f"mutation {file}"]
    assert row["killed"] + len(row["survivors"]) == row["tried"] <= row["mutants"]
    assert "no reason yet" not in campaign.reasons(file, row["survivors"])
    assert row["killed"] >= 0.9 * row["tried"]


def test_a_figure_that_changes_changes_the_box():
    changed = FOUND | {"planted": FOUND["planted"] | {"caught": 23}}
    assert f"23 of {len(planted.FAULTS)} planted faults" in campaign.box(changed)
    assert figures.seal(changed["planted"]) != FOUND["planted"]["seal"]


def test_commands_and_files_exist():
    for _, _, command in campaign.ROWS:
        word, *row = command.split()
        assert (ROOT / "tests" / f"{word}.py").exists() and set(row) <= set(campaign.CAMPAIGNS)
    for files in campaign.CAMPAIGNS.values():
        assert all((ROOT / file).exists() for file in files)


def test_a_row_without_figures_is_left_out():
    assert campaign.box({}).count("\n|") == 2


def test_a_campaign_replaces_whole_rows_and_leaves_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "FIGURES", tmp_path / "figures")
    (tmp_path / "figures").write_text('{"kept": {"a": 1}, "replaced": {"old": 2}}')
    with figures.kept():
        figures.note("replaced", new=3)
        figures.note("replaced", more=4)
    found = json.loads((tmp_path / "figures").read_text())
    assert found["kept"] == {"a": 1} and figures.counted(found["replaced"]) == {"new": 3, "more": 4}
    assert found["replaced"]["seal"] == figures.seal(found["replaced"])
    figures.note("unseen", new=3)
    assert json.loads((tmp_path / "figures").read_text()) == found
