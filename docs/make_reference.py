"""Generate docs/commands.md from the parsers of the command line, and the tree of docs/structure.md from docstrings.

python docs/make_reference.py            write both
python docs/make_reference.py --check    only report whether they are current; exit code 1 if not
"""

import argparse
import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]  # a checkout needs no install

from bench import generated
from jitnet.cli import build_parser

FOLDERS = ("kernels", "jitnet", "tests", "bench", "docs")  # of the tree
OTHER = {  # first lines of folders and files that have no docstring
    "tests": "Tests, in folders named after the packages they test.",
    "tests/campaigns": "Programs that run the long form of the tests and count.",
    "tests/support": "Helpers of the tests.",
    "bench": "Benchmarks; each is a program.",
    "bench/results": "Kept records of the benchmarks, one JSON file a run.",
    "docs": "Documents, and the programs that generate parts of them.",
    "jitnet/commands": "The subcommands of the command line, one file each; their options are in parsers/.",
    "jitnet/export/cpp": "The sources of the C++ export.",
    "runs": "Run folders; `reference-cnn` is kept.",
}


def subcommands(parser: argparse.ArgumentParser) -> dict[str, tuple[str, argparse.ArgumentParser]]:
    """Return the help and the parser of each subcommand, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            return {name: (helps.get(name, ""), parser) for name, parser in action.choices.items()}
    return {}


def cell(text: str) -> str:
    """Return text fit for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def meaning(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """Return the help of an option with its placeholders filled in."""
    values = vars(action) | {"prog": parser.prog}
    return cell((action.help or "") % values)


def value(action: argparse.Action) -> str:
    """Return what follows an option: its choices, its placeholder, or nothing for a switch."""
    if action.nargs == 0:
        return ""
    names = action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest)
    one = " ".join(names) if isinstance(names, tuple) else names
    if action.option_strings and action.metavar is None and not action.choices:
        one = one.upper()
    return {"?": f"[{one}]", "*": f"[{one} ...]", "+": f"{one} ..."}.get(str(action.nargs), one)


def options(parser: argparse.ArgumentParser) -> list[str]:
    """Return one table for each group of a parser's arguments."""
    lines = []
    for group in parser._action_groups:
        shown = [
            action
            for action in group._group_actions
            if action.help != argparse.SUPPRESS
            and not isinstance(action, argparse._HelpAction | argparse._SubParsersAction | argparse._VersionAction)
        ]
        if shown:
            title = "arguments" if group.title == "positional arguments" else group.title
            lines += [f"| {title} | |", "|---|---|"]
            for action in shown:
                name = cell(" ".join((", ".join(action.option_strings), value(action))).strip())
                lines.append(f"| `{name}` | {meaning(action, parser)} |")
            lines.append("")
    return lines


def section(name: str, help_text: str, parser: argparse.ArgumentParser, level: int) -> list[str]:
    """Return the reference of a command and of its subcommands."""
    lines = [
        f"{'#' * level} {name}",
        "",
        (parser.description or help_text[:1].upper() + help_text[1:]).rstrip(".") + ".",
        "",
    ]
    lines += options(parser)
    if parser.epilog:
        lines += ["```", parser.epilog.strip(), "```", ""]
    for child, (child_help, child_parser) in subcommands(parser).items():
        lines += section(f"{name} {child}", child_help, child_parser, level + 1)
    return lines


def commands() -> str:
    """Return the reference of the whole command line as Markdown."""
    parser = build_parser()
    lines = ["| command | |", "|---|---|"]
    for name, (text, _) in subcommands(parser).items():
        lines.append(f"| [`jitnet {name}`](#jitnet-{name}) | {cell(text)} |")
    lines.append("")
    for name, (text, child) in subcommands(parser).items():
        lines += section(f"jitnet {name}", text, child, 2)
    return "\n".join(lines)


def tracked() -> list[str]:
    """Return the files of the project's folders that git keeps or would keep, sorted."""
    words = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", *FOLDERS]
    names = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted({name for name in names if (ROOT / name).is_file()})


def first_line(path: Path) -> str:
    """Return what a file begins with: a sentence of its docstring if it goes over lines, its heading or a comment."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        paragraph = " ".join((ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].split("\n"))
        first = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
        return first if first.endswith(".") else paragraph.split(". ")[0].rstrip(".") + "."
    first = next((line for line in text.splitlines() if line.strip()), "")
    return first.lstrip("/# ").split(": ", 1)[-1] if path.suffix in (".hpp", ".cpp", ".in", ".md") else ""


def tree() -> str:
    """Return every source file and document with its first line, by folder, as Markdown; of tests only the folders."""
    by_folder: dict[str, list[str]] = {}
    for name in tracked():
        if name.endswith((".py", ".md", ".hpp", ".cpp", ".in")):
            by_folder.setdefault(str(Path(name).parent), []).append(name)
    lines = []
    ordered = sorted(by_folder, key=lambda name: (FOLDERS.index(name.split("/")[0]), name))
    for folder in ordered:
        package = ROOT / folder / "__init__.py"
        about = (first_line(package) if package.exists() else "") or OTHER.get(folder, "")
        shown = [name for name in by_folder[folder] if not name.rpartition("/")[2].startswith(("__init__", "test_"))]
        if not about and not shown:
            continue
        lines += [f"{'#' * min(2 + folder.count('/') + 1, 4)} {folder}/", "", *([about, ""] if about else [])]
        if shown:
            lines += ["| file | |", "|---|---|"]
            lines += [f"| `{name.removeprefix(folder + '/')}` | {cell(first_line(ROOT / name))} |" for name in shown]
            lines.append("")
    return "\n".join(lines)


def sections() -> dict[str, dict[str, str]]:
    """Return the generated sections by document."""
    return {"docs/commands.md": {"commands": commands()}, "docs/structure.md": {"tree": tree()}}


def main() -> int:
    """Write or check the documents; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="change nothing")
    if parser.parse_args().check:
        found = generated.stale(sections())
        print("\n".join(f"{name} is stale: python docs/make_reference.py" for name in found) or "both are current")
        return int(bool(found))
    generated.write(sections())
    return 0


if __name__ == "__main__":
    sys.exit(main())
