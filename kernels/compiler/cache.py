"""The folder in which compiled kernels are kept, and what happens when a file in it is damaged, or cannot be written.

numba's own cache does not notice an edit in another file, a changed global or another numba. So the folder is named
by a hash of all of these: a stale kernel can't be found, and a new folder replaces the obsolete ones.
"""

import contextlib
import hashlib
import os
import platform
import sys
from pathlib import Path

import llvmlite
import numba
import numpy
from numba import config
from numba.core.runtime import rtsys

from . import cache_folder, filled_cache

_KERNELS = Path(__file__).resolve().parent.parent


def identity() -> str:
    """Return a hash of what the machine code of the kernels depends on, but for the processor and its tile."""
    digest = hashlib.sha256()
    for version in (numba.__version__, llvmlite.__version__, numpy.__version__):
        digest.update(version.encode() + b"\0")
    for source in sorted(_KERNELS.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _fingerprint(of_code: str) -> str:
    # numba keeps the kernels of each place apart, so we do
    parts = of_code, os.environ.get("JITNET_TILE", ""), str(_KERNELS)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


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
    kind = f"kernels-{platform.machine()}-py{sys.version_info.major}{sys.version_info.minor}"
    of_code = identity()
    folder = root / f"{kind}-{_fingerprint(of_code)}"
    made_for = "\n".join((str(_KERNELS), kind, os.environ.get("JITNET_TILE", "")))
    if not cache_folder.open_folder(folder, made_for):
        return None
    if not os.environ.get("JITNET_TILE") and not config.CPU_NAME:  # the code is for this processor
        filled_cache.copy_into(folder, of_code)
    return folder


CACHE_FOLDER = None if config.DISABLE_JIT else _cache_folder()


@contextlib.contextmanager
def numba_cache_folder():
    """Point numba at our folder while a decorator looks for it, and leave the user's own functions alone.

    numba reads config.CACHE_DIR in the decorator, and has no argument for it.
    """
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


DAMAGED: list[str] = []  # kernels whose compiled code could not be read and is compiled again; jitnet warns
UNSAVED: list[str] = []  # why compiled code could not be saved, as on a full disk; jitnet warns


def _keeps(cache):
    """Return whether a dispatcher's cache keeps anything: numba gives one that does not to what is not to be kept."""
    return hasattr(cache, "_cache_file")


def _load_alone(cache):
    """Return what loads a kernel without all that only compiling needs, half a second of imports.

    It is numba's load_overload but for context.refresh(), of which a kernel needs the runtime alone.
    """
    if not _keeps(cache):
        return cache.load_overload

    def load(signature, context):
        rtsys.initialize(context)
        with cache._guard_against_spurious_io_errors():
            return cache._load_overload(signature, context)

    return load


def keep_on_disk(dispatcher):
    """Compile and save a kernel whose file is damaged again, and use one that cannot be saved, where numba would raise.

    numba has no hook for this, so both methods of the dispatcher's cache are replaced.
    """
    cache = dispatcher._cache
    load, save = _load_alone(cache), cache.save_overload

    def load_or_forget(signature, context):
        for prepare in _preparations:
            prepare(getattr(signature, "args", signature))
        try:
            return load(signature, context)
        except Exception:
            DAMAGED.append(dispatcher.__name__)
            with contextlib.suppress(OSError):  # it is to be saved, which says why it cannot be
                cache.flush()
            return None

    def save_or_note(signature, compiled):
        try:
            save(signature, compiled)
        except OSError as error:
            UNSAVED.append(error.strerror or str(error))

    cache.load_overload, cache.save_overload = load_or_forget, save_or_note
    return dispatcher


def is_ready(dispatcher, arguments):
    """Return whether a kernel is loaded, or on disk, for such arguments, so that no call waits for its compilation."""
    signature = tuple(map(numba.typeof, arguments))
    return config.DISABLE_JIT or signature in dispatcher.signatures or holds(dispatcher, signature)


def holds(dispatcher, signature):
    """Return whether the code of a kernel for these argument types is on disk; its content may still be damaged.

    numba has no public question for this: loading is the only one, and compiles nothing but takes the time of a load.
    """
    cache = dispatcher._cache
    if not _keeps(cache):
        return False
    try:
        key = cache._index_key(signature, dispatcher.targetctx.codegen())
        return key in cache._cache_file._load_index()
    except Exception:  # an index that cannot be read: another process may compile the kernel, and tell nobody
        DAMAGED.append(dispatcher.__name__)
        return False
