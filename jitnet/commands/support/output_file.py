"""`--out` and `--save`: a file that a command writes is never one that it reads."""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from jitnet.errors import InputError
from jitnet.run import own_files


def require_other(args: argparse.Namespace) -> None:
    """Refuse a file to write that is one of those that the command line names, or of a run (`InputError`).

    Links are followed. Standard input counts as named, since `< FILE` may be the same file.
    """
    for option in ("out", "save"):
        out = getattr(args, option, None)
        if out is None:
            continue
        own_files.require_other(out, f"--{option}")
        values = [value for name, value in vars(args).items() if name not in ("out", "save")]
        words = [word for value in values for word in (value if isinstance(value, list) else [value])]
        same = next((word for word in words if isinstance(word, str | Path) and _is_same(out, Path(word))), None)
        if same is not None or _is_standard_input(out):
            read = "standard input" if same is None else same
            raise InputError(
                f"--{option} is {out}, which is read as {read}: expected another file, so that it is not lost"
            )


def _is_standard_input(out: Path) -> bool:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # there is none, or it is no file
        return out.is_file() and os.path.samestat(os.stat(out), os.fstat(sys.stdin.fileno()))
    return False


def _is_same(out: Path, read: Path) -> bool:
    """Whether two paths are one file, or the first the folder of the second, where an export may replace it."""
    with contextlib.suppress(OSError, ValueError):
        return read.is_file() and (os.path.samefile(out, read) or os.path.samefile(out, read.parent))
    return False
