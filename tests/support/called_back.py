"""jitnet with Ctrl-C pressed twice while LLVM requests the machine code of the nth module: `called_back.py nth ...`."""

import signal
import sys

from llvmlite.binding.executionengine import ExecutionEngine

from jitnet.cli import process

if __name__ == "__main__":
    nth, find = int(sys.argv.pop(1)), ExecutionEngine._find_module_ptr
    asked = []

    def interrupted(self, pointer):
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # in a training, that is
            asked.append(pointer)
            if len(asked) == nth:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
        return find(self, pointer)

    ExecutionEngine._find_module_ptr = interrupted
    process()
