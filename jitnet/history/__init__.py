"""Finished and unfinished runs, read back: to list, compare, plot and report; and the state of those that run.

Nothing here changes a run.
"""

from jitnet.history.read import Run, read_run, read_runs

__all__ = ["Run", "read_run", "read_runs"]
