"""What the parsers of the commands promise: defaults as the help states them, and settings that arrive."""

import argparse
import re

import pytest
from commands import refusal

from jitnet.cli import build_parser
from jitnet.commands.support.settings import settings_of
from jitnet.config import SETTINGS, Settings
from jitnet.recipes.named import RECIPES


def parsers(parser, name):
    """Yield the parsers of the commands and their actions by name."""
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, child in action.choices.items():
                yield from parsers(child, f"{name} {word}")


ALL = dict(parsers(build_parser(), "jitnet"))
STATED = {
    f"{name} {action.dest}": (action.default, stated[1])
    for name, parser in ALL.items()
    for action in parser._actions
    if action.default not in (None, "", argparse.SUPPRESS)
    and action.dest != "ui"  # what `auto` is depends on the terminal
    and (stated := re.search(r"\(default: ([^,;)]*)", action.help or ""))
}


@pytest.mark.parametrize("place", STATED)
def test_a_default_is_the_one_that_the_help_states(place):
    default, stated = STATED[place]
    assert str(default) == stated


def test_most_numbers_state_their_default():
    assert len(STATED) > 20


@pytest.mark.parametrize("name", ALL)
def test_what_reads_a_run_takes_the_folder_of_runs(name):
    known = {action.dest for action in ALL[name]._actions}
    assert not known & {"run_name", "run_names"} or "runs_dir" in known


@pytest.mark.parametrize(
    "words",
    [
        "export cpp a --out twin --best --initial",
        "runs compare a b --markdown --csv",
        "train mlp --hidden 3 --arch dense3",
    ],
)
def test_of_two_that_exclude_each_other_none_is_passed_over(capsys, words):
    assert "not allowed with argument" in refusal(capsys, *words.split())


TRAIN = build_parser("train")


def parsed(*words):
    return settings_of(TRAIN.parse_args(["train", *words]))


def others(item):
    """Return values of a setting, each with the words that give it."""
    if item.kind is bool:
        return {True: [item.option], False: [item.option.replace("--", "--no-", 1)]}
    if item.choices:
        values = [value for value in item.choices if value]
    else:
        values = {int: [3, 7], float: [0.25, 0.75], str: ["one", "two"]}[item.kind]
    return {value: [item.option, str(value)] for value in values}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", [name for name, item in SETTINGS.items() if item.group and name != "recipe"])
def test_every_setting_arrives_from_its_option(name, recipe):
    for value, words in others(SETTINGS[name]).items():
        smoothing = ["--label-smoothing", "0"] if name == "loss" else []
        rule = ["--optimizer", "nesterov"] if name == "momentum" else []
        found = parsed("cnn", "--val", "9", "--recipe", recipe, *smoothing, *rule, *words)
        assert getattr(found, name) == value, words


@pytest.mark.parametrize("before", RECIPES)
@pytest.mark.parametrize("after", RECIPES)
def test_another_recipe_replaces_all_that_a_file_of_settings_has_of_its_own(tmp_path, before, after):
    file = tmp_path / "config.toml"
    file.write_text(Settings(recipe=before, seed=7).for_images(500).to_toml())
    assert parsed("--config", str(file), "--recipe", after) == Settings(recipe=after, seed=7)
