"""Damaged runs among others: a warning for each, and the command continues with those that can be read."""

from jitnet.errors import InputError
from jitnet.history import Run
from jitnet.printing import warn


def readable(runs: list[Run]) -> list[Run]:
    """Return the runs that can be read, after a warning for each other one. Raises `InputError` if there is none."""
    found = [run for run in runs if not run.damage]
    if runs and not found:
        raise InputError(runs[0].damage)
    for run in runs:
        if run.damage:
            warn(run.damage)
    return found


def warn_of_logs(runs: list[Run]) -> None:
    """Print a warning for each log of which a part could not be read."""
    for run in runs:
        for notice in run.notices:
            warn(notice)
