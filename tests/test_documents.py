"""docs/documents.md: every point of the documents has its line, what it names exists, its tables are the results'."""

import json
import re

import pytest
from processes import ROOT

from bench import claims
from jitnet.config import PRESETS, Settings

PAGE = claims.PAGE.read_text(encoding="utf-8")
POINTS = {"000": 13, "001": 8, "002": 8, "003": 16, "004": 6}  # of each document


def test_every_point_has_one_line_with_something_behind_it():
    rows = re.findall(r"^\| (\d{3}\.\d+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    assert [row[0] for row in rows] == [f"{name}.{n + 1}" for name, count in POINTS.items() for n in range(count)]
    assert all(len(where) > 4 for _, _, where in rows)


def test_the_files_it_names_exist():
    named = set(re.findall(r"`((?:jitnet|kernels|tests|bench|docs)/[\w/.]+)`", PAGE))
    assert len(named) > 10 and [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_its_tables_are_those_of_the_kept_results():
    kept = json.loads(claims.KEPT.read_text())
    assert PAGE.split(claims.BEGIN)[1].split(claims.END)[0].strip() == claims.tables(kept).strip()


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "mlp"])
def test_every_preset_is_a_recipe_of_the_claims(name):
    assert claims.RECIPES[name][2] == Settings.preset(name)


@pytest.mark.parametrize("name", claims.RECIPES)
def test_the_command_beside_a_recipe_is_that_recipe(name):
    from jitnet.cli import build_parser
    from jitnet.commands.train import settings_of

    words = [name.split(",")[0], *claims.RECIPES[name][3].split()]
    assert settings_of(build_parser().parse_args(["train", *words])) == claims.RECIPES[name][2]
