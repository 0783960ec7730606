"""`jitnet repeat`: the same training from several seeds, with mean, deviation and confidence interval."""

import argparse

from jitnet.commands.support import many
from jitnet.commands.support.settings import settings_of
from jitnet.trials.plan import plan


def run(args: argparse.Namespace) -> int:
    """Train all and return the exit code."""
    return many.run(args, plan(settings_of(args), "repeat", seeds=args.seeds))
