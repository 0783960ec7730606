"""Prepare the documents for mkdocs, which calls these functions: README.md becomes the first page, and source files
that documents link to are copied into the site as text."""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the first page, and every file outside docs/ that a page links to."""
    files.append(File.generated(config, "index.md", content=(ROOT / "README.md").read_text(encoding="utf-8")))
    wanted = set()
    for page in files.documentation_pages():
        folder = "" if page.src_uri == "index.md" else "docs"
        for target, _ in LINK.findall(page.content_string):
            path = posixpath.normpath(posixpath.join(folder, posixpath.dirname(page.src_uri), target))
            if _is_copied(path):
                wanted.add(path)
    for path in sorted(wanted):
        files.append(File.generated(config, f"source/{path}.txt", content=_text(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links out of docs/ lead to the copies, and those of the first page to the other pages."""
    first = page.file.src_uri == "index.md"

    def changed(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join("" if first else "docs", found[1]))
        if _is_copied(path):
            return f"](source/{path}.txt)"
        return f"]({path.removeprefix('docs/')}{found[2] or ''})" if first else found[0]

    return LINK.sub(changed, markdown)


def _is_copied(path: str) -> bool:
    inside = path.startswith("docs/") and path.endswith((".md", ".png", ".svg"))
    return not inside and (ROOT / path).exists()


def _text(path: Path) -> str:
    """Return a file's text, or the names in a folder."""
    if path.is_dir():
        return "\n".join(sorted(each.name for each in path.iterdir()))
    return path.read_text(encoding="utf-8", errors="replace")
