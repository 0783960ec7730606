"""`jitnet schedule`: draw the learning rate of each epoch before anything is trained."""

import argparse
import sys

from jitnet.commands.support.settings import settings_of
from jitnet.display.format import count
from jitnet.errors import InputError
from jitnet.printing import say
from jitnet.training.schedule import learning_rate

_WIDTH = 50  # columns of the longest bar


def run(args: argparse.Namespace) -> int:
    """Print a line for each epoch and return the exit code."""
    settings = settings_of(args)
    if not settings.epochs:
        raise InputError(f"the recipe {settings.recipe!r} chooses the epochs by the number of images: give --epochs N")
    utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    say(f"schedule {settings.schedule}, peak {settings.lr:g}, {count(settings.epochs)}")
    if settings.warm_up:
        say(f"without the warm-up over {settings.warm_up} steps, whose place depends on the steps of an epoch")
    for epoch in range(settings.epochs):
        lr = learning_rate(settings, epoch)
        bar = ("█" if utf8 else "#") * max(1, round(_WIDTH * lr / settings.lr))
        say(f"epoch {epoch + 1:2d} lr = {lr:.6f} {bar}")
    return 0
