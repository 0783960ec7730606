"""Change runs and sweeps that are there: remove them, rename them, and give them tags and a note.

Only what lies directly in the folder of the runs is touched, and nothing that a process is training in.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from jitnet.errors import InputError
from jitnet.run.lock import Lock
from jitnet.run.names import KEPT, REFERENCE, check_name, is_run, write_meta
from jitnet.run.schema import read_meta

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_LONGEST_NOTE = 500  # characters


def remove(path: Path, runs_dir: Path) -> None:
    """Remove the folder of a run or a sweep. Raises `InputError` if it may not, and nothing is removed.

    If removing fails nevertheless, what is left has its name again.
    """
    with _owned(path, runs_dir) as own:
        for folder, _, _ in os.walk(own):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        hidden = own.with_name(f".removed-{secrets.token_hex(8)}")
        os.rename(own, hidden)  # at once: a run that is half removed is none
        try:
            shutil.rmtree(hidden)
        except OSError:
            os.rename(hidden, own)
            raise


def rename(path: Path, runs_dir: Path, name: str) -> Path:
    """Give a run or a sweep another name; return its new path. Raises `InputError`."""
    check_name(name)
    with _owned(path, runs_dir) as own:
        new = own.with_name(name)
        if os.path.lexists(new):
            raise InputError(f"there is {name!r} in {runs_dir} already: choose another name")
        os.rename(own, new)
        return path.with_name(name)


def annotate(
    path: Path, runs_dir: Path, add: Iterable[str] = (), drop: Iterable[str] = (), note: str | None = None
) -> list[str]:
    """Add and drop tags of a run, and replace its note unless it is None; return its tags. Raises `InputError`."""
    for tag in add:
        if not _TAG.fullmatch(tag):
            raise InputError(
                f"a tag cannot be {tag!r}: expected 1 to 32 letters, digits, dots, underscores, hyphens, "
                "a letter or digit first"
            )
    if note is not None and len(note) > _LONGEST_NOTE:
        raise InputError(f"the note has {len(note):,} characters: expected at most {_LONGEST_NOTE}")
    with _owned(path, runs_dir) as own:
        meta = read_meta(own)
        tags = [tag for tag in dict.fromkeys([*meta.get("tags", []), *add]) if tag not in set(drop)]
        changed = meta | {"tags": tags} | ({} if note is None else {"note": note})
        write_meta(own, {name: value for name, value in changed.items() if name not in ("tags", "note") or value})
    return tags


@contextlib.contextmanager
def _owned(path: Path, runs_dir: Path) -> Iterator[Path]:
    """Lock a run, or a sweep with its trials, and yield its real path. Raises `InputError` if it may not be changed."""
    own, home = Path(os.path.realpath(path)), Path(os.path.realpath(runs_dir))
    if path.is_symlink() or own.parent != home:
        raise InputError(f"{path} is not directly in {runs_dir}: expected a run or a sweep there, or --runs-dir DIR")
    if KEPT is not None and own == Path(os.path.realpath(KEPT / REFERENCE)):
        raise InputError(f"{REFERENCE} comes with jitnet and is not changed: expected another run")
    with contextlib.ExitStack() as locks:
        try:
            trials = () if is_run(own) else (each for each in own.iterdir() if is_run(each) and not each.is_symlink())
            for folder in (own, *trials):
                locks.callback(Lock(folder).release)
            yield own
        except OSError as error:
            raise InputError(f"cannot change {path}: {error.strerror}; check its permissions") from error
