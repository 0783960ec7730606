"""Run docs/tour.ipynb and keep what its cells show: pictures, curves, numbers. Needs nbclient and ipykernel.

python docs/make_tour.py            run it and keep the outputs
python docs/make_tour.py --check    only report whether they are those of the code; exit code 1 if not
"""

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

TOUR = Path(__file__).resolve().parent / "tour.ipynb"
_KEPT = ("text/html", "text/plain")
_BUSY = r"<p>advice: the machine is busy[^<]*</p>"


def code_of(book: dict[str, Any]) -> list[str]:
    """Return the code cells."""
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]


def code_hash(book: dict[str, Any]) -> str:
    """Return the SHA-256 of all code cells, which the notebook keeps with its outputs."""
    return hashlib.sha256("\0".join(code_of(book)).encode()).hexdigest()


def is_current(book: dict[str, Any]) -> bool:
    """Return whether the outputs were made by the code as it is."""
    return book["metadata"].get("jitnet", {}).get("code") == code_hash(book)


def make() -> None:
    """Run the notebook in a new kernel and write it with its outputs."""
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.read(TOUR, as_version=4)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(TOUR.parents[1]), os.environ.get("PYTHONPATH", "")])
    NotebookClient(book, timeout=900, kernel_name="python3").execute()
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            cell.outputs = [_kept(output) for output in cell.outputs if output.get("name") != "stderr"]
    book.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "jitnet": {"code": code_hash(book)},
    }
    TOUR.write_text(json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def _kept(output: Any) -> Any:
    """Return an output without what only a running notebook needs, and without what it says of this machine."""
    if "data" in output:
        output.data = {kind: re.sub(_BUSY, "", text) for kind, text in output.data.items() if kind in _KEPT}
        output.metadata = {}
    return output


if __name__ == "__main__":
    if "--check" in sys.argv:
        current = is_current(json.loads(TOUR.read_text(encoding="utf-8")))
        sys.exit(0 if current else "docs/tour.ipynb has outputs of other code: python docs/make_tour.py")
    make()
