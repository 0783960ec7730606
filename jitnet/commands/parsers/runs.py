"""The options of `jitnet runs`."""

import argparse
from pathlib import Path
from typing import Any

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `runs` and its actions to the command line."""
    parser = options.add_command(
        subparsers,
        "runs",
        "jitnet runs list --sort accuracy  all runs, the best first",
        "jitnet runs compare run-a run-b  what differs between two runs",
        "jitnet runs tag run-a keep  a label, shown by list and kept in the run",
        "jitnet runs rm run-b  asks before it removes the folder",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    list_ = actions.add_parser("list", help="a line for each run, the newest first")
    list_.add_argument("--sort", metavar="FIELD", default="created", help="accuracy, loss, seconds, lr, name, ...")
    list_.add_argument("--reverse", action="store_true", help="the other way round")
    list_.add_argument(
        "--filter", metavar="TEST", action="append", default=[], help='network=cnn, "accuracy>=98", status!=done, ...'
    )
    list_.add_argument("--limit", metavar="N", type=int, default=0, help="at most N runs; 0 = all (default: 0)")
    list_.add_argument("--json", action="store_true", help="a JSON array, with all settings; sweeps follow the runs")
    show = actions.add_parser("show", help="all about one run")
    show.add_argument("run_name", metavar="RUN", help="a run folder, its name, or `latest`")
    show.add_argument("--json", action="store_true", help="one JSON object")
    compare = actions.add_parser("compare", help="what differs between runs, and what came of it")
    form = compare.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="tables for a README or an issue")
    form.add_argument("--csv", action="store_true", help="one table for a spreadsheet")
    compare.add_argument(
        "--accuracy", metavar="PERCENT", type=float, action="append", help="show the time until this test accuracy"
    )
    plot = actions.add_parser("plot", help="runs' curves in the terminal, or as svg or png")
    plot.add_argument(
        "--metric",
        metavar="NAME",
        default="",
        help="a column of metrics.csv, or step_loss (default: test_accuracy; of regressions test_rmse)",
    )
    plot.add_argument("--x", choices=("epoch", "step", "time"), default="epoch", help="(default: epoch)")
    plot.add_argument(
        "--save", "--out", dest="out", metavar="FILE", type=Path, help="an .svg or .png file, drawn by matplotlib"
    )
    for several in (compare, plot):
        several.add_argument("run_names", metavar="RUN", nargs="+", help="a run or a sweep, its name, or `latest`")
    for action in (list_, show, compare, plot, *_add_changes(actions)):
        options.add_runs_dir(action)


def _add_changes(actions: Any) -> list[argparse.ArgumentParser]:
    """Add the actions that change a run's folder, and return their parsers."""
    rm = actions.add_parser("rm", help="remove runs or sweeps with all their files, after asking")
    rm.add_argument("run_names", metavar="RUN", nargs="+", help="a run or a sweep, its name, or `latest`")
    rm.add_argument("--yes", action="store_true", help="do not ask")
    rename = actions.add_parser("rename", help="give a run or a sweep another name")
    rename.add_argument("run_name", metavar="RUN", help="a run or a sweep, its name, or `latest`")
    rename.add_argument("new_name", metavar="NAME", help="letters, digits, dots, underscores and hyphens")
    tag = actions.add_parser("tag", help="add tags to a run, or remove them; without TAG, show them")
    tag.add_argument("run_name", metavar="RUN", help="a run folder, its name, or `latest`")
    tag.add_argument("tags", metavar="TAG", nargs="*", help="a word such as `keep`")
    tag.add_argument("--remove", metavar="TAG", action="append", default=[], help="remove this tag")
    note = actions.add_parser("note", help="keep a sentence about a run; without TEXT, show it")
    note.add_argument("run_name", metavar="RUN", help="a run folder, its name, or `latest`")
    note.add_argument("text", metavar="TEXT", nargs="?", help="the sentence; an empty text removes it")
    return [rm, rename, tag, note]
