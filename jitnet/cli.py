"""The command line: finds the command, in one file of commands/ and one of commands/parsers/ each, and runs it."""

import argparse
import contextlib
import errno
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from jitnet import __version__
from jitnet.commands import COMMANDS, GROUPS
from jitnet.commands.support import signals
from jitnet.errors import InputError, JitnetError, did_you_mean
from jitnet.machine import threads
from jitnet.printing import say

DESCRIPTION = "Neural networks for MNIST, readable line by line and fast."
BEGIN = """to begin with:
  jitnet predict reference-cnn digit.png  a network that is trained already
  jitnet train cnn --epochs 9             train that network, the documents' CNN
  jitnet report latest --open             the newest training as a page
"""


_FEW = 8  # names that a sentence lists although it knows which one was meant


class _Parser(argparse.ArgumentParser):
    """argparse, but an error is one sentence like every other one, and names what was probably meant."""

    def error(self, message: str) -> NoReturn:
        for action in self._actions:
            name = str(action.metavar or action.dest)
            if action.choices and message.endswith(f" {name}") and "|" not in name:  # it is required and not given
                message += f", one of {', '.join(map(str, action.choices))}"
        raise InputError(f"{message}; see `{self.prog} --help`")

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse all words, or raise `InputError`."""
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            parser = self._chosen(found)
            if isinstance(parser, _Parser) and parser._takes(rest, found):
                return found
            option = next((word for word in rest if word.startswith("-")), rest[0]).partition("=")[0]
            similar = did_you_mean(option, parser._option_string_actions)
            if not similar and option.startswith("-") and any(not each.option_strings for each in parser._actions):
                similar = "; what is no option and begins with a minus comes last, after --"
            parser.error(f"unrecognized arguments: {' '.join(rest)}{similar}")
        return found

    def _chosen(self, found: argparse.Namespace) -> argparse.ArgumentParser:
        """Return the parser of the command, and of its action, that was given."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                chosen = action.choices[getattr(found, action.dest)]
                return chosen._chosen(found) if isinstance(chosen, _Parser) else chosen
        return self

    def _takes(self, words: list[str], found: argparse.Namespace) -> bool:
        """Take words that come after an option, where one or any number may be left out; argparse stops there."""
        last = next((each for each in self._actions if not each.option_strings and each.nargs in ("*", "+", "?")), None)
        if last is None or last.type or any(word.startswith("-") and word != "-" for word in words):
            return False
        given = getattr(found, last.dest)
        if last.nargs == "?":
            if len(words) > 1 or given != last.default:
                return False
            try:
                self._check_value(last, words[0])
            except argparse.ArgumentError as error:
                self.error(str(error))
            setattr(found, last.dest, words[0])
            return True
        if last.choices:
            return False
        setattr(found, last.dest, [*(given or ()), *words])
        return True

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            similar = did_you_mean(str(value), map(str, action.choices))
            known = [str(choice) for choice in action.choices]
            expected = "" if similar and len(known) > _FEW else f": expected one of {', '.join(known)}"
            order = "; options come after it" if isinstance(action, argparse._SubParsersAction) else ""
            raise argparse.ArgumentError(action, f"{value!r} is given{expected}{order}{similar}")


class _Overview(_Parser):
    """The parser of the program: its help lists the commands in their groups."""

    def format_help(self) -> str:
        """Return the help: usage, commands, options, the first steps."""
        width = max(map(len, COMMANDS))
        lines = [f"{self.format_usage()}", DESCRIPTION, ""]
        for title, commands in GROUPS.items():
            lines += [f"{title}:", *(f"  {name:{width}}  {help}" for name, (_, help) in commands.items()), ""]
        lines += ["options:", "  -h, --help  show this help and exit", "  --version   show the version and exit", ""]
        return "\n".join([*lines, BEGIN])


def welcome() -> str:
    """Return what `jitnet` alone prints: the first steps and the names of the commands."""
    width = max(map(len, GROUPS))
    groups = [f"  {title:{width}}  {', '.join(commands)}" for title, commands in GROUPS.items()]
    return "\n".join(
        (
            f"jitnet {__version__}: {DESCRIPTION[0].lower()}{DESCRIPTION[1:]}\n",
            BEGIN,
            "commands:",
            *groups,
            "\n`jitnet --help` explains each in a line,\n`jitnet COMMAND --help` one of them with examples.",
        )
    )


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of the command line: of one command, which alone is imported, or of all of them."""
    parser = _Overview(prog="jitnet")
    parser.add_argument("--version", action="version", version=f"jitnet {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    for name, (module, help) in COMMANDS.items():
        if command in ("", name):
            import_module(f"jitnet.commands.parsers.{module}").add_parser(subparsers)
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
        if not words:
            say(*welcome().split("\n"))
            return 0
        if words[0] == "help":
            words = [*words[1:2], "--help"]
        args = build_parser(command_of(words)).parse_args(words)
        if hasattr(args, "threads"):
            threads.configure(args.threads)  # before the command imports numba, which reads it only once
        if "latest" in (getattr(args, "run_name", ""), *getattr(args, "run_names", ())):
            import_module("jitnet.commands.support.latest").resolve(args)
        if getattr(args, "out", None) or getattr(args, "save", None):
            import_module("jitnet.commands.support.output_file").require_other(args)
        code = import_module(f"jitnet.commands.{COMMANDS[args.command][0]}").run(args)
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
        what = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
        if error.errno == errno.ENOENT and not error.filename and not _has_folder():
            say("jitnet: the working directory is no longer there: change to another one", error=True)
            return InputError.exit_code
        if error.errno == errno.ENOSPC:
            say(f"jitnet: {what}: free some space and run it again", error=True)
        elif error.errno != errno.EPIPE:  # the reader of the output has left, as in `jitnet summary cnn | head -1`
            say(f"jitnet: {what}: check the file and its permissions", error=True)
            return InputError.exit_code
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _has_folder() -> bool:
    """Return whether the working directory is there: it may have been removed since."""
    try:
        return bool(os.getcwd())
    except FileNotFoundError:
        return False


def process() -> NoReturn:
    """Run `main` as the `jitnet` process. Before it, Ctrl-C ends it at once; after it, Ctrl-C is ignored.

    In it Ctrl-C is never lost: in a callback, whose exception Python would only print, it comes again a moment later.
    While Python exits, Ctrl-C would print a traceback or change the exit code of a run that is saved.
    """
    code = 130
    try:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            sys.unraisablehook = signals.recover
            signal.signal(signal.SIGINT, signals.interrupt)  # from now on `main` answers it
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
