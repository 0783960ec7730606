"""`jitnet schedule`: draw the learning rate of each epoch before anything is trained."""

import argparse
import sys
from typing import Any

from jitnet.config import CHOICES, PRESETS
from jitnet.printing import say

_WIDTH = 50  # columns of the longest bar


def add_parser(subparsers: Any) -> None:
    """Add `schedule` to the command line."""
    parser = subparsers.add_parser("schedule", help="draw the learning rate of each epoch, without training")
    parser.add_argument("network", nargs="?", default="cnn", metavar="NETWORK", help=f"{', '.join(PRESETS)}")
    given = parser.add_argument_group("instead of the network's own", argument_default=argparse.SUPPRESS)
    given.add_argument("--schedule", choices=CHOICES["schedule"], help="the form of the curve")
    given.add_argument("--epochs", type=int, metavar="N", help="that it is planned over")
    given.add_argument("--lr", type=float, metavar="PEAK", help="its peak")
    parser.set_defaults(run=run, config=None)


def run(args: argparse.Namespace) -> int:
    """Print a line an epoch and return the exit code."""
    from jitnet.commands.train import settings_of
    from jitnet.training.schedule import learning_rate

    settings = settings_of(args)
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    say(f"schedule {settings.schedule}, peak {settings.lr:g}, {settings.epochs} epoch{'s' * (settings.epochs > 1)}")
    for epoch in range(settings.epochs):
        rate = learning_rate(settings, epoch)
        bar = ("█" if utf8 else "#") * max(1, round(_WIDTH * rate / settings.lr))
        say(f"Epoch {epoch:2d} lr = {rate:.6f} {bar}")
    return 0
