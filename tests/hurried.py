"""jitnet with calls of a millisecond and a checkpoint every few: a kill at random finds it in every state."""

from jitnet import training
from jitnet.cli import main
from jitnet.runfolder import RunFolder

if __name__ == "__main__":
    training.CALL_S = 0.001
    training._FIRST_CALL_MACS = 1e4
    for make in (RunFolder.create, RunFolder.open):
        make.__func__.__kwdefaults__["save_every_s"] = 0.005
    raise SystemExit(main())
