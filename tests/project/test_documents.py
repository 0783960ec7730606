"""docs/documents.md: every point has its line, and what it names exists. docs/claims.md shows the kept results."""

import re

import pytest
from processes import ROOT

from bench import claims_page, recipes
from jitnet.config import PRESETS, Settings

PAGE = (ROOT / "docs" / "documents.md").read_text(encoding="utf-8")
CLAIMS = claims_page.PAGE.read_text(encoding="utf-8")
POINTS = {"000": 13, "001": 8, "002": 8, "003": 16, "004": 6}  # of each document


def test_every_point_has_one_line_with_something_behind_it():
    rows = re.findall(r"^\| (\d{3}\.\d+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    assert [row[0] for row in rows] == [f"{name}.{n + 1}" for name, count in POINTS.items() for n in range(count)]
    assert all(len(where) > 4 for _, _, where in rows)


def test_the_files_it_names_exist():
    named = set(re.findall(r"`((?:jitnet|kernels|tests|bench|docs)/[\w/.]+)`", PAGE))
    assert len(named) > 10 and [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_nothing_is_left_open():
    assert not re.search(r"\bopen\b", PAGE)


@pytest.mark.parametrize("name", claims_page.sections(claims_page.read()))
def test_the_tables_are_those_of_the_kept_results(name):
    shown = CLAIMS.split(claims_page.BEGIN.format(name))[1].split(claims_page.END.format(name))[0]
    assert shown.strip() == claims_page.sections(claims_page.read())[name].strip()


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "mlp"])
def test_every_preset_is_a_recipe_of_the_claims(name):
    assert recipes.settings(recipes.RECIPES[name].words) == Settings.preset(name)
    assert recipes.SHORT[name].startswith(name)


def test_a_run_is_kept_once_and_the_last_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(claims_page, "KEPT", tmp_path / "claims.jsonl")
    line = '{{"kind": "short", "name": "cnn", "seed": {}, "test": {}}}\n'
    claims_page.KEPT.write_text(line.format(1, 90.0) + line.format(0, 80.0) + line.format(1, 82.0))
    short = claims_page.read()["short"]
    assert {seed: run["test"] for seed, run in short["cnn"].items()} == {0: 80.0, 1: 82.0}
    assert claims_page.threshold([80.0, 82.0]) == pytest.approx(81 - 5 * 2**0.5)
