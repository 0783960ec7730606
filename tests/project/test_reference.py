"""docs/commands.md and docs/structure.md are current, and complete."""

import argparse
import runpy

from processes import ROOT

from bench import generated

REFERENCE = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))


def test_both_documents_are_current():
    assert generated.stale(REFERENCE["sections"]()) == [], "run python docs/make_reference.py"


def test_every_option_of_every_command_is_listed():
    text = REFERENCE["commands"]()

    def check(parser, name):
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for child, child_parser in action.choices.items():
                    assert f" {name} {child}\n" in text
                    check(child_parser, f"{name} {child}")
            elif action.help != argparse.SUPPRESS and not isinstance(
                action, argparse._HelpAction | argparse._VersionAction
            ):
                assert all(option in text for option in action.option_strings)

    from jitnet.cli import build_parser

    check(build_parser(), "jitnet")
    assert "%(" not in text


def test_every_source_file_has_its_line():
    text = REFERENCE["tree"]()
    for name in REFERENCE["tracked"]():
        if name.endswith(".py") and not name.rpartition("/")[2].startswith(("__init__", "test_")):
            assert f"| `{name.rpartition('/')[2]}` | " in text
    assert "| |" not in text.replace("| file | |", ""), "a file has no first line"


def test_a_changed_option_makes_the_reference_stale():
    sections = {"docs/commands.md": {"commands": REFERENCE["commands"]().replace("--epochs", "--rounds")}}
    assert generated.stale(sections) == ["docs/commands.md"]
