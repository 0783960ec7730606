"""scikit-learn's conventions of an estimator, kept without scikit-learn: parameters, tags, the error before `fit`."""

import inspect
import sys
from typing import Any, Self

from jitnet.errors import InputError


class Conventional:
    """An estimator whose constructor stores the arguments that `_parameters` names, and does nothing else."""

    _parameters: tuple[str, ...] = ()
    _estimator_type = "classifier"

    def __init_subclass__(cls) -> None:
        """Let `help` and scikit-learn see the options that a subclass only passes on."""
        shown: dict[str, inspect.Parameter] = {}
        for base in cls.__mro__[:-1]:
            for item in list(inspect.signature(vars(base).get("__init__", object.__init__)).parameters.values())[1:]:
                if item.kind is not item.VAR_KEYWORD and item.name in cls._parameters:
                    shown.setdefault(item.name, item)
        cls.__signature__ = inspect.Signature(list(shown.values()))  # type: ignore[attr-defined]

    def __sklearn_tags__(self) -> Any:
        """Say what this is to scikit-learn, which alone asks: its searches then draw folds of like classes."""
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            transformer_tags=None,
            regressor_tags=None,
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments by name."""
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor; raises `InputError` for an unknown one."""
        for name, value in params.items():
            if name not in self._parameters:
                raise InputError(
                    f"{type(self).__name__} has no parameter {name!r}: expected one of {', '.join(self._parameters)}"
                )
            setattr(self, name, value)
        return self

    def _fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise _not_fitted()(f"this {type(self).__name__} is not trained yet: call fit first")


def _not_fitted() -> type[InputError]:
    """Return the error of an estimator that is not trained, scikit-learn's own too if that is in use."""
    exceptions = sys.modules.get("sklearn.exceptions")
    if exceptions is None:
        return InputError
    return type("NotFittedError", (InputError, exceptions.NotFittedError), {})
