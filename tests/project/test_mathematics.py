"""docs/mathematics.md: linked files and functions exist, no kernel is missing, Markdown does not break a formula."""

import ast
import csv
import re

import pytest
import structure
from processes import ROOT

PAGE = ROOT / "docs" / "mathematics.md"
TEXT = PAGE.read_text(encoding="utf-8")
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def defined(path):
    """Return the names of a file's functions, and its methods as Class.name."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)}
    return names


def anchors(text):
    """Return the anchors of a page's headings on code hosts."""
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.*)", text, re.M)
    }


def broken(text):
    """Return the broken links of a page."""
    found = []
    for label, target in LINK.findall(re.sub(r"```.*?```|\$[^$\n]+\$", "", text, flags=re.S)):
        path = (PAGE.parent / target).resolve()
        name = re.fullmatch(r"`([\w.]+)`", label)
        good = target[1:] in anchors(text) if target.startswith("#") else path.is_file()
        if not good or (name and name[1] not in defined(path)):
            found.append((label, target))
    return found


def fragile(text):
    """Return inline formulas that Markdown would change before they are typeset, or that break a table."""
    prose = re.sub(r"```.*?```|`[^`\n]+`", "", text, flags=re.S)
    found = [line for line in prose.split("\n") if line.count("$") % 2]
    for formula in re.findall(r"\$([^$\n]+)\$", prose):
        if re.search(r"\\[^a-zA-Z ]|[|*<>]|\]\(|^\s|\s$", formula):
            found.append(formula)
    return found


def test_every_link_leads_to_a_file_and_a_function():
    assert broken(TEXT) == []


@pytest.mark.parametrize(
    "line",
    [
        "[`conv2d_forward`](../kernels/layers/pooling.py)",
        "[`contract`](../kernels/no_such_file.py)",
        "[a](#11-nothing)",
        "[`Network.no_such`](../jitnet/model/network.py)",
    ],
)
def test_a_broken_link_is_found(line):
    assert len(broken(TEXT + line)) == 1


@pytest.mark.parametrize("path", sorted((ROOT / "kernels").rglob("*.py")), ids=lambda path: path.stem)
def test_every_public_kernel_is_linked(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    linked = set(LINK.findall(TEXT))
    names = {kernel.name for kernel in structure.public_kernels(tree)}
    assert {name for name in names if (f"`{name}`", f"../{path.relative_to(ROOT)}") not in linked} == set()


def test_formulas_survive_markdown():
    assert fragile(TEXT) == []
    assert TEXT.count("```math\n") * 2 == TEXT.count("```")


@pytest.mark.parametrize("line", [r"$a\,b$", "$|a|$", "$a < b$", "$a", "$ a$", "$a*b*c$", "$a[i](b)$"])
def test_a_fragile_formula_is_found(line):
    assert fragile(line)


def test_the_figures_of_the_reference_run_are_its_own():
    with (ROOT / "runs/reference-cnn/metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for epoch in (0, 1, 2, 3, 8):
        row = {name: float(value) for name, value in rows[epoch].items() if value}
        wanted = (
            f"| {epoch} | {row['lr']:.6f} | {row['train_loss']:.4f} | {row['test_loss']:.4f} "
            f"| {row['test_accuracy']:.2f} |"
        )
        assert wanted in TEXT


def test_the_page_is_short():
    assert TEXT.count("\n") < 395
