"""`jitnet resume`: continue a run from its newest valid checkpoint."""

import argparse
from typing import TYPE_CHECKING

from jitnet.commands.support import session
from jitnet.commands.support.progress_bar import Waiting
from jitnet.commands.support.settings import given_settings
from jitnet.config import Settings
from jitnet.display import open_view
from jitnet.errors import InputError
from jitnet.printing import say
from jitnet.run import RunFolder, start

if TYPE_CHECKING:
    from jitnet.run import RunFolder
    from jitnet.training.position import Position


def run(args: argparse.Namespace) -> int:
    """Resume and return the exit code."""
    given, logs = given_settings(args), session.open_logs(args.log)
    with RunFolder.open(args.run_name, args.runs_dir, lock=True) as folder:
        state = start.load_state(folder)
        epoch, quiet = state.position.epoch, args.ui in ("json", "quiet")
        settings = _settings(folder, state.position, given)
        if folder.meta["status"] == "done" and folder.meta.get("stop_reason") and "epochs" not in given:
            if not quiet:
                reason = folder.meta["stop_reason"]
                say(f"{folder.path} is finished after {epoch} of {settings.until} epochs: {reason}")
                say(f"--epochs {max(settings.until, epoch + 1)} would continue it")
            return 0
        if epoch >= settings.until:
            start.finish(folder, state.position)
            if not quiet:
                say(f"{folder.path} is finished: {epoch} epochs are done; --epochs N would extend it")
            return 0
        with Waiting(args.ui != "quiet") as waiting:
            data = start.load_data_of(settings, folder.meta, args.offline, state.notices.append, waiting.report)
        resumed = start.resume(folder, state, data, settings, measure_peak=True)
        return session.follow(resumed, open_view(args.ui), state.notices, logs)


def _settings(folder: "RunFolder", position: "Position", given: dict[str, object]) -> Settings:
    """Return the settings for the rest of a run; raises `InputError` if fewer epochs than before are requested."""
    settings = folder.settings
    planned = max(settings.until, position.epoch)
    epochs = given.get("epochs", settings.until)
    assert isinstance(epochs, int)
    if "epochs" in given and epochs < planned:
        raise InputError(
            f"--epochs is {epochs}: expected at least the {planned} that {folder.path} has planned or done"
        )
    changes: dict[str, object] = {"until": epochs}
    if "schedule" in given:
        changes |= {"schedule": given["schedule"], "epochs": epochs}
    if "epochs" in given:  # lift what stopped the run, or would stop it at once
        changes |= {"target_accuracy": 0.0, "patience": 0, "max_minutes": 0.0}
    return settings.replace(**changes)
