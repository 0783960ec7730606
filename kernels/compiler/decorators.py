"""Every njit option, and the folder in which compiled kernels are kept.

numba's own cache does not notice an edit in another file, a changed global or another numba. So the folder is named
by a hash of all of these: a stale kernel can't be found, and old folders are simply never looked at again.
"""

import contextlib
import hashlib
import os
import platform
import sys
import tempfile
import threading
from pathlib import Path

import llvmlite
import numba
import numpy
from numba import config

# No fastmath: a NaN must stay visible and sums must keep their order; the register tile asks for FMA by name.
# error_model="numpy" drops the branch that would raise ZeroDivisionError at each division.
# _nrt=False: no references to arrays are counted, since none is made or returned here. That costs 25 ns a call, where a
# row of the CNN's first layer takes 90 ns.
_KERNELS = Path(__file__).resolve().parent.parent
_OPTIONS = {"error_model": "numpy", "_nrt": False}


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for part in (
        numba.__version__,
        llvmlite.__version__,
        numpy.__version__,
        os.environ.get("JITNET_TILE", ""),
    ):
        digest.update(part.encode() + b"\0")
    digest.update(str(_KERNELS).encode() + b"\0")  # numba keeps each place's kernels apart, so we do
    for source in sorted(_KERNELS.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _user_cache() -> Path | None:
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    if os.environ.get("JITNET_CACHE_DIR"):
        return Path(os.environ["JITNET_CACHE_DIR"])
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):
        return Path(xdg) / "jitnet"
    try:
        home = Path.home()
    except RuntimeError:  # HOME is unset and the user has no entry in the password file
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "jitnet" / "Cache"
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "jitnet"


def _cache_folder() -> Path | None:
    """Return a folder that can be written, made if need be; None when there is no such place."""
    root = _user_cache()
    if root is None:
        return None
    folder = root / f"kernels-{platform.machine()}-py{sys.version_info.major}{sys.version_info.minor}-{_fingerprint()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return None
    return folder


CACHE_FOLDER = None if config.DISABLE_JIT else _cache_folder()

if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
    # A thread of GNU's OpenMP that waits looks this often before it sleeps: about 15 us. By default it spins for
    # milliseconds, on a core that another process needs: next to a busy process an epoch took four times as long.
    os.environ["GOMP_SPINCOUNT"] = "1000"

if "NUMBA_THREADING_LAYER_PRIORITY" not in os.environ:
    # A region costs 2 us under omp and 25 to 150 us under workqueue; tbb may give one thread two pieces at once.
    config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]


@contextlib.contextmanager
def _numba_cache_folder():
    """Point numba at our folder while a decorator looks for it, and leave the user's own functions alone."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(CACHE_FOLDER)
    try:
        yield
    finally:
        config.CACHE_DIR = before


_preparations: list = []


def before_loading(function):
    """Register a function to be called with a kernel's argument types before its code is loaded from the cache."""
    _preparations.append(function)
    return function


DAMAGED: list[str] = []  # kernels whose compiled code could not be read and is made anew; jitnet tells the user


def _kept(dispatcher):
    """Let a kernel whose file is damaged be compiled and saved anew, where numba would raise whatever pickle did."""
    cache = dispatcher._cache
    load = cache.load_overload

    def load_or_forget(signature, context):
        for prepare in _preparations:
            prepare(getattr(signature, "args", signature))
        try:
            return load(signature, context)
        except Exception:
            DAMAGED.append(dispatcher.__name__)
            cache.flush()
            return None

    cache.load_overload = load_or_forget
    return dispatcher


def kernel(function):
    """Compile an outermost function: its `prange` runs on all threads, its machine code is kept on disk."""
    if CACHE_FOLDER is None:
        return numba.njit(parallel=True, **_OPTIONS)(function)
    with _numba_cache_folder():
        return _kept(numba.njit(parallel=True, cache=True, **_OPTIONS)(function))


def serial_kernel(function):
    """Compile an outermost function without a `prange`, kept on disk: parallel=True would only cost compile time."""
    if CACHE_FOLDER is None:
        return numba.njit(**_OPTIONS)(function)
    with _numba_cache_folder():
        return _kept(numba.njit(cache=True, **_OPTIONS)(function))


def body(function):
    """Compile a serial piece that kernels share; it may be called inside a `prange`."""
    return numba.njit(**_OPTIONS)(function)


def inlined(function):
    """Compile a serial piece into each of its callers, where its integer arguments may be constants."""
    return numba.njit(forceinline=True, **_OPTIONS)(function)


def pasted(function):
    """Compile a serial piece that calls kernels: numba puts its text into the caller, so that they are linked once."""
    return numba.njit(inline="always", **_OPTIONS)(function)


@contextlib.contextmanager
def entered():
    """Let one Python thread into the kernels, with numba's pool running; raises `RuntimeError` where that is lost.

    numba's workqueue layer aborts the process if two Python threads enter parallel kernels at once, and GNU's OpenMP
    ends a process that was forked from one in which it ran.
    """
    if _pool_is_lost:
        raise RuntimeError(
            "this process was forked from one whose kernels had run, and OpenMP cannot go on in it: "
            "start it by multiprocessing's 'spawn', or set NUMBA_THREADING_LAYER=workqueue"
        )
    with _one_at_a_time:
        start_pool()
        yield


_one_at_a_time = threading.Lock()
_pool_is_lost = False


def _after_fork():
    global _one_at_a_time, _pool_is_lost
    _one_at_a_time = threading.Lock()  # it may be held by a thread that the child has not
    with contextlib.suppress(ValueError):  # the pool has not started
        _pool_is_lost = numba.threading_layer() == "omp" and sys.platform == "linux"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def start_pool():
    """Start numba's threads: to be called before a serial kernel that calls parallel ones.

    numba starts them when it loads a parallel kernel from the cache, and a caller inherits that, except if the callee
    itself came from the cache when the caller was compiled. Its first region would then jump to address 0.
    """
    numba.get_num_threads()
