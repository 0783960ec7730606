"""The command line: finds the command, in one file of commands/ each, and turns its errors into exit codes."""

import argparse
import contextlib
import errno
import os
import signal
import sys
from importlib import import_module
from typing import NoReturn

from jitnet import __version__
from jitnet.commands import COMMANDS
from jitnet.errors import InputError, JitnetError
from jitnet.machine import threads
from jitnet.printing import say

EXAMPLES = """examples:
  jitnet train cnn --epochs 9                the documents' CNN, one image at a time
  jitnet train cnn --batch-size 64 --lr 0.1  the same network in mini-batches
  jitnet resume latest                       continue after Ctrl-C, a crash or a power cut
  jitnet eval latest                         its accuracy on the test images
"""


class _Parser(argparse.ArgumentParser):
    """argparse, but an error is one sentence like every other one."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see `{self.prog} --help`")


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of the command line: of one command, which alone is imported, or of all of them."""
    parser = _Parser(
        prog="jitnet",
        description="Neural networks for MNIST that you can read line by line and that train at the CPU's speed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"jitnet {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, help) in COMMANDS.items():
        if command in ("", name):
            import_module(f"jitnet.commands.{module}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=help)
    return parser


def command_of(words: list[str]) -> str:
    """Return the part of the command line that `build_parser` has to know: a command, "" for all of them."""
    named = next((word for word in words if not word.startswith("-")), "none")
    return "" if named == "completion" else named


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 2 bad input, 3 diverged, 128 + n stopped by signal n."""
    try:
        words = sys.argv[1:] if argv is None else argv
        args = build_parser(command_of(words)).parse_args(words)
        if hasattr(args, "threads"):
            threads.configure(args.threads)  # before the command imports numba, which reads it only once
        code = args.run(args)
        if sys.stdout is not None:  # None: it was closed when the process started
            sys.stdout.flush()  # here, where a closed output is handled
        return code
    except JitnetError as error:
        sentence, *details = error.args or ("",)
        say(f"jitnet: {sentence}", *details, error=True)
        return error.exit_code
    except MemoryError as error:
        say(f"jitnet: there is not enough memory ({error}): use a smaller network or batch", error=True)
        return InputError.exit_code
    except OSError as error:
        if error.errno == errno.ENOSPC:
            say(f"jitnet: {error.strerror}: free some space and run it again", error=True)
        elif error.errno != errno.EPIPE:  # the reader of the output has left, as in `jitnet summary cnn | head -1`
            what = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
            say(f"jitnet: {what}: check the file and its permissions", error=True)
            return InputError.exit_code
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def process() -> NoReturn:
    """Run `main` as the `jitnet` process. Before it, Ctrl-C ends it at once; after it, Ctrl-C is ignored.

    While Python exits, Ctrl-C would print a traceback or change the exit code of a run that is saved.
    """
    code = 130
    try:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # from now on `main` answers it
        code = main()
    except KeyboardInterrupt:  # just before or after `main`
        pass
    except SystemExit as left:
        if isinstance(left.code, int) and left.code > 128:  # a second signal: LLVM may crash on unfinished work
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(AttributeError, OSError, ValueError):
                    stream.flush()
            os._exit(left.code)
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)
