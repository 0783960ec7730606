"""Neural networks for MNIST, written from scratch: readable line by line, and as fast as the processor allows."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "CNN", "MLP", "CNNRegressor", "Conv", "Dense", "MLPRegressor", "Pool", "load", "load_mnist", "show", "sweep",
]  # fmt: skip

_here = Path(__file__).resolve().parent
if not (_here / "kernels").is_dir():  # a source checkout: kernels/ is a sibling of this package
    __path__.append(str(_here.parent))

if TYPE_CHECKING:
    from jitnet.data import load_mnist
    from jitnet.display.show import show
    from jitnet.estimators.api import CNN, MLP, CNNRegressor, MLPRegressor, load
    from jitnet.model.architecture import Conv, Dense, Pool
    from jitnet.trials.api import sweep

# Where each name is: imported at its first use, so that `jitnet --help` does not wait for numba.
_PLACES = {
    "jitnet.estimators.api": ("CNN", "MLP", "CNNRegressor", "MLPRegressor", "load"),
    "jitnet.model.architecture": ("Conv", "Dense", "Pool"),
    "jitnet.data": ("load_mnist",),
    "jitnet.display.show": ("show",),
    "jitnet.trials.api": ("sweep",),
}


def __getattr__(name: str) -> Any:
    """Import one of the names in `__all__` at its first use."""
    from importlib import import_module

    for module, names in _PLACES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'jitnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
