"""Neural networks for MNIST, written from scratch: readable line by line, and as fast as the processor allows."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jitnet.data import load_mnist
    from jitnet.estimators.api import CNN, MLP, load
    from jitnet.trials.api import sweep

__version__ = "0.1.0"
__all__ = ["CNN", "MLP", "load", "load_mnist", "sweep"]

_here = Path(__file__).resolve().parent
if not (_here / "kernels").is_dir():  # a source checkout: kernels/ is a sibling of this package
    __path__.append(str(_here.parent))


def __getattr__(name: str) -> Any:
    """Import the estimators at their first use, so that `jitnet --help` does not wait for numba."""
    if name in ("CNN", "MLP", "load"):
        from jitnet.estimators import api

        return getattr(api, name)
    if name == "load_mnist":
        from jitnet.data import load_mnist

        return load_mnist
    if name == "sweep":
        from jitnet.trials.api import sweep

        return sweep
    raise AttributeError(f"module 'jitnet' has no attribute {name!r}")
