"""The command line: `jitnet train cnn`, and one file in commands/ for each of its verbs."""

import argparse
import contextlib
import errno
import io
import os
import signal
import sys
from typing import NoReturn

from jitnet import __version__
from jitnet.commands import (
    completion,
    data,
    ensemble,
    errors,
    evaluate,
    export,
    gradcheck,
    importing,
    predict,
    repeat,
    report,
    resume,
    runs,
    schedule,
    summary,
    sweep,
    trace,
    train,
    warmup,
)
from jitnet.errors import InputError, JitnetError

EXAMPLES = """examples:
  jitnet train cnn --epochs 9                the documents' CNN, one image at a time
  jitnet train cnn --batch-size 64 --lr 0.1  the same network in mini-batches
  jitnet resume latest                       go on after Ctrl-C, a crash or a power cut
  jitnet eval latest                         its accuracy on the test images
"""


class _Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one sentence like every other one."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see `{self.prog} --help`")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="jitnet",
        description="Neural networks for MNIST that you can read line by line and that train at the CPU's speed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"jitnet {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands = (
        train, resume, repeat, sweep, ensemble, evaluate, predict, errors, trace, runs, report, export, importing,
        summary, gradcheck, schedule, data, warmup, completion,
    )  # fmt: skip
    for command in commands:
        command.add_parser(subparsers)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 2 bad input, 3 diverged, 128 + n stopped by signal n."""
    for stream in (sys.stdout, sys.stderr):  # a file name may hold bytes that are no text
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        args = build_parser().parse_args(argv)
        code = args.run(args)
        if sys.stdout is not None:  # None: we were started with a closed one
            sys.stdout.flush()  # here, where a dead output is expected
        return code
    except JitnetError as error:
        print(f"jitnet: {error}", file=sys.stderr)
        return error.exit_code
    except MemoryError as error:
        print(f"jitnet: there is not enough memory ({error}): use a smaller network or batch", file=sys.stderr)
        return InputError.exit_code
    except OSError as error:
        if error.errno == errno.ENOSPC:
            print(f"jitnet: {error.strerror}: make room and run it again", file=sys.stderr)
        elif error.errno != errno.EPIPE:  # the reader of our output went away, as in `jitnet summary cnn | head -1`
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def process() -> NoReturn:
    """Be the `jitnet` process: `main`, behind which Ctrl-C is ignored.

    Python on its way out would answer it with a traceback or die of it: another exit code for a run that is saved.
    """
    try:
        code = main()
    except SystemExit as left:
        if isinstance(left.code, int) and left.code > 128:  # of a second signal: what it left half-made may crash LLVM
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(AttributeError, OSError, ValueError):
                    stream.flush()
            os._exit(left.code)
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)
