"""Settings of all tests."""

import signal

import pytest
from hypothesis import Phase, settings
from twins import cases, cnn_twin, mnist, tiny_twin  # noqa: F401 (fixtures: made once for all files)

# Their import changes numba and the kernels of the process: they belong to children with NUMBA_DISABLE_JIT=1.
collect_ignore = ["campaigns", "support"]

# Compilation takes seconds and happens in whichever example comes first, so no deadline is set. The examples are the
# same in every run: a failure in CI is a failure at home.
settings.register_profile("jitnet", deadline=None, derandomize=True, database=None, max_examples=30)
settings.register_profile("few", settings.get_profile("jitnet"), max_examples=8)
settings.register_profile("once", settings.get_profile("jitnet"), max_examples=2)  # for coverage
# For mutants: it is enough that something fails, what exactly is of no interest.
settings.register_profile("mutants", settings.get_profile("few"), phases=(Phase.explicit, Phase.generate))
settings.load_profile("jitnet")

# What is ignored when a process starts stays ignored in all its children: SIGINT in what a shell starts in the
# background, SIGHUP under nohup. The tests send both. A handler is not inherited, so children hear them; and one that
# does nothing still keeps the suite itself alive when its terminal goes.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda number, frame: None)


@pytest.fixture
def one_thread():
    """Use one: the results are the same, and a busy machine does not keep threads waiting for each other."""
    import numba

    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(threads)
