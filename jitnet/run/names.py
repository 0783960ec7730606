"""Where runs are, and their names: new names, RUN arguments, and meta.json."""

import errno
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from jitnet.errors import InputError, did_you_mean
from jitnet.run.schema import read_meta
from jitnet.storage.atomic import replace_file

# The networks that come with jitnet: packed with the package, in a checkout the folder runs/ next to it.
_PACKAGE = Path(__file__).resolve().parents[1]
KEPT = next((folder for folder in (_PACKAGE / "kept_runs", _PACKAGE.parent / "runs") if folder.is_dir()), None)
REFERENCE = "reference-cnn"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_name(name: str) -> str:
    """Return `name` if a run may have it: never a path, an option or a hidden file. Raises `InputError`."""
    if not _NAME.fullmatch(name) or name == "latest":
        raise InputError(
            f"a run cannot be called {name!r}: expected 1 to 64 letters, digits, dots, underscores, hyphens, "
            "a letter or digit first, and not the word latest"
        )
    return name


def list_runs(runs_dir: str | Path) -> list[Path]:
    """Return the run folders in `runs_dir`, the newest first; a damaged one counts as the oldest.

    Raises `InputError` if the folder is there and cannot be read.
    """

    def created(path: Path) -> tuple[str, str]:
        try:
            return read_meta(path)["created"], path.name
        except InputError:
            return "", path.name

    return sorted((path for path in entries(runs_dir) if is_run(path)), key=created, reverse=True)


def entries(runs_dir: str | Path) -> list[Path]:
    """Return what is in a folder of runs, if it is there, without hidden files; raises `InputError`."""
    try:
        return [entry for entry in Path(runs_dir).iterdir() if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InputError(f"cannot read {runs_dir}: {error.strerror}; check its permissions") from None


def is_run(path: str | Path) -> bool:
    """Has a folder a meta.json, readable or not? A folder that may not be entered counts as one; reading it says so."""
    try:
        os.lstat(os.path.join(path, "meta.json"))
        return True
    except PermissionError:
        return True
    except (OSError, ValueError):  # ValueError: a NUL byte
        return False


def find_run(run: str | Path, runs_dir: str | Path) -> Path:
    """Return the folder of RUN: `latest`, a name in `runs_dir`, a path, or a network that comes with jitnet.

    Raises `InputError`.
    """
    candidates = [Path(runs_dir) / run, Path(run)]
    if run == "latest":
        candidates = list_runs(runs_dir)[:1]
    elif run == REFERENCE and KEPT is not None:
        candidates.append(KEPT / REFERENCE)
    for path in candidates:
        if is_run(path):
            return path
    folder = next((path for path in candidates if run != "latest" and os.path.isdir(path)), None)
    if folder is not None:
        raise InputError(f"{folder} is a folder without meta.json, so it is not a run")
    names = [path.name for path in list_runs(runs_dir)]
    known = f"the newest there are {', '.join(names[:5])}" if names else "there are none; `jitnet train` makes one"
    raise InputError(
        f"there is no run {str(run)!r} in {runs_dir}: {known}{did_you_mean(str(run), [*names, REFERENCE])}"
    )


def require_own(path: Path, runs_dir: str | Path) -> None:
    """Raise `InputError` for the network that comes with jitnet, used from another folder: it is not to be changed."""
    if KEPT is not None and path == KEPT / REFERENCE and KEPT.resolve() != Path(runs_dir).resolve():
        raise InputError(
            f"{REFERENCE} comes with jitnet and is not changed: expected a run in {runs_dir}; "
            f"`jitnet train --config {path / 'config.toml'}` trains it again"
        )


def write_meta(path: Path, meta: dict[str, Any]) -> None:
    """Replace the meta.json of a run folder. Raises `OSError`."""
    replace_file(path / "meta.json", (json.dumps(meta, indent=2) + "\n").encode())


def publish(hidden: Path, runs_dir: Path, stem: str, name: str | None) -> Path:
    """Rename a whole folder to a name that nobody has; of processes that race for one name, one gets it."""
    while True:
        path = runs_dir / (name or f"{stem}-{secrets.token_hex(2)}")
        if not os.path.lexists(path):  # a rename would take the place of an empty folder, but of nothing else
            try:
                os.rename(hidden, path)
                return path
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                    raise
        if name is not None:
            raise InputError(f"there is a run {name!r} in {runs_dir} already: choose another --name")
