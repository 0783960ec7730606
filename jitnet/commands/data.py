"""`jitnet data`: where MNIST is on this machine, getting it, and giving its place on disk back."""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from rich.table import Table
from rich.text import Text

from jitnet.commands.support.progress_bar import Waiting
from jitnet.data.sources import known
from jitnet.data.sources.cache import Cache, default_folder
from jitnet.data.sources.search import copies, fetch, in_cache, own_place, read_own
from jitnet.display.console import safe_console
from jitnet.display.format import data_size
from jitnet.errors import InputError
from jitnet.printing import printable, say, warn


def run(args: argparse.Namespace) -> int:
    """Do the action and return the exit code; `InputError` when `fetch` fails."""
    if args.action == "status":
        return _status()
    if args.action == "fetch":
        return _fetch(args.name, args.offline)
    return _clear()


def _status() -> int:
    table = Table(title="places where MNIST is looked for, in this order", title_justify="left")
    table.add_column("place", overflow="fold")
    table.add_column("what is there", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    own, cache = own_place(), default_folder()
    rows = [
        (f"JITNET_DATA={own}", _there(own), _size(own)) if own else ("JITNET_DATA", "not set", ""),
        (str(cache), _cached(cache), _size(cache)) if cache else ("cache", "none: there is no home folder", ""),
        *((str(path), _there(path), _size(path)) for path in copies(known.MNIST)),
        *((mirror, "asked last, never with --offline", "") for mirror in known.MNIST.mirrors),
    ]
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))  # Text: a path may hold what rich takes for markup
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    safe_console(width=None if on_terminal else 1000).print(table)  # a pipe has no edge to fold at
    return 0


def _there(path: Path) -> str:
    """Say what a place holds, after reading all of it; nothing is written anywhere."""
    if not os.path.exists(path):
        return "nothing"
    try:
        data = read_own(path, Cache(None, warn))
    except InputError as error:
        return str(error)
    if data.name == known.MNIST.name:
        return f"{known.MNIST.title}, content verified"
    return f"other data: {len(data.x_train):,} + {len(data.x_test):,} images, {data.classes} classes"


def _cached(folder: Path) -> str:
    damaged: list[str] = []
    found = in_cache(known.MNIST, Cache(folder, damaged.append))
    state = f"{known.MNIST.title}, content verified" if found else f"no complete {known.MNIST.title}"
    return f"{state} (removed: {len(damaged)} damaged)" if damaged else state


def _size(path: Path) -> str:
    """Return the size of a file, or of all files directly in a folder, for people."""
    total = 0
    with contextlib.suppress(OSError):  # gone, or not ours to read
        files = list(path.iterdir()) if path.is_dir() else [path]
        total = sum(file.stat().st_size for file in files if file.is_file())
    return data_size(total) if total else ""


def _fetch(name: str, offline: bool) -> int:
    if name not in known.KNOWN:
        raise InputError(f"there is no known data set {name!r}: expected one of {', '.join(known.KNOWN)}")
    wanted = known.KNOWN[name]
    with Waiting(plain=print) as waiting:
        cache = Cache(default_folder(), print, waiting.report)
        source = fetch(wanted, cache, offline)
    say(f"{wanted.title} is in {cache.folder}, content verified (from {source})")
    return 0


def _clear() -> int:
    folder = default_folder()
    files = Cache(folder, print).files()
    total, removed = 0, 0
    for file in files:
        with contextlib.suppress(OSError):
            size = file.stat().st_size
            file.unlink()
            total, removed = total + size, removed + 1
    kept = f"; {len(files) - removed} could not be removed" if removed < len(files) else ""
    say(f"removed {removed} files, {data_size(total)}, from {folder or 'no cache folder'}{kept}")
    return 0
