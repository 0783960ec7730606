"""`jitnet runs`: list, show, compare, plot, rename, tag and remove the runs there are."""

import argparse
import contextlib
from pathlib import Path

from jitnet.commands.support import listing, run_changes
from jitnet.commands.support.damaged import readable, warn_of_logs
from jitnet.commands.support.run_list import print_list, sweep_summary
from jitnet.display.tables import to_csv, to_markdown
from jitnet.errors import InputError
from jitnet.history import read_run, read_runs, select
from jitnet.history.compare import compare
from jitnet.history.curves import METRICS, curves
from jitnet.history.figure import save_figure
from jitnet.history.read import summary
from jitnet.history.sweep_record import Sweep, expand, find_sweep, list_sweeps, read_sweep
from jitnet.history.tables import statistics_tables, trials_table
from jitnet.printing import json_text, say, warn


def run(args: argparse.Namespace) -> int:
    """Do the action and return the exit code."""
    actions = {"list": _list, "show": _show, "compare": _compare, "plot": _plot} | run_changes.ACTIONS
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    found = read_runs(args.runs_dir)
    for run in found:
        if run.damage:
            warn(run.damage)
    if args.limit < 0:
        raise InputError(f"--limit is {args.limit}: expected 0 or more")
    chosen = select.order(select.keep(found, args.filter), args.sort, args.reverse)[: args.limit or None]
    sweeps = [] if args.filter else _sweeps(args.runs_dir)
    if args.json:
        records = [{"kind": "run"} | summary(run) | {"path": str(run.path), "settings": run.settings} for run in chosen]
        say(*json_text(records + [sweep_summary(sweep) for sweep in sweeps], indent=2).split("\n"))
        return 0
    print_list(chosen, len(found), sweeps, args.runs_dir)
    return 0


def _sweeps(runs_dir: Path) -> list[Sweep]:
    """Return the sweeps that can be read, after a warning for each other one."""
    found = []
    for path in list_sweeps(runs_dir):
        try:
            found.append(read_sweep(path))
        except InputError as error:
            warn(error)
    return found


def _show(args: argparse.Namespace) -> int:
    run = read_run(args.run_name, args.runs_dir)
    if args.json:
        record = summary(run) | {"path": str(run.path), "settings": run.settings, "meta": run.meta}
        say(*json_text(record | {"metrics": run.epochs}, indent=2).split("\n"))
        return 0
    listing.print_run(run)
    warn_of_logs([run])
    return 0


def _compare(args: argparse.Namespace) -> int:
    targets = tuple(args.accuracy or ())
    for target in targets:
        if not 0 < target <= 100:
            raise InputError(f"--accuracy is {target:g}: expected a percentage above 0 and up to 100")
    sweep = find_sweep(args.run_names[0], args.runs_dir) if len(args.run_names) == 1 else None
    if sweep is not None:
        if targets:
            raise InputError("--accuracy is given with a sweep, whose table has no times: omit it, or name runs")
        return _compare_sweep(args, sweep)
    runs = readable(expand(args.run_names, args.runs_dir))
    if len(runs) < 2:
        raise InputError(f"{runs[0].name} alone is there: expected two or more runs to compare, or `runs show`")
    tables = compare(runs, targets)
    if args.markdown or args.csv:
        say(*(to_markdown(tables) if args.markdown else to_csv(tables)).split("\n"))
        return 0
    listing.print_tables(tables)
    with contextlib.suppress(InputError):  # no epoch is done yet: the settings are worth comparing all the same
        listing.print_curves(curves(runs, "test_accuracy", "epoch"), "test_accuracy", "epoch")
    return 0


def _compare_sweep(args: argparse.Namespace, path: Path) -> int:
    """Print a sweep's statistics and its table: a line for each trial, where `compare` has a column for each run."""
    sweep = read_sweep(path)
    for sentence in sweep.damaged:
        warn(sentence)
    table = trials_table(sweep)
    tables = [*statistics_tables(sweep.statistics()), *([table] if table else [])]
    if not tables:
        raise InputError(f"{path} has no table yet: expected a sweep of which a trial has begun")
    if args.markdown or args.csv:
        text = to_markdown(tables) if args.markdown else "\n\n".join(to_csv([each]) for each in tables)
        say(*text.split("\n"))
        return 0
    listing.print_tables(tables)
    return 0


def _plot(args: argparse.Namespace) -> int:
    if args.metric and args.metric not in METRICS:
        raise InputError(f"--metric is {args.metric!r}: expected one of {', '.join(METRICS)}")
    runs = readable(expand(args.run_names, args.runs_dir))
    metric = args.metric or ("test_rmse" if all(run.settings["target"] for run in runs) else "test_accuracy")
    drawn = curves(runs, metric, args.x)
    warn_of_logs(runs)
    if args.out is not None:
        save_figure(args.out, drawn, metric, args.x)
        say(f"written: {args.out}")
        return 0
    listing.print_curves(drawn, metric, args.x)
    return 0
