"""The counts of the campaigns in docs/reliability.json, from which the tables of docs/reliability.md are generated.

Only `python -m tests.campaigns.campaign` and its kin set JITNET_FIGURES;
in an ordinary run of the tests nothing is written.
Each row says when and where it was counted, and has a seal: a figure that is changed by hand no longer fits it.
"""

import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "reliability.json"
PLACE = os.environ.get("JITNET_FIGURES")  # now: many a test takes the user's variables away
# First words of rows that depend on no kind of machine.
ANYWHERE = ("planted", "mutation", "coverage", "arm64", "weights")
ABOUT = ("date", "machine", "seal")  # fields of a row that are not counts


def machine() -> str:
    """Return the kind of machine and the versions, without host or user names."""
    from importlib.metadata import version

    import llvmlite.binding

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores ({llvmlite.binding.get_host_cpu_name()}), {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, NumPy {version('numpy')}, numba {version('numba')}"
    )


def kind(row: dict) -> str:
    """Return the vectors of the machine on which a row was counted, "" if they are not known."""
    from bench.processors import VECTORS, llvm_name  # not above: a process that alters sources may have none of them

    return VECTORS.get(llvm_name(row.get("machine", "")), "")


def of_kind(rows: dict, kind: str) -> dict:
    """Return the rows that were kept of a kind of machine when they were counted on another kind."""
    ending = f" on {kind}"
    return {name.removesuffix(ending): row for name, row in rows.items() if name.endswith(ending)}


def counted(row: dict) -> dict:
    """Return what a row counted."""
    return {name: value for name, value in row.items() if name not in ABOUT}


def seal(row: dict) -> str:
    """Return the seal of a row's figures, its date and its machine."""
    sealed = {name: value for name, value in row.items() if name != "seal"}
    return hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()[:16]


def note(row: str, **found) -> None:
    """Add what a campaign counted under its row's name."""
    if PLACE:
        path = Path(PLACE)
        known = json.loads(path.read_text()) if path.exists() else {}
        entry = known.get(row, {}) | found | {"date": time.strftime("%Y-%m-%d"), "machine": machine()}
        write(path, known | {row: entry | {"seal": seal(entry)}})


def write(path: Path, rows: dict) -> None:
    """Write rows as a file that shows well which of them changed."""
    path.write_text(json.dumps(rows, indent=2, sort_keys=True) + "\n")


@contextmanager
def kept() -> Iterator[None]:
    """Let this process and its children note rows; each then replaces the whole row in docs/reliability.json.

    A row that was counted on another kind of machine is kept next to it.
    """
    global PLACE
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "noted")
        PLACE = os.environ["JITNET_FIGURES"] = str(path)
        try:
            yield
        finally:
            PLACE = None
            del os.environ["JITNET_FIGURES"]
            if path.exists():
                write(FIGURES, merged(json.loads(FIGURES.read_text()), json.loads(path.read_text())))


def merged(known: dict, new: dict) -> dict:
    """Return the known rows with the new ones, and those that they replace under the name of another kind."""
    others = {
        f"{name} on {kind(known[name])}": known[name]
        for name, row in new.items()
        if name in known and name.split()[0] not in ANYWHERE and kind(known[name]) not in ("", kind(row))
    }
    same = {f"{name} on {kind(row)}" for name, row in new.items()}
    return {name: row for name, row in known.items() if name not in same} | others | new
