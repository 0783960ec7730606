"""The tables of docs/reliability.md show what the campaigns counted, and the campaigns fit the tests of today."""

import json

import campaign
import figures
import mutation
import planted
import pytest
import reach
import test_fuzz
import test_races
from processes import ROOT

from bench import generated

FOUND = json.loads(campaign.FIGURES.read_text())


def test_the_page_is_generated_from_the_figures():
    assert generated.stale(campaign.sections(FOUND)) == [], "run `python -m tests.campaigns.campaign box`"


@pytest.mark.parametrize("row", FOUND)
def test_figures_are_as_a_campaign_wrote_them(row):
    assert figures.seal(FOUND[row]) == FOUND[row]["seal"], "count them with `python -m tests.campaigns.campaign`"
    assert FOUND[row]["date"] and FOUND[row]["machine"] and figures.counted(FOUND[row])


def counted(row):
    """Return what was counted of a row; skips where nothing was."""
    if row not in FOUND:
        pytest.skip(f"{row} is not counted yet, so the box leaves it out: run `python -m tests.campaigns.campaign`")
    return figures.counted(FOUND[row])


def test_each_row_of_the_box_has_been_counted():
    newest = {name: row for name, row in FOUND.items() if " on " not in name}  # without those of other machines
    missing = sorted({row for _, row, _ in campaign.ROWS} - set(campaign.totals(newest)))
    assert len(list(campaign.lines(newest))) == sum(row not in missing for _, row, _ in campaign.ROWS)
    if missing:
        pytest.skip(
            f"not counted yet, so the box leaves them out: {', '.join(missing)}; "
            "run `python -m tests.campaigns.campaign`"
        )


LONG = {  # what the long form of each campaign would count of today's tests
    "kills": {"SIGKILL": {"moments": 1000, "exact": 1000}},
    "chain": {"hashes": 1},
    "threads": {"configurations": 100, "networks": 10, "hashes": 1},
    "corruption": {"flips": 32_768, "truncations": 4_096},
    "fuzz": {kind: {"inputs": long} for kind, (_, long) in test_fuzz.KINDS.items()},
    "races": {"kernels": len(test_races.parallel_kernels()), "schedules": 200, "planted": 5, "caught": 5},
    "crowd": {part: {"processes": 8, "rounds": 20} for part in ("names", "data", "kernels")},
    "downloads": {"kills": 30, "recovered": 30},
    "names": {"names": 10_000, "escapes": 0},
    "planted": {"faults": len(planted.FAULTS), "caught": len(planted.FAULTS)},
}


@pytest.mark.parametrize("row", LONG)
def test_it_was_the_long_form_of_what_the_tests_are_today(row):
    assert within(counted(row), LONG[row]), f"count {row} again with `python -m tests.campaigns.campaign`"


def within(found, wanted):
    """Are all wanted figures there?"""
    return all(
        within(found.get(name, {}), value) if isinstance(value, dict) else found.get(name) == value
        for name, value in wanted.items()
    )


def test_no_row_is_of_a_file_that_is_gone():
    rows = {row.removeprefix("mutation ") for row in FOUND if row.startswith("mutation ")}
    assert rows <= {*mutation.FILES, *mutation.PACKAGES}


def test_each_target_of_mutations_exists_and_has_tests_that_exist():
    tests = dict(mutation.FILES)
    for package, files in mutation.PACKAGES.items():
        tests |= {f"{package}/{name}": words for name, words in files.items()}
    for file, words in tests.items():
        assert (ROOT / file).exists()
        assert all((ROOT / word).exists() for word in words.split() if word.endswith(".py")), file


def test_the_files_of_the_coverage_exist():
    names = {name.partition("::")[0] for name in (*reach.KERNELS, *reach.COMPILED, *reach.SKIPPED)}
    assert names <= set(reach.FILES)


def test_coverage():
    row = counted("coverage")
    assert min(row["lines"], row["branches"], *row["kernels"].values()) >= 95


@pytest.mark.parametrize("target", (*mutation.FILES, *mutation.PACKAGES))
def test_each_mutant_that_lives_has_a_reason(target):
    row = counted(f"mutation {target}")
    assert row["killed"] + len(row["survivors"]) == row["tried"] <= row["mutants"]
    assert "no reason yet" not in campaign.reasons(target, row["survivors"])
    if target in mutation.FILES:  # of a package the sample is small: a few sizes in drawings decide the share
        assert row["killed"] >= 0.75 * row["tried"]


def test_a_figure_that_changes_changes_the_box_and_breaks_the_seal():
    row = {"faults": 24, "caught": 24, "date": "2026-11-21", "machine": "a machine"}
    sealed = {"planted": row | {"seal": figures.seal(row)}}
    changed = {"planted": sealed["planted"] | {"caught": 23}}
    assert "24 of 24 planted" in campaign.box(sealed) and "23 of 24 planted" in campaign.box(changed)
    assert figures.seal(sealed["planted"]) == sealed["planted"]["seal"] != figures.seal(changed["planted"])


def test_a_row_of_another_kind_of_machine_is_kept_and_shown():
    wide, narrow, newer = (
        {"hashes": 1, "kills": kills, "date": "2026-11-21", "machine": f"2 cores ({name}), Linux"}
        for name, kills in (("znver5", 10), ("znver3", 20), ("znver3", 30))
    )
    found = figures.merged({"chain": wide}, {"chain": narrow})
    assert found == {"chain": narrow, "chain on AVX-512": wide}
    found = figures.merged(found, {"chain": newer})
    assert found == {"chain": newer, "chain on AVX-512": wide}
    shown = list(campaign.lines(found))
    assert ["30 kills" in shown[0], "10 kills" in shown[1], len(shown)] == [True, True, 2]
    assert "znver3 (AVX2)" in shown[0] and "znver5 (AVX-512)" in shown[1]
    assert figures.merged(found, {"chain": wide}) == {"chain": wide, "chain on AVX2": newer}
    assert figures.merged({"planted": wide}, {"planted": newer}) == {"planted": newer}


def test_commands_and_files_exist():
    for _, _, command in campaign.ROWS:
        word, *row = command.split()
        assert (ROOT / "tests" / "campaigns" / f"{word}.py").exists() and set(row) <= set(campaign.CAMPAIGNS)
    for files in campaign.CAMPAIGNS.values():
        assert all((ROOT / file).exists() for file in files)


def test_a_row_without_figures_is_left_out():
    assert campaign.box({}).count("\n|") == 1


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
