"""Where runs are and what they are called: new names, RUN arguments, and meta.json."""

import errno
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from jitnet.errors import InputError
from jitnet.storage.atomic import replace_file

SCHEMA = 1
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
    """Return the run folders in `runs_dir`, the newest first; a damaged one counts as the oldest."""

    def created(path: Path) -> tuple[str, str]:
        try:
            return read_meta(path)["created"], path.name
        except InputError:
            return "", path.name

    found = Path(runs_dir).glob("*/meta.json")
    return sorted((meta.parent for meta in found if not meta.parent.name.startswith(".")), key=created, reverse=True)


def find_run(run: str | Path, runs_dir: str | Path) -> Path:
    """Return the folder of RUN: `latest`, a name in `runs_dir`, or a path. Raises `InputError`."""
    candidates = [Path(runs_dir) / run, Path(run)]
    if run == "latest":
        candidates = list_runs(runs_dir)[:1]
    for path in candidates:
        if os.path.isfile(path / "meta.json"):  # unlike Path.is_file it takes any text for an answer
            return path
    if run != "latest" and os.path.isdir(run):
        raise InputError(f"{run} is a folder without meta.json, so it is not a run")
    names = [path.name for path in list_runs(runs_dir)[:5]]
    known = f"the newest there are {', '.join(names)}" if names else "there are none; `jitnet train` makes one"
    raise InputError(f"there is no run {str(run)!r} in {runs_dir}: {known}")


def read_meta(path: Path) -> dict[str, Any]:
    """Return the contents of a run folder's meta.json. Raises `InputError` if it is damaged or too new."""
    file = path / "meta.json"
    try:
        meta = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is damaged ({error}), so {path.name} cannot be used") from None
    texts = ("status", "title", "data", "created")
    if not isinstance(meta, dict) or not all(isinstance(meta.get(name), str) for name in texts):
        raise InputError(f"{file} is damaged: expected the texts {', '.join(texts)}, so {path.name} cannot be used")
    schema = meta.get("schema", 0)  # the first runs did not say; what they lack has a default where it is read
    if type(schema) is not int or not 0 <= schema <= SCHEMA:
        raise InputError(
            f"{file} has schema {meta.get('schema')!r}, and this jitnet reads 0 to {SCHEMA}: update jitnet"
        )
    return meta


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
