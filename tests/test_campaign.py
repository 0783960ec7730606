"""The README's box is what the campaigns counted, and every row of it has a command that exists."""

import json

import campaign
from processes import ROOT

FOUND = json.loads(campaign.FIGURES.read_text())


def test_the_box_in_the_readme_is_made_from_the_figures():
    text = (ROOT / "README.md").read_text()
    assert campaign.with_box(text, FOUND) == text, "run `python -m tests.campaign box`"


def test_a_figure_that_changes_changes_the_box():
    changed = FOUND | {"planted": {"faults": 24, "caught": 23}}
    assert "23 of 24 planted faults" in campaign.box(changed) and campaign.box(changed) != campaign.box(FOUND)


def test_commands_and_files_exist():
    for _, command in campaign.ROWS:
        word, *row = command.split()
        assert (ROOT / "tests" / f"{word}.py").exists() and set(row) <= set(campaign.CAMPAIGNS)
    for files in campaign.CAMPAIGNS.values():
        assert all((ROOT / file).exists() for file in files)


def test_a_row_without_figures_is_left_out():
    assert campaign.box({}).count("\n|") == 2
