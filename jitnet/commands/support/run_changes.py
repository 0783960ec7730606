"""The actions of `jitnet runs` that change a run's folder: rm, rename, tag and note."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from jitnet.commands.support.latest import describe
from jitnet.display.format import count
from jitnet.errors import InputError
from jitnet.history.read import read_or_damaged
from jitnet.history.sweep_record import find_sweep
from jitnet.printing import printable, say
from jitnet.run import manage
from jitnet.run.names import find_run, is_run


def _rm(args: argparse.Namespace) -> int:
    """Remove the runs and return the exit code: 1 if the answer was no."""
    places: dict[str, Path] = {}  # a name and a path may lead to one folder; a link is another
    for name in args.run_names:
        path = _find(name, args.runs_dir)
        places.setdefault(os.path.abspath(path), path)
    paths = list(places.values())
    if not args.yes:
        if not sys.stdin or not sys.stdin.isatty():
            raise InputError(f"{count(len(paths), 'folder')} would be removed, and nobody can be asked: add --yes")
        for path in paths:
            say(f"remove {_what(path)}")
        say("These files cannot be restored. Continue? (y/n)")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            say("nothing is removed")
            return 1
    for path in paths:
        what = _what(path)
        manage.remove(path, args.runs_dir)
        say(f"removed {what}")
    return 0


def _rename(args: argparse.Namespace) -> int:
    path = _find(args.run_name, args.runs_dir)
    say(f"{path} is now {manage.rename(path, args.runs_dir, args.new_name)}")
    return 0


def _tag(args: argparse.Namespace) -> int:
    path = find_run(args.run_name, args.runs_dir)
    if args.tags or args.remove:
        tags = manage.annotate(path, args.runs_dir, args.tags, args.remove)
    else:
        tags = read_or_damaged(path).meta.get("tags", [])
    say(f"{path.name} has {count(len(tags), 'tag')}{': ' * bool(tags)}{', '.join(tags)}")
    return 0


def _note(args: argparse.Namespace) -> int:
    path = find_run(args.run_name, args.runs_dir)
    if args.text is not None:
        manage.annotate(path, args.runs_dir, note=args.text)
    note = read_or_damaged(path).meta.get("note")
    say(f"{path.name}: {note}" if note else f"{path.name} has no note")
    return 0


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"rm": _rm, "rename": _rename, "tag": _tag, "note": _note}


def _find(name: str, runs_dir: Path) -> Path:
    """Return the folder of a run or a sweep. Raises `InputError`, which names the sweeps too."""
    sweep = find_sweep(name, runs_dir)
    return sweep if sweep is not None and not is_run(sweep) else find_run(name, runs_dir)


def _what(path: Path) -> str:
    if is_run(path):
        return f"the run {describe(read_or_damaged(path))}"
    return f"the sweep {printable(path.name)} with {count(sum(is_run(each) for each in path.iterdir()), 'run')}"
