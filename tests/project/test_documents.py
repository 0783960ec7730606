"""The documents: paths, links and functions in them exist, generated sections are current, and no point is missing."""

import ast
import doctest
import re
import subprocess
from functools import cache

import pytest
from processes import ROOT

from bench import claims_page, generated, recipes
from jitnet.config import PRESETS, Settings
from jitnet.errors import InputError

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
DOCUMENTS = ["README.md", "runs/README.md", "jitnet/export/cpp/README.md", *PAGES]
FOLDERS = "jitnet|kernels|tests|bench|docs|runs"
EXTERNAL = ("concurrent.futures.", "autograd.", "lax.", "numpy.", "array.")  # names of other libraries
FILE = re.compile(r"\.(py|md|hpp|cpp|json|jsonl|csv|toml|safetensors|html|png|txt|bin|pgm)$")
POINTS = {"000": 13, "001": 8, "002": 8, "003": 16, "004": 6}  # of each of the five documents


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tracked():
    words = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    return set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines())


@cache
def defined(name):
    """Return the functions, classes, methods, arguments, attributes and constants that a source file defines."""
    if not name.endswith(".py"):
        return set(re.findall(r"\w+", text_of(name)))
    found = set()
    for node in ast.walk(ast.parse(text_of(name))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.id if isinstance(node, ast.Name) else node.attr)
    return found


@cache
def modules():
    """Return what each file and each package of the program, its tests and its C++ sources defines, by its name."""
    found = {}
    for name in tracked():
        if name.endswith((".py", ".hpp", ".cpp")) and (ROOT / name).exists():
            *_, package, stem = ("", *re.split(r"[/.]", name)[:-1])
            found.setdefault(stem, set()).update(defined(name))
            found.setdefault(package, set()).update({stem} if stem != "__init__" else re.findall(r"\w+", text_of(name)))
    return found


@cache
def defined_anywhere():
    """Return all names that are defined, and those of files and folders."""
    return {stem for name in tracked() for stem in re.split(r"[/.]", name)}.union(*modules().values())


def missing(text, folder=""):
    """Return the paths, links and functions that a document names and that do not exist."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    found = []
    for path in re.findall(rf"`((?:{FOLDERS})/[\w/.-]*)`", text):
        if not (ROOT / path).exists() and "NAME" not in path:
            found.append(path)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target and not (ROOT / folder / target).exists():
            found.append(target)
    for path, names in re.findall(rf"`((?:{FOLDERS})/[\w/]+\.(?:py|hpp))`((?:,? (?:and )?`[\w.]+`)+)", text):
        for name in re.findall(r"`([\w.]+)`", names):
            if (ROOT / path).exists() and "/" not in name and name.split(".")[-1] not in defined(path):
                found.append(f"{path} {name}")
    return found


def unknown_names(text):
    """Return the identifiers with an underscore or a dot in a document that nothing in the project defines."""
    text = re.sub(r"```.*?```", "", text.replace("jitnet.kernels", "kernels"), flags=re.S)
    found = set()
    for name in re.findall(r"`([A-Za-z]\w*(?:\.\w+)*)(?:\(\))?`", text):
        if ("_" in name or "." in name) and not (name.isupper() or name.startswith(EXTERNAL) or FILE.search(name)):
            *owners, last = name.split(".")
            known = modules().get(owners[-1], defined_anywhere()) if owners else defined_anywhere()
            if last not in known or not defined_anywhere().issuperset(owners):
                found.add(name)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_names_exists(name):
    assert missing(text_of(name), name.rpartition("/")[0]) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_functions_that_a_document_names_are_defined(name):
    assert unknown_names(text_of(name)) == set()


@pytest.mark.parametrize(
    "line",
    [
        "see `kernels/no_such_file.py`",
        "see `tests/no/such/folder/`",
        "see [this](no-such.md)",
        "`jitnet/model/network.py` `no_such_function`",
        "`jitnet/model/network.py` `Network`, `no_such_function`",
    ],
)
def test_a_name_that_does_not_exist_is_found(line):
    assert len(missing(line)) == 1


@pytest.mark.parametrize(
    "line", ["`no_such_function`", "`network.no_such`", "`no_such_module.parse`", "`options.pasted`"]
)
def test_a_function_that_is_not_defined_is_found(line):
    assert len(unknown_names(line)) == 1


def test_every_point_has_one_line_that_says_where_it_is():
    rows = re.findall(r"^\| (\d{3}\.\d+) \| (.+?) \| (.+?) \|$", text_of("docs/documents.md"), re.MULTILINE)
    assert [row[0] for row in rows] == [f"{name}.{n + 1}" for name, count in POINTS.items() for n in range(count)]
    assert all(len(where) > 4 for _, _, where in rows)


def test_no_point_is_left_open():
    assert not re.search(r"\bopen\b", text_of("docs/documents.md"))


def test_the_claims_show_the_kept_results():
    sections = {claims_page.PAGE: claims_page.sections(claims_page.read())}
    assert generated.stale(sections) == [], "run python bench/claims.py --seeds 0"


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "mlp" and "recipe" not in PRESETS[name]])
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


def test_the_readme_is_short_and_has_the_two_commands():
    text = text_of("README.md")
    assert text.count("\n") <= 150
    for command in (
        "pip install -e . && python -m jitnet train cnn --epochs 9",
        "pip install -e '.[test]' && python -m pytest -n 3 --dist worksteal",
    ):
        assert f"```\n{command}\n```" in text


def test_replacing_a_section():
    assert doctest.testmod(generated).failed == 0
    text = "<!-- a: generated by x -->\nold\n<!-- end of a -->\nrest"
    assert generated.replaced(generated.replaced(text, "a", "new"), "a", "new") == generated.replaced(text, "a", "new")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- a: generated by x -->",
        "<!-- end of a -->",
        "<!-- end of a -->\n<!-- a: generated by x -->",
        "<!-- a: generated by x -->\n<!-- a: generated by x -->\n<!-- end of a -->",
        "<!-- b: generated by x -->\n<!-- end of b -->",
    ],
)
def test_a_document_without_its_comments_is_not_changed(text):
    with pytest.raises(InputError, match="no place for the section 'a'"):
        generated.replaced(text, "a", "new")
