"""Finished and unfinished runs, read back: to list, compare, plot and report. Nothing here changes a run."""

from jitnet.history.read import Run, read_run, read_runs

__all__ = ["Run", "read_run", "read_runs"]
