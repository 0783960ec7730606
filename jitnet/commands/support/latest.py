"""Which run `latest` is: commands show its name, since it may be another one than the user remembers."""

import argparse

from jitnet.display.format import count, percentage, significant
from jitnet.history import Run
from jitnet.history.read import read_or_damaged, summary
from jitnet.printing import say
from jitnet.run.names import list_runs


def resolve(args: argparse.Namespace) -> None:
    """Replace `latest` by the path of the newest run, and state on standard error which that is and how good.

    Without any run `latest` stays, and the command refuses it.
    """
    newest = list_runs(args.runs_dir)[:1]
    if not newest:
        return
    path = str(newest[0])
    if "run_names" in args:
        args.run_names = [path if name == "latest" else name for name in args.run_names]
    else:
        args.run_name = path
    if getattr(args, "ui", "auto") not in ("json", "quiet"):
        say(f"latest is {describe(read_or_damaged(newest[0]))}", error=True)


def describe(run: Run) -> str:
    """Return a run's name, status, epochs and accuracy in a few words."""
    if run.damage:
        return f"{run.name}: damaged"
    row = summary(run)
    text = f"{run.name}: {row['status']}, {row['epochs']} of {count(row['planned'])}"
    if row["accuracy"] is not None:
        return f"{text}, accuracy {percentage(row['accuracy'])}"
    rmse = run.last("test_rmse")
    return text if rmse is None else f"{text}, RMSE {significant(rmse)}"
