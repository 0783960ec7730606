"""jitnet with calls of a millisecond and a checkpoint every few calls, so that a random kill hits every state."""

from jitnet.cli import main
from jitnet.run import RunFolder
from jitnet.training import pace

if __name__ == "__main__":
    pace.CALL_S = 0.001
    pace.FIRST_CALL_MACS = 1e4
    for make in (RunFolder.create, RunFolder.open):
        make.__func__.__kwdefaults__["save_every_s"] = 0.005
    raise SystemExit(main())
